"""Whether the books balance: a check that gets on part by part, and putting right what disagrees."""

from typing import Any

import reflex as rx

from inventory_app.operations import books
from inventory_app.operations.books import Check, FaultRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction, write_unaudited

PATH = "/books"


class RebuildForm(Payload):
    """Why the books are rebuilt."""

    reason: Note = ""


class BooksState(FormState, rx.State):
    """The last check of the books, which gets on while somebody looks, or by itself."""

    loading: bool = True
    #: Whether this tab is the one that gets the check on.
    running: bool = False
    check: Check | None = None
    shown: list[FaultRow] = []
    asking: bool = False

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def load(self) -> Any:
        """Show the last check; one that somebody left in the middle goes on."""
        await self._read()
        self.loading = False
        found = self.check
        self.running = bool(found and found.id and not found.finished_at)
        return BooksState.go_on if self.running else None

    async def _read(self) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.check = await fetch(books.last_check)
        self.shown = self.check.shown

    @rx.event
    @action(books.begin_check)
    async def begin_check(self) -> Any:
        """Begin to check the books."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(books.begin_check)
        self.turn += 1
        return BooksState.load

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def go_on(self) -> Any:
        """Check the next part, show how far it is, and ask for the one after it.

        One part a time, so that this tab can do other things in between, or be closed: the job goes on then.
        """
        if self.router.url.path.rstrip("/") != PATH:
            self.running = False
            return None
        found = self.check
        if found is None or not found.id or found.finished_at:
            return None
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            number, seen = await fetch(books.check_part, check_id=found.id)
            await write_unaudited(books.note_part, check_id=found.id, number=number, found=seen)
        await self._read()
        self.running = bool(self.check and not self.check.finished_at)
        return BooksState.go_on if self.running else None

    @rx.event
    @action(books.rebuild_books)
    async def open_rebuild(self) -> None:
        """Ask why the books are rebuilt."""
        self._new_form()
        self.asking = True

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        self.asking = is_open and self.asking

    @rx.event
    @action(books.rebuild_books)
    async def rebuild_books(self, form: RebuildForm) -> Any:
        """Write what the movements say over what disagrees, and check again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            check = await fetch(books.last_check)
            done = await in_transaction(books.rebuild_books, check_id=check.id, **form.arguments())
            await in_transaction(books.begin_check)
        self.asking = False
        self._new_form()
        return [_toast.success(done.said), BooksState.load]
