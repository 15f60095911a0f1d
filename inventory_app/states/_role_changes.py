"""What is done with a role as a whole, and the dialogs that ask for it."""

from typing import Annotated, Any, Literal

import reflex as rx
from pydantic import Field

from inventory_app.operations import roles
from inventory_app.permissions import Permission
from inventory_app.states._action import FormState, Id, Line, Name, Payload, action
from inventory_app.states._role_rows import PATH, Column
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import in_transaction

#: What is said besides where something has to wait.
_WAITS = ". What it no longer shall ask for waits for somebody else's agreement"
#: The version of a role as a browser sends it.
Version = Annotated[int, Field(ge=1, lt=2**31)]


class RoleForm(Payload):
    """What a role is called and what it asks for; `role_id` is the one to edit or to copy."""

    role_id: int = 0
    version: int = 0
    name: Name
    description: Line = ""
    needs_factor: bool = False
    grant_needs_approval: bool = False
    reason: Line = ""


class RoleChanges(FormState, rx.State, mixin=True):
    """Making, copying, editing, switching and deleting a role; the State it becomes part of knows the roles."""

    dialog: str = ""
    #: What the dialog is about.
    asked: Column | None = None

    def _column(self, role_id: int) -> Column | None:
        raise NotImplementedError

    def _forget_draft(self) -> None:
        raise NotImplementedError

    def _done(self, message: str) -> list[Any]:
        raise NotImplementedError

    def _ask(self, dialog: str, role_id: int) -> None:
        asked = self._column(role_id) if role_id else None
        if asked is None and role_id:
            return
        self._new_form()
        self.asked, self.dialog = asked, dialog

    @rx.event
    @action(roles.create_role)
    async def open_create(self) -> None:
        """Ask for a new role."""
        self._ask("create", 0)

    @rx.event
    @action(roles.clone_role)
    async def open_clone(self, role_id: Id) -> None:
        """Ask what a copy of a role shall be called."""
        self._ask("clone", role_id)

    @rx.event
    @action(roles.edit_role)
    async def open_edit(self, role_id: Id) -> None:
        """Ask what a role shall be called, and what it asks for."""
        self._ask("edit", role_id)

    @rx.event
    @action(roles.deactivate_role)
    async def open_deactivate(self, role_id: Id) -> None:
        """Ask once before a role stops to count."""
        self._ask("deactivate", role_id)

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(roles.create_role)
    async def create_role(self, form: RoleForm) -> Any:
        """Make a role, empty at first."""
        given = {name: value for name, value in form.arguments().items() if name not in ("role_id", "version")}
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            saved = await in_transaction(roles.create_role, **given)
        return [
            *self._done(f"Made the role {saved.name}; choose what it may do"),
            rx.redirect(f"{PATH}/{saved.role_id}"),
        ]

    @rx.event
    @action(roles.clone_role)
    async def clone_role(self, form: RoleForm) -> Any:
        """Make a role that may do what another one may."""
        given = form.arguments()
        wanted = {name: value for name, value in given.items() if name != "version"}
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            saved = await in_transaction(roles.clone_role, **wanted)
        return [*self._done(f"Made the role {saved.name}"), rx.redirect(f"{PATH}/{saved.role_id}")]

    @rx.event
    @action(roles.edit_role)
    async def edit_role(self, form: RoleForm) -> Any:
        """Change what a role is called, and what it asks for."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            saved = await in_transaction(roles.edit_role, **form.arguments())
        return self._done(f"Saved {saved.name}{_WAITS if saved.waits else ''}")

    @rx.event
    @action(roles.deactivate_role)
    async def deactivate_role(self, role_id: Id, version: Version, idempotency_key: Line = "") -> Any:
        """Take what a role contains from everybody who holds it, at once."""
        return await self._set_active("deactivate_role", role_id, version, idempotency_key)

    @rx.event
    @action(roles.activate_role)
    async def activate_role(self, role_id: Id, version: Version, idempotency_key: Line = "") -> Any:
        """Let a role count again."""
        return await self._set_active("activate_role", role_id, version, idempotency_key)

    @rx.event
    @action(roles.delete_role)
    async def open_delete(self, role_id: Id) -> None:
        """Ask once before a role is deleted."""
        self._ask("delete", role_id)

    @rx.event
    @action(roles.delete_role)
    async def delete_role(self, role_id: Id, version: Version, idempotency_key: Line = "") -> Any:
        """Delete a role that was never given to anybody."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(
                roles.delete_role, role_id=role_id, version=version, idempotency_key=idempotency_key or None
            )
        self._forget_draft()
        return [*self._done(f"Deleted {name}"), rx.redirect(PATH)]

    async def _set_active(
        self, which: Literal["activate_role", "deactivate_role"], role_id: int, version: int, key: str
    ) -> Any:
        operation = roles.activate_role if which == "activate_role" else roles.deactivate_role
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            saved = await in_transaction(operation, role_id=role_id, version=version, idempotency_key=key or None)
        if saved.waits:
            return self._done(f"{saved.name} counts again once somebody else has agreed")
        done = "counts again" if which == "activate_role" else "counts for nothing now"
        return self._done(f"{saved.name} {done}")
