"""One item: why it holds what it holds, now or at the moment the address names, and what happened to it."""

from datetime import datetime, timedelta
from typing import Any

import reflex as rx

from inventory_app.errors import NotFound
from inventory_app.models._base import now
from inventory_app.operations import item_page
from inventory_app.operations._ledger import say
from inventory_app.operations._zones import clock, zone_words
from inventory_app.operations.as_of import Way
from inventory_app.operations.item_page import ItemDetail, ItemPage, Promise, Why
from inventory_app.operations.trail import HistoryRow
from inventory_app.permissions import Permission
from inventory_app.states import _view
from inventory_app.states._action import FormState, action
from inventory_app.states._charts import Chart, Frame, steps
from inventory_app.states._history import history_of
from inventory_app.states._moments import WAYS, TravelForm, destination, here, read_moment
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

ITEMS = "/inventory"
#: How far back the drawing goes: what the address says, and the days that are.
RANGES = {"7": "7 d", "30": "30 d", "365": "1 y", "1825": "5 y"}
_USUAL = "30"
_OF = ("item", "product")


class ItemState(FormState, rx.State):
    """The item the address names: `/inventory/12?at=2026-11-14T09:30&as=effective`."""

    loading: bool = True
    item: ItemDetail | None = None
    why: Why | None = None
    promises: list[Promise] = []
    chart: Chart = Chart()
    #: The moment that is asked about, as the picker has it and as a sentence has it; empty: now.
    at: str = ""
    at_words: str = ""
    way: str = "known"
    zone: str = ""
    then: str = ""
    then_value: str = ""
    now_href: str = ""
    movements_href: str = ""
    ranges: list[tuple[str, str, bool]] = []

    history: list[HistoryRow] = []
    history_of: str = "item"
    history_hrefs: dict[str, str] = {}
    earlier_href: str = ""
    later_href: str = ""
    trail_href: str = ""

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> None:
        """Show the item the address names, as of the moment it names."""
        query = self.router.url.query_parameters
        path = self.router.url.path.rstrip("/")
        item_id = _view.number({"id": path.rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        zone = auth_state._time_zone()  # noqa: SLF001  # ours
        moment, way = read_moment(query.get("at", ""), zone), _view.chosen(query, "as", WAYS)
        days = query.get("days", "") if query.get("days", "") in RANGES else _USUAL
        view = {
            "when": f"{clock(moment, zone):%Y-%m-%dT%H:%M:%S}" if moment else "",
            "as": way if way != WAYS[0] else "",
            "days": days if days != _USUAL else "",
            "of": query.get("of", "") if query.get("of", "") in _OF[1:] else "",
        }
        with auth_state.audit_context():
            found = await _found(item_id, at=moment, way=Way(way), days=int(days)) if item_id else None
            self.history, self.earlier_href, self.later_href = [], "", ""
            if found and auth_state._may(Permission.AUDIT_VIEW):  # noqa: SLF001  # ours
                await self._read_history(found.item, path, view, query.get("page", ""))
        self.at, self.way, self.zone = view["when"][:16], way, zone_words(zone, moment or now())
        self.ranges = [(label, here(path, view, days=key), key == days) for key, label in RANGES.items()]
        self.now_href = here(path, view, when="", **{"as": ""})
        self._show(found, path, view, zone)
        self.loading = False

    def _show(self, found: ItemPage | None, path: str, view: dict[str, str], zone: str) -> None:
        self.item = found and found.item
        self.why = found and found.why
        if found is None:
            self.promises, self.chart, self.at_words = [], Chart(), ""
            return
        self.promises, self.then, self.then_value = found.promises, found.then, found.then_value
        self.movements_href = _view.href("/movements", {"item": str(found.item.id)})
        local = clock(found.at, zone) if found.at else None
        self.at_words = f"{local.day} {local:%B %Y, %H:%M}" if local else ""

        def leads(moment: datetime) -> str:
            # The address knows whole seconds: the next one, when the change is there.
            return here(path, view, when=f"{clock(moment + timedelta(seconds=1), zone):%Y-%m-%dT%H:%M:%S}")

        frame = Frame(found.begins, found.ends, zone, found.at, say)
        points = [(step.at, step.quantity) for step in found.steps]
        self.chart = steps(points, frame, unit=found.item.unit, leads=leads)

    async def _read_history(self, item: ItemDetail, path: str, view: dict[str, str], cursor: str) -> None:
        """Read what happened to the item or its product, and put the look on record, as on the trail's own pages."""
        of = view["of"] or _OF[0]
        table, key = ("product", item.product_id) if of == "product" else ("inventory_item", item.id)
        found = await history_of(table, key, cursor)
        self.history, self.history_of = found.rows, of
        self.history_hrefs = {one: here(path, view, of=one if one != _OF[0] else "") for one in _OF}
        self.later_href = here(path, view, page=found.later) if found.later else ""
        self.earlier_href = here(path, view, page=found.earlier) if found.earlier else ""
        self.trail_href = _view.href("/audit", {"q": found.search})

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def travel(self, form: TravelForm) -> Any:
        """Go to the moment that was chosen; an emptied field is now."""
        auth_state = await self.get_state(AuthState)
        days = self.router.url.query_parameters.get("days", "")
        self.errors = {}
        return destination(
            form,
            self.router.url.path.rstrip("/"),
            auth_state._time_zone(),  # noqa: SLF001  # ours
            days=days if days in RANGES else "",
        )


async def _found(item_id: int, **asked: Any) -> ItemPage | None:
    try:
        return await fetch(item_page.item_page, item_id=item_id, **asked)
    except NotFound:
        return None
