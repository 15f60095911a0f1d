"""Importing in the browser: choosing columns, what checking found, doing it, taking it back; what came in before."""

import asyncio
from typing import Annotated, Any

import reflex as rx
from pydantic import Field

from inventory_app import importing
from inventory_app.errors import Invalid, NotFound
from inventory_app.operations import import_runs, import_views
from inventory_app.operations.import_runs import PERMISSIONS
from inventory_app.operations.import_views import Batch, Difference, RowFault, Run
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_thread

PATH = "/imports"
_FAULTS = 50
_WORKING = ("reading", "applying")
#: How long a page that shows progress waits before it looks again.
_LOOK_SECONDS = 0.7


class RunForm(Payload):
    """Which file is meant."""

    run: Annotated[int, Field(gt=0, lt=2**63)]


class UndoForm(Payload):
    """Which file is taken back, and why."""

    run: Annotated[int, Field(gt=0, lt=2**63)]
    reason: Note = ""


class ImportState(FormState, rx.State):
    """The file the address names, as far as it has come, and the files that were sent before."""

    loading: bool = True
    run: Run | None = None
    faults: list[RowFault] = []
    differences: list[Difference] = []
    choosing: bool = False
    batches: list[Batch] = []
    undoing: Batch | None = None

    @rx.var
    def columns(self) -> list[tuple[str, str]]:
        """What a field can be read from."""
        return [] if self.run is None else [(str(at), name) for at, name in enumerate(self.run.header)]

    @rx.event
    @action()
    async def load(self) -> Any:
        """Show the file the address names, and the files that came in before."""
        self._new_form()
        self.choosing, self.undoing = False, None
        await self._show(_view.number(self.router.url.query_parameters, "run"))
        self.loading = False
        return self._look_again()

    @rx.event
    @action()
    async def look(self) -> Any:
        """Look again how far the file is that is worked on, until it is done or the page is another."""
        if self.run is None or self.run.status not in _WORKING or self.router.url.path.rstrip("/") != PATH:
            return None
        await asyncio.sleep(_LOOK_SECONDS)
        await self._show(self.run.id)
        return self._look_again()

    def _look_again(self) -> Any:
        # Each look is an event of its own, so that others have their turn in between.
        return ImportState.look if self.run is not None and self.run.status in _WORKING else None

    async def _show(self, run_id: int | None) -> None:
        auth_state = await self.get_state(AuthState)
        if not any(auth_state._may(permission) for permission in PERMISSIONS.values()):  # noqa: SLF001  # ours
            self.run, self.batches = None, []
            return
        with auth_state.audit_context():
            await in_thread(importing.notice_the_silent)
            try:
                self.run = await fetch(import_views.run_of, run_id=run_id) if run_id else None
            except NotFound:
                self.run = None
            self.faults, self.differences = [], []
            if self.run is not None and self.run.status == "checked":
                self.faults = await fetch(import_views.faults_of, run_id=self.run.id, most=_FAULTS)
                self.differences = await fetch(import_views.differences_of, run_id=self.run.id)
            if self.run is None or self.run.status not in _WORKING:
                self.batches = await fetch(import_views.files)

    @rx.event
    @action()
    async def more_faults(self) -> None:
        """Show the next faults."""
        if self.run is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.faults = [
                *self.faults,
                *await fetch(import_views.faults_of, run_id=self.run.id, after=len(self.faults), most=_FAULTS),
            ]

    @rx.event
    @action()
    async def choose_columns(self) -> None:
        """Choose anew which column is which."""
        self.choosing = True

    @rx.event
    @action()
    async def check_file(self, form: dict[str, Note]) -> Any:
        """Read the file with the chosen columns and check it, in the background."""
        run = self._run()
        mapping = {
            name.removeprefix("c_"): int(value)
            for name, value in form.items()
            if name.startswith("c_") and value.isascii() and value.isdecimal() and len(value) < 4  # noqa: PLR2004  # of 200
        }
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_thread(importing.check, run.id, mapping, form.get("rule", ""))
        self.choosing = False
        self._new_form()
        await self._show(run.id)
        return self._look_again()

    @rx.event
    @action(import_runs.apply_import)
    async def import_file(self, form: RunForm) -> Any:
        """Do what the checked file says, in the background."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_thread(importing.apply, form.run)
        await self._show(form.run)
        return self._look_again()

    @rx.event
    @action()
    async def cancel_file(self, form: RunForm) -> Any:
        """Stop the work on a file, or put it aside."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_thread(importing.cancel, form.run)
        await self._show(form.run)
        return [rx.redirect(PATH)] if self.run is not None and self.run.status == "cancelled" else None

    @rx.event
    @action(import_runs.undo_import)
    async def open_undo(self, run_id: Id) -> None:
        """Ask whether a whole file is to be taken back."""
        self._new_form()
        self.undoing = next((one for one in self.batches if one.run_id == run_id and one.undoable), None)

    @rx.event
    @action()
    async def close_undo(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Leave it as it is."""
        if not is_open:
            self.undoing = None

    @rx.event
    @action(import_runs.undo_import)
    async def undo_file(self, form: UndoForm) -> Any:
        """Take back everything a file did."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_thread(importing.undo, form.run, form.reason)
        self.undoing = None
        await self._show(self.run.id if self.run else None)
        return _toast.success(done.sentence, duration=12_000)

    def _run(self) -> Run:
        if self.run is None:
            raise Invalid(importing.GONE)
        return self.run
