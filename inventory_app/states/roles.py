"""Roles: the matrix and the page of one role share what is changed and not yet saved."""

from typing import Any

import reflex as rx

from inventory_app import people
from inventory_app.operations import roles
from inventory_app.operations.roles import Matrix, PermissionLine, RoleColumn
from inventory_app.permissions import Permission
from inventory_app.states import _role_rows as drawing
from inventory_app.states import _toast, _view
from inventory_app.states._action import Id, Line, Payload, action
from inventory_app.states._permission_holders import HolderLine, PermissionHolders, holder_line
from inventory_app.states._role_changes import RoleChanges, Version
from inventory_app.states._role_rows import PATH, Column, Draft, EffectCard, Row
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

ONLY = ("all", "changed", "differ")
#: More columns nobody can compare, and no browser draws quickly; others are found by name.
MOST_COLUMNS = 24

#: Role -> version and contents.
Base = dict[int, tuple[int, frozenset[str]]]


class SaveForm(Payload):
    """Why what is changed shall be saved."""

    reason: Line = ""


class RolesState(RoleChanges, PermissionHolders, rx.State):
    """The roles as the address says, the cells that are changed, and the dialog over them."""

    loading: bool = True
    #: The path that what is shown belongs to.
    shown_at: str = ""
    q: str = ""
    role_q: str = ""
    category: str = ""
    only: str = "all"
    sub: str = ""

    columns: list[Column] = []
    rows: list[Row] = []
    width: int = 0
    categories: list[tuple[str, str]] = []
    no_category_href: str = PATH
    only_hrefs: dict[str, str] = {}
    first_role: int = 0
    columns_note: str = ""
    previous_href: str = ""
    next_href: str = ""

    changed: int = 0
    effects: list[EffectCard] = []
    refused: list[str] = []
    conflicts: list[str] = []

    #: The role whose page is open.
    role: Column | None = None
    role_name: str = ""
    changed_by: str = ""
    changed_at: str = ""
    disabled_holders: int = 0
    why_not_delete: str = ""
    waits: str = ""
    holders: list[HolderLine] = []
    holders_before: str = ""
    holders_after: str = ""
    history_href: str = ""

    #: In a tuple, which Reflex hands out as it is: a proxy around each of thousands of cells takes its time.
    _loaded: tuple[Matrix, ...] = ()
    #: What is changed and not saved, and by role the version and contents it was changed from; a tuple as well.
    _unsaved: tuple[Draft, Base] = ({}, {})
    _closed: frozenset[str] = frozenset()
    _open_role: int = 0
    _may_change: bool = False

    def _address(self) -> dict[str, str]:
        only = "" if self.only == ONLY[0] else self.only
        return {"q": self.q, "role": self.role_q, "category": self.category, "show": only}

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def load(self) -> None:
        """Show the matrix, or the role that the address names; what is changed and not saved stays."""
        query = self.router.url.query_parameters
        last = self.router.url.path.rstrip("/").rpartition("/")[2]
        self._open_role = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0  # noqa: PLR2004  # fits bigint
        self.q, self.role_q = query.get("q", "")[:100], query.get("role", "")[:100]
        self.only = _view.chosen(query, "show", ONLY)
        auth_state = await self.get_state(AuthState)
        self._may_change = auth_state._may(Permission.ROLES_MANAGE)  # noqa: SLF001  # ours
        with auth_state.audit_context():
            matrix = await fetch(roles.role_matrix)
            self._loaded = (matrix,)
            if self._open_role:
                await self._load_role(query.get("at", ""))
            await self._rebase()
        names = list(dict.fromkeys(line.category for line in matrix.permissions))
        self.category = _view.chosen(query, "category", ("", *names))
        self.first_role = _view.number(query, "from") or 0
        self.categories = [(name, _view.href(PATH, self._address(), category=name)) for name in names]
        self.no_category_href = _view.href(PATH, self._address(), category="")
        self.only_hrefs = {one: _view.href(PATH, self._address(), show="" if one == ONLY[0] else one) for one in ONLY}
        self.sub = f"{len(matrix.roles)} roles, {len(matrix.permissions)} permissions, "
        self.sub += f"{drawing.people(matrix.people)} who can sign in"
        if not self.idempotency_key:
            self._new_form()
        self._draw()
        self.shown_at = self.router.url.path.rstrip("/")
        self.loading = False

    async def _load_role(self, cursor: str) -> None:
        role_id = self._open_role
        found = await fetch(roles.role_detail, role_id=role_id)
        self.holders, self.holders_before, self.holders_after = [], "", ""
        if found is None:
            return
        page = await fetch(roles.role_holders, role_id=role_id, cursor=cursor)
        self.changed_by, self.changed_at = found.changed_by, found.changed_at
        self.disabled_holders, self.why_not_delete = found.disabled_holders, found.why_not_delete
        self.waits = found.waits
        self.holders = [holder_line(row) for row in page.rows]
        path = f"{PATH}/{role_id}"
        self.holders_before = _view.href(path, {}, at=page.before) if page.before else ""
        self.holders_after = _view.href(path, {}, at=page.after) if page.after else ""
        self.history_href = _view.href("/audit", {"q": f"record:role/{role_id}"})

    async def _rebase(self) -> None:
        """Put what is not saved on top of what others have saved meanwhile, and say what that was."""
        now = {role.id: role for role in self._roles()}
        draft, base = dict(self._unsaved[0]), dict(self._unsaved[1])
        for role_id, (version, was) in self._unsaved[1].items():
            role = now.get(role_id)
            if role is not None and role.version == version:
                continue
            cells = draft.pop(role_id, {})
            del base[role_id]
            if role is None:
                self.conflicts.append("A role that you had changed does not exist any more.")
                continue
            found = await fetch(roles.role_detail, role_id=role_id)
            by = found.changed_by if found else ""
            self.conflicts.append(drawing.difference(role.name, by, was, role.holds))
            if kept := {name: adds for name, adds in cells.items() if adds != (name in role.holds)}:
                draft[role_id], base[role_id] = kept, (role.version, role.holds)
        self._unsaved = draft, base

    def _roles(self) -> list[RoleColumn]:
        return self._loaded[0].roles if self._loaded else []

    def _lines(self) -> list[PermissionLine]:
        return self._loaded[0].permissions if self._loaded else []

    def _shown(self) -> list[RoleColumn]:
        found = self._roles()
        if self._open_role:
            return [role for role in found if role.id == self._open_role]
        words = self.role_q.casefold().split()
        if self.only == "changed":
            found = [role for role in found if self._unsaved[0].get(role.id)]
        return [role for role in found if all(word in role.name.casefold() for word in words)]

    def _draw(self) -> None:
        """Put the matrix and what is changed into what the page shows."""
        if not self._loaded:
            return
        matching = self._shown()
        first = self.first_role if self.first_role < len(matching) else 0
        shown = matching[first : first + MOST_COLUMNS]
        view = self._address()
        more = len(matching) > MOST_COLUMNS
        self.columns_note = f"Roles {first + 1} to {first + len(shown)} of {len(matching)}" if more else ""
        before, after = max(first - MOST_COLUMNS, 0), first + MOST_COLUMNS
        self.previous_href = _view.href(PATH, view, **{"from": str(before or "")}) if first else ""
        self.next_href = _view.href(PATH, view, **{"from": str(after)}) if after < len(matching) else ""
        self.columns = drawing.columns(shown, len(self._lines()), self._unsaved[0])
        whole = bool(self._open_role)
        self.rows = drawing.rows(
            self._loaded[0],
            shown,
            self._unsaved[0],
            q="" if whole else self.q,
            category="" if whole else self.category,
            only="all" if whole else self.only,
            closed=self._closed,
            may_change=self._may_change,
        )
        self.width = 300 + 92 * len(shown)
        self.changed = drawing.count(self._unsaved[0])
        self.role = self.columns[0] if whole and self.columns else None
        self.role_name = self.role.name if self.role else ""

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def search(self, text: Line) -> Any:
        """Search permissions as one types: the address changes, and with it the matrix."""
        return rx.redirect(_view.href(PATH, self._address(), q=text), replace=True)

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def search_roles(self, text: Line) -> Any:
        """Search roles by name."""
        return rx.redirect(_view.href(PATH, self._address(), role=text), replace=True)

    @rx.event
    @action(Permission.ROLES_VIEW)
    async def fold(self, category: Line) -> None:
        """Fold a category, or unfold it."""
        self._closed = self._closed ^ {category}
        self._draw()

    @rx.event
    @action(Permission.ROLES_MANAGE)
    async def toggle(self, role_id: int, permission: Line) -> Any:
        """Change a cell; nothing is saved by that."""
        role = next((one for one in self._shown() if one.id == role_id), None)
        lines = self._lines()
        line = next((one for one in lines if one.name == permission), None)
        if role is None or line is None:
            # A press beside the cells.
            return None
        draft, base = dict(self._unsaved[0]), dict(self._unsaved[1])
        cells = dict(draft.get(role_id, {}))
        adds = permission not in role.holds
        if reason := drawing.why_not_toggle(role, line, adds=adds):
            return _toast.warning(reason)
        if permission in cells:
            del cells[permission]
        else:
            cells[permission] = adds
        draft[role_id] = cells
        base.setdefault(role_id, (role.version, role.holds))
        if not cells:
            del draft[role_id], base[role_id]
        self._unsaved = draft, base
        self._draw()
        return RolesState.preview

    @rx.event
    @action(Permission.ROLES_MANAGE)
    async def preview(self) -> None:
        """Say who would gain and who would lose what; after the cell, so that the cell does not wait."""
        self.effects, self.refused = [], []
        if wanted := self._changes():
            auth_state = await self.get_state(AuthState)
            with auth_state.audit_context():
                seen = await fetch(roles.preview_changes, changes=wanted)
            self.effects = [drawing.effect_card(effect) for effect in seen.effects]
            self.refused = seen.refused

    def _changes(self) -> list[roles.Change]:
        draft, base = self._unsaved
        return drawing.changes(draft, {role_id: version for role_id, (version, _) in base.items()})

    @rx.event
    @action(Permission.ROLES_MANAGE)
    async def save(self, form: SaveForm) -> Any:
        """Save every cell that is changed: all or nothing."""
        wanted = self._changes()
        given = form.arguments()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            saved = await in_transaction(roles.change_permissions, changes=wanted, **given)
        number = drawing.count(self._unsaved[0])
        self._forget_draft()
        return self._done(f"Saved {number} change{'s' if number > 1 else ''} to {_and([one.name for one in saved])}")

    @rx.event
    @action(Permission.ROLES_MANAGE)
    async def discard(self) -> None:
        """Forget what is not saved."""
        self._forget_draft()
        self._draw()

    def _forget_draft(self) -> None:
        self._unsaved = {}, {}
        self.effects, self.refused, self.conflicts = [], [], []
        self.changed = 0

    @rx.event
    @action(roles.set_permissions)
    async def set_permissions(self, role_id: Id, permissions: list[Line], version: Version, reason: Line = "") -> Any:
        """Make a role contain exactly these permissions."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            saved = await in_transaction(
                roles.set_permissions, role_id=role_id, permissions=permissions, version=version, reason=reason
            )
        return self._done(f"Saved what {saved.name} may do")

    def _label(self, permission: str) -> str:
        return next((line.label for line in self._lines() if line.name == permission), "")

    def _column(self, role_id: int) -> Column | None:
        found = [role for role in self._roles() if role.id == role_id]
        return next(iter(drawing.columns(found, len(self._lines()), self._unsaved[0])), None)

    def _done(self, message: str) -> list[Any]:
        """Show the roles as they are now; what everybody may do is asked from the database again."""
        people.forget_everybody()
        self._new_form()
        self.dialog = ""
        return [AuthState.guard_page, RolesState.load, _toast.success(message)]


def _and(names: list[str]) -> str:
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])
