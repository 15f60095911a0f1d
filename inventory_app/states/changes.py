"""Sets of changes: the list of them, and one with the difference it makes."""

from typing import Any, ClassVar

import reflex as rx

from inventory_app.errors import InvalidRows
from inventory_app.operations import change_sets
from inventory_app.operations._change_list import LIST
from inventory_app.operations._lists import Listing
from inventory_app.operations.change_sets import DiffRow, SetDetail, SetRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/changes"
_SAID = {
    "applied": "Applied",
    "planned": "Planned",
    "waiting": "Waits for somebody else's agreement",
    "reverted": "Taken back",
    "discarded": "Discarded",
}


class SetForm(Payload):
    """Which set, in the version that was read."""

    change_set_id: Id
    version: int


class RevertForm(SetForm):
    """A set that is taken back, and why."""

    reason: Note = ""


class ChangeListState(ListState, rx.State):
    """The sets of changes the address asks for."""

    columns: list[str] = LIST.everybodys()
    rows: list[SetRow] = []
    everything: int = 0

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show the sets the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(change_sets.list_change_sets, view=view)
        self.rows, self.everything = found.page.rows, found.everything
        listed = Listed(found.view, found.page, found.count, found.everything)
        await self._show_list(listed, (row.id for row in found.page.rows))


class ChangeSetState(FormState, rx.State):
    """The set of changes the address names, with a page of its rows."""

    loading: bool = True
    detail: SetDetail | None = None
    rows: list[DiffRow] = []
    only_faults: bool = False
    all_href: str = ""
    faults_href: str = ""
    previous_href: str = ""
    next_href: str = ""
    dialog: str = ""

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show the set the address names."""
        query = self.router.url.query_parameters
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        self.only_faults = query.get("rows") == "faults"
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = (
                await fetch(
                    change_sets.change_set_detail,
                    change_set_id=asked,
                    cursor=query.get("at", ""),
                    only_faults=self.only_faults,
                )
                if asked
                else None
            )
        if found is None or self.detail is None or found.id != self.detail.id:
            self._new_form()
            self.dialog = ""
        self.detail, self.rows = found, found.page.rows if found else []
        path, view = f"{PATH}/{asked}", {"rows": "faults" if self.only_faults else ""}
        self.all_href, self.faults_href = path, f"{path}?rows=faults"
        self.previous_href = _view.href(path, view, at=found.page.before) if found and found.page.before else ""
        self.next_href = _view.href(path, view, at=found.page.after) if found and found.page.after else ""
        self.loading = False

    @rx.event
    @action()
    async def open_revert(self) -> None:
        """Ask why the set is taken back."""
        self._new_form()
        self.dialog = "revert"

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action()
    async def apply_set(self, form: SetForm) -> Any:
        """Apply everything, or nothing."""
        return await self._do(change_sets.apply_changes, form)

    @rx.event
    @action()
    async def revert_set(self, form: RevertForm) -> Any:
        """Take everything back, or nothing."""
        return await self._do(change_sets.revert_changes, form)

    @rx.event
    @action()
    async def discard_set(self, form: SetForm) -> Any:
        """Close a draft."""
        return await self._do(change_sets.discard_changes, form)

    async def _do(self, operation: Any, form: SetForm) -> Any:
        auth_state = await self.get_state(AuthState)
        try:
            with auth_state.audit_context():
                done = await in_transaction(operation, **form.arguments())
        except InvalidRows as error:
            # The rows are beside the difference, each with what is in its way.
            self.dialog = ""
            said = str(error).removesuffix(":") + "."
            return [rx.redirect(self.faults_href), ChangeSetState.load, _toast.error(said)]
        self.dialog = ""
        self._new_form()
        return [ChangeSetState.load, _toast.success(f"{_SAID[done.status]}: {done.title}")]
