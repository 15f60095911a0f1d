"""The pictures and documents of the record whose page is open."""

from typing import Any

import reflex as rx

from inventory_app.operations import documents
from inventory_app.operations.documents import DocumentRow
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


class DocumentsState(FormState, rx.State):
    """What is kept with the record, and whether this person may change it."""

    pictures: list[DocumentRow] = []
    files: list[DocumentRow] = []
    may_change: bool = False
    #: Where the form sends a file.
    target: str = ""
    #: What is about to be removed.
    removing: int = 0
    removing_name: str = ""

    @rx.event
    @action()
    async def load(self) -> None:
        """Show what is kept with the record the address names, to who may see that record."""
        path, _, last = self.router.url.path.rstrip("/").rpartition("/")
        asked = _view.number({"id": last}, "id")
        named = next((name for name, subject in documents.SUBJECTS.items() if subject.path == path), "")
        self.pictures, self.files, self.target, self.may_change = [], [], "", False
        self._new_form()
        if not named or asked is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(documents.documents_of, subject_type=named, subject_id=asked)
        self.pictures = [one for one in found if one.kind == "image"]
        self.files = [one for one in found if one.kind != "image"]
        self.may_change = auth_state._may(documents.SUBJECTS[named].changes)  # noqa: SLF001  # ours
        self.target = f"/documents/{named}/{asked}"

    @rx.event
    @action(documents.remove_document)
    async def open_remove(self, document_id: Id) -> None:
        """Ask whether a picture or document is to be removed."""
        found = next((one for one in (*self.pictures, *self.files) if one.id == document_id), None)
        if found is not None:
            self._new_form()
            self.removing, self.removing_name = found.id, found.name

    @rx.event
    @action()
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.removing = 0

    @rx.event
    @action(documents.remove_document)
    async def remove_document(self, document_id: Id, idempotency_key: Line = "") -> Any:
        """Remove a picture or document."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(
                documents.remove_document, document_id=document_id, idempotency_key=idempotency_key or None
            )
        self.removing = 0
        return [DocumentsState.load, _toast.success(f"Removed {done.name}")]
