"""Importing in the browser: the preview of the file that was sent, the button below it, what came in before."""

from dataclasses import replace
from typing import Annotated, Any

import reflex as rx
from pydantic import StringConstraints

from inventory_app import staging
from inventory_app.errors import Invalid
from inventory_app.operations import imports
from inventory_app.operations.imports import PERMISSIONS, PREVIEWS, Batch, ImportFile, Preview
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Payload, action
from inventory_app.states._guard import event_actor
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_thread, in_transaction

PATH = "/imports"
#: How many faults the page lists; the command line lists all.
_MOST_FAULTS = 100
_GONE = f"This file is no longer kept: it was imported, or {staging.MINUTES} minutes have passed. Choose it again."

FileKey = Annotated[str, StringConstraints(min_length=32, max_length=32)]


class FileForm(Payload):
    """Which of the session's files is meant."""

    file: FileKey


class ImportState(FormState, rx.State):
    """The file the address names, before it is imported, and the files that were."""

    loading: bool = True
    file: str = ""
    #: Why the file of the address cannot be shown.
    trouble: str = ""
    preview: Preview | None = None
    more_faults: int = 0
    batches: list[Batch] = []
    #: The file that was just imported, after the question is over.
    imported: Batch | None = None

    @rx.event
    @action()
    async def load(self) -> None:
        """Show the file the address names, and the files that came in before."""
        self._new_form()
        auth_state = await self.get_state(AuthState)
        if any(auth_state._may(permission) for permission in PERMISSIONS.values()):  # noqa: SLF001  # ours
            with auth_state.audit_context():
                self.batches = await fetch(imports.imported_files)
                query = self.router.url.query_parameters
                await self._look(query.get("file", ""))
                asked = _view.number(query, "imported")
                self.imported = next((batch for batch in self.batches if batch.id == asked), None)
        self.loading = False

    async def _look(self, key: str) -> None:
        """Check the file against the database, and show what importing it would do."""
        self.file, self.trouble, self.preview, self.more_faults = key, "", None, 0
        if not key:
            return
        found = await in_thread(_read, key)
        if found is None:
            self.file, self.trouble = "", _GONE
            return
        preview = await fetch(PREVIEWS[found.kind], file=found)
        self.more_faults = max(0, len(preview.faults) - _MOST_FAULTS)
        self.preview = replace(preview, faults=preview.faults[:_MOST_FAULTS])

    @rx.event
    @action(imports.import_suppliers)
    async def import_suppliers(self, form: FileForm) -> Any:
        """Bring in the suppliers of the file."""
        return await self._import("suppliers", form.file)

    @rx.event
    @action(imports.import_categories)
    async def import_categories(self, form: FileForm) -> Any:
        """Bring in the categories of the file."""
        return await self._import("categories", form.file)

    @rx.event
    @action(imports.import_products)
    async def import_products(self, form: FileForm) -> Any:
        """Bring in the products of the file with their opening stock."""
        return await self._import("products", form.file)

    async def _import(self, kind: imports.Kind, key: str) -> Any:
        found = await in_thread(_read, key)
        if found is None or found.kind != kind:
            raise Invalid(_GONE)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(imports.IMPORTS[kind], file=found)
        await in_thread(_drop, key)
        return [
            rx.redirect(_view.href(PATH, {"imported": str(done.batch_id)})),
            _toast.success(done.sentence, duration=12_000),
        ]

    @rx.event
    @action()
    async def discard(self, form: FileForm) -> Any:
        """Forget the file without importing it."""
        await in_thread(_drop, form.file)
        return [rx.redirect(PATH)]


def _session() -> str:
    """Return what the sender's files are kept under; empty for a stranger, who has none."""
    actor = event_actor()
    return (actor.token_hash if actor else None) or ""


def _read(key: str) -> ImportFile[Any] | None:
    staged = staging.find(_session(), key)
    if staged is None:
        return None
    kinds: dict[str, imports.Kind] = {kind: kind for kind in PERMISSIONS}
    return imports.read_file(kinds[staged.kind], staged.content, staged.name)


def _drop(key: str) -> None:
    staging.drop(_session(), key)
