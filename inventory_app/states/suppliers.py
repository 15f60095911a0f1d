"""The approval dashboard: the queue as the address says, the supplier that is open, the decision."""

from dataclasses import replace
from typing import Any, Literal

import reflex as rx

from inventory_app.operations import approvals, documents, supplier_bulk, supplier_standing, suppliers
from inventory_app.operations._supplier_views import Decision, QueueRow, SupplierDetail
from inventory_app.operations.documents import DocumentRow
from inventory_app.operations.supplier_bulk import Preview
from inventory_app.operations.supplier_standing import Ending
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._stock_forms import Day
from inventory_app.states._supplier_form import DetailsForm
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/suppliers/approvals"
_ORDERS = ("oldest", "newest")


class DecisionForm(Payload):
    """What is decided about which supplier, in the version that was read, and why."""

    supplier_id: Id
    version: int
    decision: Literal["approved", "rejected"]
    reason: Note = ""
    valid_until: Day = None

    def arguments(self) -> dict[str, Any]:
        """Return the fields; a rejection has no end."""
        given = super().arguments()
        if given["decision"] == "rejected":
            del given["valid_until"]
        return given


class TogetherForm(Payload):
    """What is decided about all that are chosen, and why."""

    reason: Note = ""
    valid_until: Day = None


class WithdrawForm(Payload):
    """The request that is taken back."""

    approval_id: Id


class SupplierForm(DetailsForm):
    """A supplier as staff enter it."""

    message: Note = ""


class SupplierState(FormState, rx.State):
    """The suppliers that wait, the one that is open, and the dialog over them."""

    rows: list[QueueRow] = []
    more: int = 0
    loading: bool = True
    q: str = ""
    order: str = "oldest"

    total: int = 0
    yours: int = 0
    late: int = 0

    #: Chosen in the address; without one the first of the queue is shown, on the phone the queue.
    chosen: bool = False
    detail: SupplierDetail | None = None
    decisions: list[Decision] = []
    position: str = ""
    previous_href: str = ""
    next_href: str = ""
    list_href: str = PATH
    order_href: str = ""
    #: What follows `?id=...` in the addresses of the rows.
    rest: str = ""

    #: What ends soon of approved suppliers, and the documents of the one that is open.
    ending: list[Ending] = []
    files: list[DocumentRow] = []

    #: Who is chosen to be decided about together, and what that would come to.
    picked: list[int] = []
    preview: Preview | None = None

    dialog: str = ""
    apply_link: str = ""

    _open_id: int = 0

    def _address(self) -> dict[str, str]:
        return {"q": self.q, "order": "" if self.order == _ORDERS[0] else self.order}

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show the queue and the supplier that the address asks for."""
        query = self.router.url.query_parameters
        self.q = query.get("q", "")[:100]
        self.order = _view.chosen(query, "order", _ORDERS)
        asked = _view.number(query, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            queue = await fetch(suppliers.supplier_queue, search=self.q, order=self.order)
            counts = await fetch(suppliers.count_waiting)
            self.decisions = await fetch(suppliers.decided_lately)
            shown = asked or (queue.rows[0].id if queue.rows else 0)
            self.detail = await fetch(suppliers.supplier_detail, supplier_id=shown) if shown else None
            self.files = (
                await fetch(documents.documents_of, subject_type="supplier", subject_id=shown) if self.detail else []
            )
            self.ending = await fetch(supplier_standing.ending_soon)
        self.rows, self.more = queue.rows, queue.more
        here = {row.id for row in queue.rows}
        self.picked = [id_ for id_ in self.picked if id_ in here]
        self.total, self.yours, self.late = counts.total, counts.yours, counts.late
        self.chosen = asked is not None
        self.apply_link = f"{get_settings().public_url}/apply"
        self._compute_links(shown)
        if shown != self._open_id:
            self._open_id = shown
            self._new_form()
        self.loading = False

    def _compute_links(self, shown: int) -> None:
        view = self._address()
        other = _ORDERS[1] if self.order == _ORDERS[0] else _ORDERS[0]
        self.list_href = _view.href(PATH, view)
        self.rest = _view.href("", view).replace("?", "&")
        self.order_href = _view.href(PATH, view, order="" if other == _ORDERS[0] else other)
        ids = [row.id for row in self.rows]
        here = ids.index(shown) if shown in ids else len(ids)
        self.position = f"{here + 1} of {len(ids)}" if shown in ids else ""
        before, after = ids[here - 1 : here] if here else [], ids[here + 1 : here + 2]
        self.previous_href = _view.href(PATH, view, id=str(before[0])) if before and shown in ids else ""
        self.next_href = _view.href(PATH, view, id=str(after[0])) if after else ""

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def search(self, text: Line) -> Any:
        """Search as one types: the address changes, and with it the queue."""
        return rx.redirect(_view.href(PATH, self._address(), q=text), replace=True)

    @rx.event
    @action(suppliers.create_supplier)
    async def open_enter(self) -> None:
        """Ask for a new supplier."""
        self._new_form()
        self.dialog = "enter"

    @rx.event
    @action(Permission.SUPPLIERS_APPROVE)
    async def open_decision(self, decision: Literal["approved", "rejected"]) -> None:
        """Ask for the reason of a decision, where the page itself has no room for it."""
        self._new_form()
        self.dialog = decision

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(suppliers.create_supplier)
    async def create_supplier(self, form: SupplierForm) -> Any:
        """Enter a supplier; somebody else decides about it."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(suppliers.create_supplier, **form.arguments())
        self._new_form()
        self.dialog = ""
        return [
            rx.redirect(_view.href(PATH, {}, id=str(done.supplier_id))),
            AuthState.guard_page,
            _toast.success(f"Entered {done.name}; somebody else can approve it now"),
        ]

    @rx.event
    @action(Permission.SUPPLIERS_APPROVE)
    async def decide(self, form: DecisionForm) -> Any:
        """Approve or reject the supplier that is open, then show the next."""
        given = form.arguments()
        approve = given.pop("decision") == "approved"
        operation = suppliers.approve_supplier if approve else suppliers.reject_supplier
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(operation, **given)
        self._new_form()
        self.dialog = ""
        said = _toast.success(suppliers.said(done))
        # The count beside the navigation has changed as well.
        return [self._go_on(done.supplier_id), AuthState.guard_page, said]

    @rx.event
    @action(Permission.SUPPLIERS_APPROVE)
    async def pick(self, supplier_id: Id) -> None:
        """Choose a supplier of the queue to be decided about with others, or leave it out again."""
        if supplier_id in self.picked:
            self.picked = [id_ for id_ in self.picked if id_ != supplier_id]
        elif any(row.id == supplier_id for row in self.rows):
            self.picked = [*self.picked, supplier_id][-supplier_bulk.MOST :]

    @rx.event
    @action(Permission.SUPPLIERS_APPROVE)
    async def pick_none(self) -> None:
        """Choose nobody."""
        self.picked = []

    def _chosen(self) -> list[tuple[int, int]]:
        return [(row.id, row.version) for row in self.rows if row.id in self.picked]

    @rx.event
    @action(supplier_bulk.decide_suppliers)
    async def open_together(self, decision: Literal["approved", "rejected"]) -> None:
        """Show what deciding about those that are chosen would come to."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.preview = await fetch(
                supplier_bulk.preview_decisions, chosen=self._chosen(), approving=decision == "approved"
            )
        self._new_form()
        self.dialog = f"all-{decision}"

    @rx.event
    @action(Permission.SUPPLIERS_APPROVE)
    async def leave_out(self) -> None:
        """Leave out whom this person cannot decide about now."""
        if self.preview is not None:
            faulty = {row.id for row in self.preview.rows if row.fault}
            self.picked = [id_ for id_ in self.picked if id_ not in faulty]
            rows = [row for row in self.preview.rows if not row.fault]
            self.preview = replace(self.preview, rows=rows, faults=0)
        if not self.picked:
            self.dialog = ""

    @rx.event
    @action(supplier_bulk.decide_suppliers)
    async def decide_together(self, form: TogetherForm) -> Any:
        """Approve or reject all that are chosen, or none."""
        given = form.arguments()
        approving = self.dialog == "all-approved"
        if not approving:
            del given["valid_until"]
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(
                supplier_bulk.decide_suppliers, chosen=self._chosen(), approving=approving, **given
            )
        self._new_form()
        self.dialog, self.picked, self.preview = "", [], None
        number = "1 supplier" if done.count == 1 else f"{done.count} suppliers"
        more = f"; {done.waiting} wait for somebody else too" if done.waiting else ""
        said = _toast.success(f"{'Approved' if approving else 'Rejected'} {number}{more}")
        return [SupplierState.load, AuthState.guard_page, said]

    @rx.event
    @action(Permission.SUPPLIERS_CREATE)
    async def open_withdraw(self) -> None:
        """Ask whether one's own entry is to be taken back."""
        self._new_form()
        self.dialog = "withdraw"

    @rx.event
    @action(Permission.SUPPLIERS_CREATE)
    async def withdraw(self, form: WithdrawForm) -> Any:
        """Take back what one has entered oneself."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            title = await in_transaction(approvals.withdraw, **form.arguments())
        self._new_form()
        self.dialog = ""
        return [SupplierState.load, AuthState.guard_page, _toast.success(f"Withdrew {title}")]

    def _go_on(self, decided: int) -> Any:
        """Go to the next supplier of the queue, else to the one before, else to the empty queue."""
        ids = [row.id for row in self.rows]
        here = ids.index(decided) if decided in ids else len(ids)
        following = [*ids[here + 1 :], *reversed(ids[:here])]
        target = _view.href(PATH, self._address(), id=str(following[0]) if following else "")
        query = self.router.url.query
        now_at = f"{PATH}?{query}" if query else PATH
        # Where the address stays the same, nothing would load again.
        return SupplierState.load if target == now_at else rx.redirect(target)
