"""While somebody is away: who decides in their place, since when and until when."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import reflex as rx
from pydantic import model_validator

from inventory_app import people
from inventory_app.errors import Invalid
from inventory_app.models._base import now
from inventory_app.operations import _zones, delegations
from inventory_app.operations.delegations import DelegationRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/profile/away"
_BOX = "may:"
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(9_000, 1, 1)


class AwayForm(Payload):
    """Who decides in one's place, what, and from which day to which (both included)."""

    deputy: Line = ""
    permissions: list[Line] = []
    first_day: Line = ""
    last_day: Line = ""
    reason: Note = ""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, sent: Any) -> Any:
        """Take the ticked boxes `may:<permission>` together: a browser sends each as a field of its own."""
        if not isinstance(sent, dict):
            return sent
        ticked = [name.removeprefix(_BOX) for name in sent if isinstance(name, str) and name.startswith(_BOX)]
        others = {name: value for name, value in sent.items() if f"{name}".removeprefix(_BOX) not in ticked}
        return {"permissions": ticked} | others


@dataclass(frozen=True, slots=True)
class Box:
    """A permission that can be lent."""

    field: str
    label: str


class AwayState(FormState, rx.State):
    """What one has lent and was lent, and the form to lend."""

    loading: bool = True
    boxes: list[Box] = []
    rows: list[DelegationRow] = []
    #: What is lent in the whole company, for those who look after people.
    others: list[DelegationRow] = []
    suggestions: list[tuple[str, str]] = []
    today: str = ""
    #: Where the days begin: the clock of whoever is away.
    zone: str = ""

    @rx.event
    @action()
    async def load(self) -> None:
        """Show what is lent."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            lendable = await fetch(delegations.lendable)
            self.rows = await fetch(delegations.my_delegations)
            self.suggestions = await fetch(delegations.deputies)
            mine = {row.id for row in self.rows}
            everybody = Permission.USERS_MANAGE in auth_state.permissions
            found = await fetch(delegations.everybodys_delegations) if everybody else []
        self.others = [row for row in found if row.id not in mine]
        self.boxes = [Box(f"{_BOX}{one.name}", one.label) for one in lendable]
        zone, moment = auth_state._time_zone(), now()  # noqa: SLF001  # ours
        self.today = _zones.clock(moment, zone).date().isoformat()
        self.zone = _zones.zone_words(zone, moment)
        if not self.idempotency_key:
            self._new_form()
        self.loading = False

    @rx.event
    @action()
    async def look_up(self, text: Line) -> None:
        """Suggest colleagues as one types."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.suggestions = await fetch(delegations.deputies, search=text)

    @rx.event
    @action()
    async def delegate(self, form: AwayForm) -> Any:
        """Let somebody decide in one's place."""
        days = {"first_day": _day(form.first_day), "last_day": _day(form.last_day)}
        if missing := {name: "Enter a day." for name, day in days.items() if day is None}:
            raise Invalid(fields=missing)
        auth_state = await self.get_state(AuthState)
        zone = auth_state._time_zone()  # noqa: SLF001  # ours
        try:
            with auth_state.audit_context():
                done = await in_transaction(
                    delegations.delegate,
                    deputy=form.deputy,
                    permissions=form.permissions,
                    starts_at=_zones.beginning(_within(days["first_day"]), zone),
                    ends_at=_zones.end(_within(days["last_day"]), zone),
                    reason=form.reason,
                    idempotency_key=form.idempotency_key or None,
                )
        except Invalid as error:
            names = {"starts_at": "first_day", "ends_at": "last_day"}
            raise Invalid(fields={names.get(name, name): text for name, text in error.fields.items()}) from error
        self._new_form()
        return self._done(f"{done.to} can decide for you then: {', '.join(done.permissions)}")

    @rx.event
    @action()
    async def revoke(self, delegation_id: Id, idempotency_key: Line = "") -> Any:
        """End it at once."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(
                delegations.revoke_delegation, delegation_id=delegation_id, idempotency_key=idempotency_key or None
            )
        self._new_form()
        return self._done(f"{name} no longer stands in")

    def _done(self, message: str) -> Any:
        """Show the lists as they are now; what everybody may do is asked from the database again."""
        people.forget_everybody()
        return [AwayState.load, AuthState.guard_page, _toast.success(message)]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _within(day: date | None) -> date:
    """Return the day, or the nearest that begins and ends in every zone: the operation refuses that as well."""
    return min(max(day or _LAST_DAY, _FIRST_DAY), _LAST_DAY)
