"""One supplier: what is known, what was decided, what happened to it, and correcting it."""

from typing import Any

import reflex as rx

from inventory_app.operations import scorecard, supplier_standing, suppliers, trail
from inventory_app.operations._supplier_views import SupplierDetail
from inventory_app.operations.scorecard import Score
from inventory_app.operations.trail import HistoryRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._product_forms import MaybeMoney, MaybeWhole
from inventory_app.states._supplier_form import DetailsForm
from inventory_app.states.auth import AuthState
from inventory_app.states.supplier_list import PATH
from inventory_app.unit_of_work import fetch, in_transaction


class CorrectionForm(DetailsForm):
    """A supplier as somebody corrects it, in the version that was read."""

    supplier_id: Id
    version: int
    reason: Note = ""


class StandingForm(Payload):
    """Why a supplier is suspended, reinstated or to be approved again, in the version that was read."""

    supplier_id: Id
    version: int
    reason: Note = ""


class TermsForm(Payload):
    """When we pay, how goods come and the smallest order, in the version that was read."""

    supplier_id: Id
    version: int
    payment_days: MaybeWhole = None
    delivery_terms: Line = ""
    #: Only the form of who sees prices has it; left empty it is taken away.
    minimum_order: MaybeMoney | None = None


class SupplierPageState(FormState, rx.State):
    """The supplier the address names, with its history for those who may see the trail."""

    loading: bool = True
    detail: SupplierDetail | None = None
    history: list[HistoryRow] = []
    earlier_href: str = ""
    later_href: str = ""
    trail_href: str = ""

    scores: list[Score] = []

    dialog: str = ""
    #: What the form of the dialog began with: what others change meanwhile must not get into it.
    values: dict[str, str] = {}
    agreed: dict[str, str] = {}
    version: int = 0
    was_approved: bool = False

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show the supplier the address names."""
        query = self.router.url.query_parameters
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(suppliers.supplier_detail, supplier_id=asked) if asked else None
            self.scores = await fetch(scorecard.scorecard, supplier_id=asked) if found else []
            self.history, self.earlier_href, self.later_href = [], "", ""
            if found and auth_state._may(Permission.AUDIT_VIEW):  # noqa: SLF001  # ours
                await self._read_history(found.id, query.get("at", ""))
        if found is None or self.detail is None or found.id != self.detail.id:
            self.dialog = ""
            self._new_form()
        self.detail = found
        self.loading = False

    async def _read_history(self, supplier_id: int, cursor: str) -> None:
        """Read what happened to the supplier, and put on record that somebody looked, as on the trail's own pages."""
        search = trail.record_search("supplier", str(supplier_id))
        looked = await fetch(trail.list_operations, search=search)
        page = await fetch(trail.record_history, table="supplier", pk=str(supplier_id), cursor=cursor)
        if not looked.recorded:
            await in_transaction(trail.view_trail, search=search)
        self.history = page.rows
        path = f"{PATH}/{supplier_id}"
        self.later_href = _view.href(path, {}, at=page.before) if page.before else ""
        self.earlier_href = _view.href(path, {}, at=page.after) if page.after else ""
        self.trail_href = _view.href("/audit", {"q": search})

    @rx.event
    @action(suppliers.update_supplier)
    async def open_edit(self) -> None:
        """Ask what is to be corrected."""
        if self.detail is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(suppliers.supplier_to_edit, supplier_id=self.detail.id)
        if found is None:
            return
        self._new_form()
        self.values, self.version, self.was_approved = found.values, found.version, found.approved
        self.dialog = "edit"

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(suppliers.update_supplier)
    async def update_supplier(self, form: CorrectionForm) -> Any:
        """Correct the supplier."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(suppliers.update_supplier, **form.arguments())
        self._new_form()
        self.dialog = ""
        waits = ". It waits for approval again" if done.returned else ""
        # The count beside the navigation may have changed as well.
        return [SupplierPageState.load, AuthState.guard_page, _toast.success(f"Corrected {done.name}{waits}")]

    @rx.event
    @action(suppliers.agree_terms)
    async def open_terms(self) -> None:
        """Ask what was agreed."""
        await self._open("terms")

    @rx.event
    @action(suppliers.agree_terms)
    async def agree_terms(self, form: TermsForm) -> Any:
        """Put down what was agreed."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(suppliers.agree_terms, **form.arguments())
        return self._stands(f"Saved the terms of {done.name}")

    @rx.event
    @action(supplier_standing.suspend_supplier)
    async def open_suspend(self) -> None:
        """Ask why the supplier is suspended."""
        await self._open("suspend")

    @rx.event
    @action(supplier_standing.suspend_supplier)
    async def suspend_supplier(self, form: StandingForm) -> Any:
        """Stop orders to the supplier."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(supplier_standing.suspend_supplier, **form.arguments())
        return self._stands(f"Suspended {done.name}")

    @rx.event
    @action(supplier_standing.reinstate_supplier)
    async def open_reinstate(self) -> None:
        """Ask why the supplier is reinstated."""
        await self._open("reinstate")

    @rx.event
    @action(supplier_standing.reinstate_supplier)
    async def reinstate_supplier(self, form: StandingForm) -> Any:
        """Let orders go to the supplier again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(supplier_standing.reinstate_supplier, **form.arguments())
        changed = f"{done.name} was changed while it was suspended: it waits for a decision"
        return self._stands(changed if done.status == "pending" else f"Reinstated {done.name}")

    @rx.event
    @action(supplier_standing.ask_again)
    async def open_again(self) -> None:
        """Ask whether the supplier is to be approved again."""
        await self._open("again")

    @rx.event
    @action(supplier_standing.ask_again)
    async def ask_again(self, form: StandingForm) -> Any:
        """Ask for the supplier to be approved again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(supplier_standing.ask_again, **form.arguments())
        return self._stands(f"{done.name} waits for approval again; nothing is ordered from it before")

    async def _open(self, dialog: str) -> None:
        if self.detail is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.agreed = await fetch(suppliers.terms_to_edit, supplier_id=self.detail.id) or {}
        self._new_form()
        # What the person reads is the version they decide about, not what others make of it meanwhile.
        self.version, self.dialog = self.detail.version, dialog

    def _stands(self, message: str) -> Any:
        self._new_form()
        self.dialog = ""
        return [SupplierPageState.load, AuthState.guard_page, _toast.success(message)]
