"""The start page: a greeting by the clock on the wall, and what the person finds there."""

import reflex as rx

from inventory_app.models._base import now
from inventory_app.operations import _zones
from inventory_app.operations._order_rows import OrderRow
from inventory_app.operations.home import DoneRow, Home, Share, WaitingRow, home
from inventory_app.operations.reorder import LowRow
from inventory_app.states._action import action
from inventory_app.states._charts import WeekBar, week_bars
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

_NOON, _EVENING = 12, 18
_WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


class HomeState(rx.State):
    """What waits, runs low, was done last and is worth what; empty where the person may not look."""

    loading: bool = True
    greeting: str = "Good day"
    today: str = ""
    waits: str = ""

    waiting: list[WaitingRow] = []
    waiting_count: int = 0
    suppliers: int = 0
    others: int = 0
    people: int = 0
    low: list[LowRow] = []
    products_to_reorder: int = 0
    done: list[DoneRow] = []
    as_of: str = ""
    low_note: str = ""
    worth: str = ""
    currency: str = ""
    shares: list[Share] = []
    weeks: list[WeekBar] = []
    moved: bool = False
    no_stock: bool = False
    due: list[OrderRow] = []
    due_note: str = ""

    @rx.event
    @action(public=True)
    async def load(self) -> None:
        """Show the start page as it is now.

        A stranger is led to sign in meanwhile, and people of a supplier to the portal, which is no refusal to record.
        """
        auth_state = await self.get_state(AuthState)
        if not auth_state.signed_in or auth_state.must_change_password or auth_state.of_a_supplier:
            return
        here = _zones.clock(now(), auth_state._time_zone())  # noqa: SLF001  # ours
        with auth_state.audit_context():
            found = await fetch(home)
        self.greeting = f"Good {'morning' if here.hour < _NOON else 'afternoon' if here.hour < _EVENING else 'evening'}"
        self.today = f"{here:%A %-d %B}"
        self.waits = _say_waiting(found)
        self.waiting, self.suppliers, self.people = found.waiting, found.suppliers, found.people
        self.others = found.others
        self.waiting_count = found.suppliers + found.others + found.people
        self.low, self.done, self.shares = found.low, found.done, found.shares
        self.products_to_reorder = number = found.products_to_reorder
        self.low_note = f"{number:,} product{'' if number == 1 else 's'}" if number else ""
        self.as_of = found.as_of
        self.worth, self.currency = found.worth, found.currency
        self.weeks = week_bars([(week.begins, week.came, week.went) for week in found.weeks])
        self.moved = any(week.came or week.went for week in found.weeks)
        self.no_stock = found.no_stock
        self.due, orders = found.due, found.orders_due
        self.due_note = f"{orders:,} order{'' if orders == 1 else 's'}" if orders else ""
        self.loading = False


def _say_waiting(found: Home) -> str:
    """Say in a sentence how much waits, and whether some of it has waited for too long."""
    number = found.suppliers + found.others + found.people
    if not number:
        return "Nothing waits for you."
    things = f"{_count(number)} {'thing waits' if number == 1 else 'things wait'} for you"
    late = f", {_count(found.late).lower()} for more than five days" if found.late else ""
    return f"{things}{late}."


def _count(number: int) -> str:
    return _WORDS[number] if number < len(_WORDS) else f"{number:,}"


loaded_by("/", HomeState.load)
