"""The reasons people can give: their settings."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from pydantic import Field, model_validator

from inventory_app.models.stock import ReasonUse
from inventory_app.operations import reasons
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Line, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

_USE = "use:"
#: What people read for each use.
USES: dict[str, str] = {
    ReasonUse.RECEIVE: "Receipts",
    ReasonUse.ISSUE: "Issues",
    ReasonUse.ADJUST: "Adjustments",
    ReasonUse.TRANSFER: "Transfers",
    ReasonUse.COUNT: "Counts",
    ReasonUse.REVERSE: "Taking back",
}


class _ReasonFields(Payload):
    """What a reason is called, and what it is given for; each tick box is a field of its own."""

    label: Line = ""
    uses: list[Line] = []

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        # A browser sends "on" for what is ticked; anything else is parsed as what it is, and refused.
        ticked = [
            f"{name}".removeprefix(_USE) if value == "on" else value
            for name, value in sent.items()
            if f"{name}".startswith(_USE)
        ]
        others = {name: value for name, value in sent.items() if not f"{name}".startswith(_USE)}
        return {"uses": ticked} | others


class AddForm(_ReasonFields):
    """A reason to be."""


class ChangeForm(_ReasonFields):
    """A reason as it shall be from now on."""

    code: Line
    version: int = Field(gt=0)


@dataclass(frozen=True, slots=True)
class Use:
    """One thing a reason can be given for, as a tick box."""

    field: str
    label: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """A reason as the page shows it."""

    code: str
    label: str
    given_for: str
    built_in: bool
    active: bool
    version: int
    first: bool
    last: bool


class ReasonsState(FormState, rx.State):
    """Every reason in its order, and the form of one."""

    loading: bool = True
    rows: list[ReasonLine] = []
    editing: bool = False
    code: str = ""
    label: str = ""
    version: int = 0
    uses: list[Use] = []

    _uses: dict[str, list[str]] = {}

    @rx.event
    @action(Permission.SETTINGS_MANAGE)
    async def load(self) -> None:
        """Show the reasons."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(reasons.list_reasons)
        self._uses = {row.code: row.uses for row in found}
        self.rows = [
            ReasonLine(
                row.code,
                row.label,
                ", ".join(word for use, word in USES.items() if use in row.uses),
                row.built_in,
                row.active,
                row.version,
                number == 0,
                number == len(found) - 1,
            )
            for number, row in enumerate(found)
        ]
        self.loading = False

    @rx.event
    @action(reasons.add_reason)
    async def open_add(self) -> None:
        """Ask for a new reason."""
        self._ask("", "", 0, [])

    @rx.event
    @action(reasons.change_reason)
    async def open_change(self, code: Line) -> None:
        """Ask what a reason is called and given for from now on."""
        if row := next((row for row in self.rows if row.code == code), None):
            self._ask(row.code, row.label, row.version, self._uses.get(code, []))

    def _ask(self, code: str, label: str, version: int, uses: list[str]) -> None:
        self.code, self.label, self.version = code, label, version
        self.uses = [Use(f"{_USE}{use}", word, use in uses) for use, word in USES.items()]
        self._new_form()
        self.editing = True

    @rx.event
    @action(Permission.SETTINGS_MANAGE)
    async def close_form(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the form."""
        self.editing = is_open and self.editing

    @rx.event
    @action(reasons.add_reason)
    async def add_reason(self, form: AddForm) -> Any:
        """Add a reason."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(reasons.add_reason, **form.arguments())
        return self._done(f"Added “{name}”")

    @rx.event
    @action(reasons.change_reason)
    async def change_reason(self, form: ChangeForm) -> Any:
        """Change a reason."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(reasons.change_reason, **form.arguments())
        return self._done(f"Changed “{name}”")

    @rx.event
    @action(reasons.move_reason)
    async def move_reason(self, code: Line, up: bool, idempotency_key: Line = "") -> Any:  # noqa: FBT001  # an event's
        """Put a reason one place higher or lower."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(reasons.move_reason, code=code, up=up, idempotency_key=idempotency_key or None)
        return ReasonsState.load

    @rx.event
    @action(reasons.switch_reason)
    async def switch_reason(self, code: Line, active: bool, idempotency_key: Line = "") -> Any:  # noqa: FBT001  # as above
        """Offer a reason again, or no longer."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(
                reasons.switch_reason, code=code, active=active, idempotency_key=idempotency_key or None
            )
        return self._done(f"“{name}” is {'offered again' if active else 'no longer offered'}")

    def _done(self, message: str) -> Any:
        self.editing = False
        self._new_form()
        return [ReasonsState.load, _toast.success(message)]
