"""Closed periods: close the books up to a day, and open the last period again."""

from typing import Any

import reflex as rx

from inventory_app.errors import Invalid
from inventory_app.operations import periods
from inventory_app.operations.periods import PeriodRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states._stock_forms import NO_DAY, Day
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


class CloseForm(Payload):
    """The last day that is closed."""

    closed_through: Day = None
    note: Note = ""

    def arguments(self) -> dict[str, Any]:
        """Return the fields; a day is needed."""
        if self.closed_through is None:
            raise Invalid(fields={"closed_through": NO_DAY})
        return super().arguments()


class ReopenForm(Payload):
    """Which period is opened again, and why."""

    period_id: Id
    reason: Note = ""


class PeriodsState(FormState, rx.State):
    """Every period that was closed, and the two forms."""

    loading: bool = True
    rows: list[PeriodRow] = []
    closed_through: str = ""
    last_day: str = ""
    row: PeriodRow | None = None
    reopening: bool = False

    @rx.event
    @action(Permission.PERIODS_CLOSE)
    async def load(self) -> None:
        """Show the periods."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(periods.list_periods)
        self.rows, self.closed_through, self.last_day = found.rows, found.closed_through, found.last_day
        if not self.idempotency_key:
            self._new_form()
        self.loading = False

    @rx.event
    @action(periods.close_period)
    async def close_period(self, form: CloseForm) -> Any:
        """Close the books up to a day."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            day = await in_transaction(periods.close_period, **form.arguments())
        return self._done(f"The books are closed up to {day}")

    @rx.event
    @action(periods.reopen_period)
    async def open_reopen(self, period_id: Id) -> None:
        """Ask why a period is opened again."""
        self.row = next((row for row in self.rows if row.id == period_id), None)
        self._new_form()
        self.reopening = self.row is not None

    @rx.event
    @action(Permission.PERIODS_CLOSE)
    async def close_reopen(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        self.reopening = is_open and self.reopening

    @rx.event
    @action(periods.reopen_period)
    async def reopen_period(self, form: ReopenForm) -> Any:
        """Open a period again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            day = await in_transaction(periods.reopen_period, **form.arguments())
        return self._done(f"Opened the period up to {day} again")

    def _done(self, message: str) -> Any:
        self.reopening = False
        self._new_form()
        return [PeriodsState.load, _toast.success(message)]
