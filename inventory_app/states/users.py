"""People: who may sign in and what they may do; the seed's `UserMgmtState`."""

from typing import Any, ClassVar

import reflex as rx

from inventory_app import people
from inventory_app.operations import accounts, approvals, proving, suppliers, users
from inventory_app.operations._lists import Listing, View
from inventory_app.operations._people_list import LIST
from inventory_app.permissions import Permission
from inventory_app.states import _live, _toast, _view
from inventory_app.states._action import Id, Line, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._people_rows import EraseForm, Person, RoleBox, RolesForm, box_of, person_of
from inventory_app.states.auth import AuthState
from inventory_app.states.explain import PEOPLE, PersonState
from inventory_app.states.sessions import PersonSessionsState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = PEOPLE


class UserMgmtState(ListState, rx.State):
    """The list of people as its address says, and the dialog about one of them."""

    columns: list[str] = LIST.everybodys()
    rows: list[Person] = []
    #: Who changed which row while this page was open, by `LocalUser.id`.
    changed: dict[int, str] = {}

    everybody: int = 0
    active: int = 0
    invited: int = 0
    waiting: int = 0
    disabled: int = 0

    dialog: str = ""
    person: Person | None = None
    boxes: list[RoleBox] = []

    #: The person of a page about one of them.
    one: Person | None = None

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.USERS_VIEW)
    async def load(self) -> None:
        """Show the people that the address asks for."""
        await self._show()
        self.changed = {}
        _live.watch(self, "person", UserMgmtState.changed_elsewhere)

    async def _show(self) -> None:
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(users.list_users, view=view)
        self.rows = [person_of(row) for row in found.page.rows]
        counts = found.counts
        self.everybody, self.active, self.invited = counts.everybody, counts.active, counts.invited
        self.waiting, self.disabled = counts.waiting, counts.disabled
        listed = Listed(found.view, found.page, found.count, counts.everybody)
        await self._show_list(
            listed, (row.id for row in found.page.rows), {"role": [(role, role) for role in found.roles]}
        )
        if not self.idempotency_key:
            self._new_form()

    async def _matching(self, view: View, most: int) -> list[int]:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            return await fetch(users.matching_users, view=view, most=most)

    @rx.event
    @action(Permission.USERS_VIEW)
    async def changed_elsewhere(self) -> None:
        """Show the list anew and mark what somebody else has changed; an open dialog stays as it is."""
        if changed := _live.changed(self):
            await self._show()
            self.changed = {id_: who for id_, who in (self.changed | changed).items() if id_ in self.present}

    @rx.event
    @action(Permission.USERS_VIEW)
    async def load_one(self) -> Any:
        """Show what can be done with the person that the address of their page names."""
        user_id = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id") or 0
        # Before it is read, so that nothing is missed that follows.
        _live.watch(self, "person", UserMgmtState.one_changed_elsewhere)
        self.changed = {}
        self.one = await self._read(user_id)
        if not self.idempotency_key:
            self._new_form()
        return await self._sessions()

    @rx.event
    @action(Permission.USERS_VIEW)
    async def one_changed_elsewhere(self) -> Any:
        """Show the page about a person anew and say who has changed them; what is being entered stays as it is."""
        changed = _live.changed(self)
        if self.one is None or self.one.id not in changed:
            return None
        self.changed = {self.one.id: changed[self.one.id]}
        self.one = await self._read(self.one.id)
        return [PersonState.show_again, await self._sessions()]

    async def _sessions(self) -> Any:
        auth_state = await self.get_state(AuthState)
        if self.one and auth_state._may(Permission.USERS_MANAGE):  # noqa: SLF001  # ours
            return PersonSessionsState.load_person(self.one.id)
        return None

    async def _read(self, user_id: int) -> Person | None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            row = await fetch(users.one_user, user_id=user_id)
        return person_of(row) if row else None

    @rx.event
    @action(users.set_user_roles)
    async def open_roles(self, user_id: Id) -> None:
        """Ask which roles the person shall have."""
        person = self._row(user_id)
        if person is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            # Refused here rather than after the boxes have been ticked.
            await fetch(proving.proved_lately)
            roles = await fetch(users.roles_to_give)
        self.boxes = [box_of(role, held=role.name in person.roles) for role in roles]
        self._open("roles", person)

    @rx.event
    @action(users.deactivate_user)
    async def open_disable(self, user_id: Id) -> None:
        """Ask once before a person is shut out."""
        person = self._row(user_id)
        if person is not None:
            self._open("disable", person)

    @rx.event
    @action(users.erase_personal_data)
    async def open_erase(self, user_id: Id) -> None:
        """Ask why before a person's data is erased for good."""
        person = self._row(user_id)
        if person is not None:
            self._open("erase", person)

    def _open(self, dialog: str, person: Person) -> None:
        self._new_form()
        self.person, self.dialog = person, dialog

    @rx.event
    @action(Permission.USERS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(users.change_user_role)
    async def change_user_role(self, user_id: Id, role_name: Line) -> Any:
        """Make `role_name` the person's only role; `user_id` is `LocalUser.id`."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(users.change_user_role, user_id=user_id, role_name=role_name)
            waiting = await fetch(approvals.roles_waiting, user_id=user_id)
        return self._done(_roles_now(self._name(user_id), [role_name], waiting))

    @rx.event
    @action(users.set_user_roles)
    async def set_roles(self, form: RolesForm) -> Any:
        """Give a person the ticked roles and no others."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(users.set_user_roles, **form.arguments())
            waiting = await fetch(approvals.roles_waiting, user_id=form.user_id)
        return self._done(_roles_now(self._name(form.user_id), form.roles, waiting))

    @rx.event
    @action(users.deactivate_user)
    async def deactivate_user(self, user_id: Id, idempotency_key: Line = "") -> Any:
        """Shut a person out: every session ends at once."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(users.deactivate_user, user_id=user_id, idempotency_key=idempotency_key or None)
        return self._done(f"Disabled {self._name(user_id)}; all their sessions have ended")

    @rx.event
    @action(users.enable_user)
    async def enable_user(self, user_id: Id, idempotency_key: Line = "") -> Any:
        """Let a person in: one who registered, or one who was disabled."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(users.enable_user, user_id=user_id, idempotency_key=idempotency_key or None)
        return self._done(f"Let {self._name(user_id)} in")

    @rx.event
    @action(users.erase_personal_data)
    async def erase_personal_data(self, form: EraseForm) -> Any:
        """Erase a disabled person's name and e-mail, from the trail too."""
        row = self._row(form.user_id)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            number = await in_transaction(users.erase_personal_data, **form.arguments())
        whose = row.username if row else "the person"
        return self._done(f"Erased the personal data of {whose}: {number} values of the trail")

    @rx.event
    @action(suppliers.approve_supplier)
    async def approve_supplier(self, supplier_id: Id) -> Any:
        """Approve a waiting supplier; the dashboard's own handler also takes a reason."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(suppliers.approve_supplier, supplier_id=supplier_id)
        return _toast.success(suppliers.said(done))

    @rx.event
    @action(accounts.update_user_email)
    async def update_user_email(self, user_id: Id, new_email: Line) -> Any:
        """Change the e-mail address of somebody else."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            before = await in_transaction(accounts.update_user_email, user_id=user_id, new_email=new_email)
        return self._done(f"The address of {self._name(user_id)} was {before}; it is changed")

    def _row(self, user_id: int) -> Person | None:
        return next((row for row in [*self.rows, self.one] if row and row.id == user_id), None)

    def _name(self, user_id: int) -> str:
        row = self._row(user_id)
        return row.name if row else "The person"

    def _done(self, message: str) -> Any:
        """Show the list as it is now; what everybody may do is asked from the database again."""
        people.forget_everybody()
        self._new_form()
        self.dialog = ""
        return [*shown_again(self), _toast.success(message)]


def _roles_now(name: str, wanted: list[str], waiting: list[str]) -> str:
    """Say which roles somebody has now, and which wait for somebody else."""
    held = [role for role in wanted if role not in waiting]
    said = f"{name} is now {' and '.join(held)}" if held else f"{name} has no role now"
    return f"{said}; {' and '.join(waiting)} waits for somebody else's agreement" if waiting else said


def shown_again(state: rx.State) -> list[Any]:
    """Return the events that show the list, or the page about one person, as it is now."""
    if state.router.url.path.rstrip("/") == PATH:
        return [AuthState.guard_page, UserMgmtState.load]
    return [AuthState.guard_page, PersonState.load, UserMgmtState.load_one]
