"""The roles of several people at once: shown person by person what would change, then all of it is done or nothing."""

from dataclasses import dataclass, replace
from typing import Any

import reflex as rx
from pydantic import field_validator

from inventory_app import people
from inventory_app.errors import Invalid, InvalidRows
from inventory_app.operations import approvals, bulk_roles, proving, users
from inventory_app.operations.bulk_roles import Mode, RoleChange
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Note, action
from inventory_app.states._people_rows import RoleBox, TickedRoles, box_of
from inventory_app.states.auth import AuthState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import fetch, in_transaction


class BulkForm(TickedRoles):
    """Who was looked at in which version, what is to be done with which roles, and why."""

    people: list[tuple[Id, int]]
    mode: Mode
    reason: Note = ""

    @field_validator("people", mode="before")
    @classmethod
    def _split(cls, sent: Any) -> Any:
        """Take "7:1 9:3" apart: a form carries text."""
        return [part.split(":") for part in sent.split()] if isinstance(sent, str) else sent


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What would happen to one person, in words; `fault` says what stands in the way."""

    user_id: int
    name: str
    before: str
    after: str
    changes: bool
    fault: str


class BulkRolesState(FormState, rx.State):
    """The dialog that changes the roles of the selected people, and the preview in it."""

    is_open: bool = False
    mode: str = "add"
    boxes: list[RoleBox] = []
    ticked: list[str] = []
    lines: list[ChangeLine] = []
    #: Who is shown, each in the version that was read, as the form carries it.
    people: str = ""
    changing: int = 0
    forbidden: int = 0

    _ids: tuple[int, ...] = ()

    @rx.event
    @action(bulk_roles.change_roles)
    async def open_bulk(self) -> None:
        """Ask which roles the selected people shall have."""
        auth_state = await self.get_state(AuthState)
        people_state = await self.get_state(UserMgmtState)
        with auth_state.audit_context():
            # Refused here rather than after everything has been filled in.
            await fetch(proving.proved_lately)
            roles = await fetch(users.roles_to_give)
        selected = await people_state._selected_ids(bulk_roles.MOST_PEOPLE)  # noqa: SLF001  # ours
        self.boxes = [box_of(role, held=False) for role in roles]
        self.mode, self.ticked = "add", []
        self._ids = tuple(selected)
        self._new_form()
        await self._preview()
        self.is_open = True

    @rx.event
    @action(Permission.USERS_ASSIGN_ROLES)
    async def choose_mode(self, mode: Mode) -> None:
        """Add the ticked roles, take them away, or leave nothing but them."""
        self.mode = mode
        await self._preview()

    @rx.event
    @action(Permission.USERS_ASSIGN_ROLES)
    async def tick(self, role: Line) -> None:
        """Tick a role, or let it go."""
        if role in self.ticked:
            self.ticked = [name for name in self.ticked if name != role]
        elif any(box.name == role for box in self.boxes):
            self.ticked = [*self.ticked, role]
        await self._preview()

    @rx.event
    @action(Permission.USERS_ASSIGN_ROLES)
    async def leave_out(self) -> None:
        """Leave out everybody who may not be changed."""
        out = {line.user_id for line in self.lines if line.fault}
        self._ids = tuple(id_ for id_ in self._ids if id_ not in out)
        self.errors = {}
        await self._preview()

    async def _preview(self) -> None:
        # With nothing ticked only taking every role away would mean anything.
        asks = bool(self.ticked) or self.mode == "replace"
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            mode = self.mode if asks else "replace"
            found = await fetch(bulk_roles.preview_roles, user_ids=list(self._ids), mode=mode, roles=self.ticked)
        self.people = " ".join(f"{change.user_id}:{change.version}" for change in found)
        self._show([_line(change, asks=asks) for change in found])

    def _show(self, lines: list[ChangeLine]) -> None:
        self.lines = lines
        self.changing = sum(line.changes and not line.fault for line in lines)
        self.forbidden = sum(bool(line.fault) for line in lines)

    @rx.event
    @action(Permission.USERS_ASSIGN_ROLES)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog; nothing was changed."""
        if not is_open:
            self.is_open = False

    @rx.event
    @action(bulk_roles.change_roles)
    async def apply(self, form: BulkForm) -> Any:
        """Change the roles of all these people, or of nobody."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            try:
                changed = await in_transaction(bulk_roles.change_roles, **form.arguments())
            except InvalidRows as error:
                self._put_faults(error, sorted(user_id for user_id, _ in form.people))
                raise Invalid(str(error), fields={"people": str(error)}) from error
            given = set(form.roles) if form.mode != "remove" else set()
            waiting = [await fetch(approvals.roles_waiting, user_id=id_) for id_, _ in form.people if given]
        return await self._done(changed, sum(bool(given & set(roles)) for roles in waiting))

    def _put_faults(self, error: InvalidRows, order: list[int]) -> None:
        """Say beside each person what stands in the way; the faults are numbered in the order of the ids."""
        faults = {order[row - 1]: sentence for row, _, sentence in error.rows}
        self._show([replace(line, fault=faults.get(line.user_id, "")) for line in self.lines])

    async def _done(self, changed: int, waiting: int) -> Any:
        people.forget_everybody()
        self._new_form()
        self.is_open = False
        (await self.get_state(UserMgmtState)).selected = []
        said = f"Changed the roles of {changed} {'person' if changed == 1 else 'people'}"
        if waiting:
            said += f"; for {waiting} of them a role waits for somebody else's agreement"
        return [AuthState.guard_page, UserMgmtState.load, _toast.success(said)]


def _line(change: RoleChange, *, asks: bool) -> ChangeLine:
    changes = asks and change.changes
    return ChangeLine(
        user_id=change.user_id,
        name=change.name,
        before=", ".join(change.before) or "no role",
        after=(", ".join(change.after) or "no role") if changes else "",
        changes=changes,
        fault=change.why_not if changes else "",
    )
