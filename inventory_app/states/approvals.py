"""What waits for a person's decision: one list over all kinds as the address says, and the request that is open."""

from typing import Any, Literal

import reflex as rx

from inventory_app import people
from inventory_app.operations import approvals
from inventory_app.operations._approval_views import DecisionRow, Detail, Row
from inventory_app.operations._approvals import KINDS
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/approvals"
VIEWS = ("waiting", "decided", "asked")


class VerdictForm(Payload):
    """What is decided about which request, as it was read, and why."""

    approval_id: Id
    version: int
    subject_version: int
    decision: Literal["approve", "reject"]
    reason: Note = ""


class WithdrawForm(Payload):
    """What is taken back."""

    approval_id: Id


class ApprovalState(FormState, rx.State):
    """The requests of one view, and the one that is open."""

    rows: list[Row] = []
    decisions: list[DecisionRow] = []
    loading: bool = True
    view: str = "waiting"
    kind: str = ""
    kind_label: str = ""
    #: How many of all those that wait this person can decide.
    mine: int = 0

    #: Chosen in the address; without one the first that waits is shown, on the phone the list.
    chosen: bool = False
    detail: Detail | None = None

    hrefs: dict[str, str] = {}
    kind_hrefs: list[tuple[str, str]] = []
    no_kind_href: str = ""
    list_href: str = PATH
    previous_href: str = ""
    next_href: str = ""
    #: What follows `?id=...` in the addresses of the rows.
    rest: str = ""

    _open_id: int = 0

    def _address(self) -> dict[str, str]:
        return {"view": "" if self.view == VIEWS[0] else self.view, "kind": self.kind}

    @rx.event
    @action()
    async def load(self) -> None:
        """Show the view and the request that the address asks for."""
        query = self.router.url.query_parameters
        labels = {kind.name: kind.label for kind in KINDS.values()}
        self.view = _view.chosen(query, "view", VIEWS)
        self.kind = _view.chosen(query, "kind", ("", *labels))
        self.kind_label = labels.get(self.kind, "")
        asked, at = _view.number(query, "id"), query.get("at", "")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            before, after = await self._read_view(at)
            self.mine = sum((await fetch(approvals.count_mine)).values())
            first = self.rows[0].id if self.rows and self.view == VIEWS[0] else 0
            shown = asked or first
            self.detail = await fetch(approvals.approval_detail, approval_id=shown) if shown else None
        self.chosen = asked is not None
        view = self._address()
        self.previous_href = _view.href(PATH, view, at=before) if before else ""
        self.next_href = _view.href(PATH, view, at=after) if after else ""
        self.list_href = _view.href(PATH, view, at=at)
        self.rest = _view.href("", view, at=at).replace("?", "&")
        self.hrefs = {name: _view.href(PATH, view, view="" if name == VIEWS[0] else name) for name in VIEWS}
        self.kind_hrefs = [(label, _view.href(PATH, view, kind=name)) for name, label in labels.items()]
        self.no_kind_href = _view.href(PATH, view, kind="")
        if shown != self._open_id or not self.idempotency_key:
            self._open_id = shown
            self._new_form()
        self.loading = False

    async def _read_view(self, at: str) -> tuple[str, str]:
        """Read the rows of the view; returns the cursors of the pages before and after."""
        self.rows, self.decisions = [], []
        if self.view == "decided":
            decided = await fetch(approvals.decided_lately, kind=self.kind, cursor=at)
            self.decisions = decided.rows
            return decided.before, decided.after
        listing = approvals.asked_by_me if self.view == "asked" else approvals.waiting_for_me
        page = await fetch(listing, kind=self.kind, cursor=at)
        self.rows = page.rows
        return page.before, page.after

    @rx.event
    @action()
    async def decide(self, form: VerdictForm) -> Any:
        """Agree to the request that is open, or reject it; then show the next."""
        given = form.arguments()
        operation = approvals.approve if given.pop("decision") == "approve" else approvals.reject
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(operation, **given)
        # A role may have been given: what everybody may do is asked from the database again.
        people.forget_everybody()
        self._new_form()
        return [self._go_on(done.approval_id), AuthState.guard_page, _toast.success(_said(done))]

    @rx.event
    @action()
    async def withdraw(self, form: WithdrawForm) -> Any:
        """Take back what one has asked for."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            title = await in_transaction(approvals.withdraw, **form.arguments())
        self._new_form()
        return [ApprovalState.load, AuthState.guard_page, _toast.success(f"Withdrawn: {title}")]

    def _go_on(self, decided: int) -> Any:
        """Go to the next request of the list, else to the one before, else to the empty list."""
        ids = [row.id for row in self.rows]
        here = ids.index(decided) if decided in ids else len(ids)
        following = [*ids[here + 1 :], *reversed(ids[:here])]
        target = _view.href(PATH, self._address(), id=str(following[0]) if following else "")
        query = self.router.url.query
        now_at = f"{PATH}?{query}" if query else PATH
        # Where the address stays the same, nothing would load again.
        return ApprovalState.load if target == now_at else rx.redirect(target)


def _said(done: approvals.Decided) -> str:
    if done.status == "open":
        return f"You agreed, {done.given} of {done.required}: {done.title} waits for somebody else too"
    return f"{done.status.capitalize()}: {done.title}"
