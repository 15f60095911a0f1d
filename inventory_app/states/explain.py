"""What a person may do and through what, and why somebody cannot do something."""

from dataclasses import dataclass

import reflex as rx

from inventory_app.operations import explain
from inventory_app.operations.explain import Answer, PersonRow
from inventory_app.permissions import Permission
from inventory_app.states import _view
from inventory_app.states._action import Line, action
from inventory_app.states.auth import AuthState, initials
from inventory_app.unit_of_work import fetch

PEOPLE = "/admin/users"
PATH = "/admin/explain"

#: (name, label) of every permission, to choose from.
CHOICES = [(permission.value, f"{permission.label} ({permission})") for permission in Permission]


@dataclass(frozen=True)
class SourceLine:
    """Through what a permission is held, and where that is shown."""

    text: str
    href: str


@dataclass(frozen=True)
class HoldingLine:
    """A permission of a person; `heading` is set on the first of each category."""

    permission: str
    label: str
    heading: str
    held: bool
    sources: list[SourceLine]


class PersonState(rx.State):
    """A person: their roles, what they may do and through what, what they may not and why."""

    loading: bool = True
    person: PersonRow | None = None
    name: str = ""
    initials: str = ""
    holdings: list[HoldingLine] = []
    held: int = 0
    permissions: int = len(Permission)
    history_href: str = ""
    asked: str = ""
    answer: Answer | None = None

    _user_id: int = 0

    @rx.event
    @action(Permission.USERS_VIEW)
    async def load(self) -> None:
        """Show the person that the address names."""
        last = self.router.url.path.rstrip("/").rpartition("/")[2]
        query = self.router.url.query_parameters
        self._user_id = _view.number({"id": last}, "id") or 0
        self.asked = _view.chosen(query, "why", ("", *(p.value for p in Permission)))
        await self._show()

    @rx.event
    @action(Permission.USERS_VIEW)
    async def show_again(self) -> None:
        """Show the person as they are now, and the same question about them."""
        await self._show()

    async def _show(self) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.person = await fetch(explain.person, user_id=self._user_id)
            found = []
            if self.person and auth_state._may(Permission.ROLES_VIEW):  # noqa: SLF001  # ours
                found = await fetch(explain.holdings, user_id=self._user_id)
        self.name = self.person.name if self.person else ""
        self.initials = initials(self.name)
        self.holdings = _lines(found)
        self.held = sum(line.held for line in self.holdings)
        if self.person:
            self.history_href = _view.href("/audit", {"q": f"record:user_info/{self.person.user_info_id}"})
        await self._explain()
        self.loading = False

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def ask(self, permission: Line) -> None:
        """Say why this person may not do something, or that they may."""
        self.asked = permission if permission in set(Permission) else ""
        await self._explain()

    async def _explain(self) -> None:
        self.answer = None
        auth_state = await self.get_state(AuthState)
        if self.person and self.asked and auth_state._may(Permission.ROLES_VIEW):  # noqa: SLF001  # ours
            with auth_state.audit_context():
                self.answer = await fetch(explain.why_not, user_id=self._user_id, permission=self.asked)


class ExplainState(rx.State):
    """Why can't they? Asked about a permission, perhaps about one record, by a part of a name."""

    loading: bool = True
    q: str = ""
    permission: str = ""
    label: str = ""
    subject: str = ""
    subject_href: str = ""
    answers: list[Answer] = []
    most: int = explain.MOST_ANSWERS

    _supplier_id: int = 0
    _invoice_id: int = 0

    def _address(self) -> dict[str, str]:
        about = {"supplier": str(self._supplier_id or ""), "invoice": str(self._invoice_id or "")}
        return {"can": self.permission, **about, "q": self.q}

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def load(self) -> None:
        """Answer what the address asks."""
        query = self.router.url.query_parameters
        self.permission = _view.chosen(
            query, "can", (Permission.SUPPLIERS_APPROVE.value, *(p.value for p in Permission))
        )
        self.label = Permission(self.permission).label
        self.q = query.get("q", "")[:100]
        self._supplier_id = _view.number(query, "supplier") or 0
        self._invoice_id = _view.number(query, "invoice") or 0
        self.subject, self.subject_href = "", ""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            about = await self._about()
            self.answers = await fetch(explain.why_nobody, permission=self.permission, search=self.q, **about)
        self.loading = False

    async def _about(self) -> dict[str, int]:
        """Name the record that the address asks about, if there is one."""
        if self._invoice_id:
            self.subject = await fetch(explain.invoice_name, invoice_id=self._invoice_id)
            self.subject_href = f"/invoices/{self._invoice_id}"
            return {"invoice_id": self._invoice_id} if self.subject else {}
        if self._supplier_id:
            self.subject = await fetch(explain.subject_name, supplier_id=self._supplier_id)
            self.subject_href = f"/suppliers/approvals?id={self._supplier_id}"
            return {"supplier_id": self._supplier_id} if self.subject else {}
        return {}

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def search(self, text: Line) -> rx.event.EventSpec:
        """Ask about other people."""
        return rx.redirect(_view.href(PATH, self._address(), q=text), replace=True)

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def choose(self, permission: Line) -> rx.event.EventSpec:
        """Ask about another permission; the record stays only where it has to do with it."""
        changed = {"can": permission}
        if permission != Permission.SUPPLIERS_APPROVE:
            changed["supplier"] = ""
        if permission != Permission.PAYMENTS_PROCESS:
            changed["invoice"] = ""
        return rx.redirect(_view.href(PATH, self._address(), **changed), replace=True)


def _lines(found: list[explain.Holding]) -> list[HoldingLine]:
    lines, seen = [], ""
    for one in found:
        heading = one.category if one.category != seen else ""
        seen = one.category
        sources = [
            SourceLine(s.text, f"/admin/roles/{s.role_id}" if s.role_id else f"{PEOPLE}/{s.authority_id}")
            for s in one.sources
        ]
        lines.append(HoldingLine(one.permission, one.label, heading, bool(sources), sources))
    return lines
