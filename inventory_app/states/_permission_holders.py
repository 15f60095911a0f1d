"""Who has a permission, and through what: the dialog over the matrix of roles."""

from dataclasses import dataclass

import reflex as rx

from inventory_app.operations import explain
from inventory_app.operations.roles import HolderRow
from inventory_app.permissions import Permission
from inventory_app.states._action import Line, action
from inventory_app.states.auth import AuthState, initials
from inventory_app.unit_of_work import fetch


@dataclass(frozen=True)
class HolderLine:
    """Somebody who holds a role, or a permission."""

    user_id: int
    initials: str
    name: str
    username: str
    enabled: bool
    href: str
    note: str


class PermissionHolders(rx.State, mixin=True):
    """Everybody who has the permission that is asked about, a page at a time."""

    dialog: str = ""
    asked_permission: str = ""
    asked_label: str = ""
    asked_count: int = 0
    having: list[HolderLine] = []
    having_after: str = ""

    def _label(self, permission: str) -> str:
        """Return what a permission is called; empty when there is none of this name."""
        raise NotImplementedError

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def open_holders(self, permission: Line) -> None:
        """Show everybody who has a permission, and through what."""
        label = self._label(permission)
        if not label:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.asked_count = await fetch(explain.count_who_has, permission=permission)
        self.asked_permission, self.asked_label, self.having, self.having_after = permission, label, [], ""
        await self._more_holders()
        self.dialog = "holders"

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def show_more_holders(self) -> None:
        """Show the next of those who have the permission."""
        if self.having_after:
            await self._more_holders()

    async def _more_holders(self) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            page = await fetch(explain.who_has, permission=self.asked_permission, cursor=self.having_after)
        self.having = [
            *self.having,
            *(
                HolderLine(
                    row.user_id, initials(row.name), row.name, row.username, row.enabled,
                    f"/admin/users/{row.user_id}", row.through,
                )
                for row in page.rows
            ),
        ]  # fmt: skip
        self.having_after = page.after


def holder_line(row: HolderRow) -> HolderLine:
    """Return somebody who holds a role, with the others they hold."""
    also = f"also {', '.join(row.others)}" if row.others else ""
    href = f"/admin/users/{row.user_id}"
    return HolderLine(row.user_id, initials(row.name), row.name, row.username, row.enabled, href, also)
