"""Taking back: a movement from wherever it is listed, and what a toast offers to undo."""

from typing import Any

import reflex as rx

from inventory_app.operations import reasons, reversals
from inventory_app.operations.reversals import TakenBack
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._reload import reload_of
from inventory_app.states._stock_forms import Why
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


class TakeBackForm(Payload):
    """Which movement, and why."""

    movement_id: Id
    reason_code: Why
    note: Note = ""


class TakeBackState(FormState, rx.State):
    """The dialog that asks before a movement is taken back."""

    open: bool = False
    movement_id: int = 0
    about: str = ""
    why_not: str = ""
    reasons: list[tuple[str, str]] = []

    @rx.event
    @action(reversals.reverse_movement)
    async def open_take_back(self, movement_id: Id) -> None:
        """Ask whether a movement is to be taken back, and why."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(reversals.takeable, movement_id=movement_id)
            self.reasons = (await fetch(reasons.offered))["reverse"]
        self.movement_id, self.about, self.why_not = movement_id, found.about, found.why_not
        self._new_form()
        self.open = True

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def close_take_back(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        self.open = is_open and self.open

    @rx.event
    @action(reversals.reverse_movement)
    async def take_back(self, form: TakeBackForm) -> Any:
        """Take the movement back."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(reversals.reverse_movement, **form.arguments())
        return self._done(done)

    @rx.event
    @action(reversals.reverse_operation)
    async def undo(self, operation_id: Line) -> Any:
        """Take everything back that an operation has booked; pressed twice it is done once."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(
                reversals.reverse_operation, taken_id=operation_id, idempotency_key=f"undo-{operation_id}"[:64]
            )
        return self._done(done)

    def _done(self, done: TakenBack) -> Any:
        self.open = False
        self._new_form()
        more = f" and {done.movements - 1} more" if done.movements > 1 else ""
        said = _toast.success(f"Took back {done.quantity} {done.product}{more}")
        return [*reload_of(self.router.url.path), said]
