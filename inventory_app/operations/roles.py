"""Roles: making, copying and editing them, what they contain, and whether they count.

Whoever changes what a role may do changes what many people may do at once. The rules are in `_people_rules.py`; every
operation here asks for a fresh proof, takes their advisory lock, and checks them after its flush.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock, lock_rule
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.models.users import Role
from inventory_app.operations import _people_rules as rules
from inventory_app.operations import _role_preview as previews
from inventory_app.operations import _role_safeguard_kind as safeguard_requests
from inventory_app.operations import _role_views as views
from inventory_app.operations import _safeguards as safeguards
from inventory_app.operations._fields import Fields
from inventory_app.operations._operation import operation, query
from inventory_app.operations._paging import Page
from inventory_app.operations._role_preview import Change, Effect, Preview
from inventory_app.operations._role_views import HolderRow, Matrix, PermissionLine, RoleColumn, RoleDetail
from inventory_app.operations._supplier_people import why_not_contain
from inventory_app.permissions import Permission

__all__ = [
    "Change", "Effect", "HolderRow", "Matrix", "PermissionLine", "Preview", "RoleColumn", "RoleDetail", "Saved",
    "activate_role", "change_permissions", "clone_role", "create_role", "deactivate_role", "delete_role", "edit_role",
    "preview_changes", "preview_permissions", "role_detail", "role_holders", "role_matrix", "set_permissions",
]  # fmt: skip

_NAME = re.compile(r"[^\s,+:/]+(?: [^\s,+:/]+)*")
_MOST_CHANGES = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """A role as it stands after a change."""

    role_id: int
    name: str
    version: int
    #: Something that was asked for waits for somebody else's agreement.
    waits: bool = False


@operation(Permission.ROLES_MANAGE, log=("name",), reason="reason", fresh=True)
def create_role(  # as many as a role has properties
    session: Session,
    *,
    name: str,
    description: str = "",
    permissions: list[str] | None = None,
    needs_factor: bool = False,
    grant_needs_approval: bool = False,
    reason: str = "",
) -> Saved:
    """Make a role that contains nothing its maker does not hold."""
    del reason
    lock_rule(session, ROLES_AND_PERMISSIONS)
    wanted = _known(session, permissions or [])
    return _add(session, name, description, wanted, needs_factor=needs_factor, grant=grant_needs_approval)


@operation(Permission.ROLES_MANAGE, log=("role_id", "name"), reason="reason", fresh=True)
def clone_role(
    session: Session,
    *,
    role_id: int,
    name: str,
    description: str = "",
    needs_factor: bool | None = None,
    grant_needs_approval: bool | None = None,
    reason: str = "",
) -> Saved:
    """Make a role that contains what another one does, and asks for the same where nothing else is said."""
    del reason
    lock_rule(session, ROLES_AND_PERMISSIONS)
    role = _role(session, role_id)
    wanted = views.contents_of(session, role_id)
    factor = role.needs_factor if needs_factor is None else needs_factor
    grant = role.grant_needs_approval if grant_needs_approval is None else grant_needs_approval
    return _add(session, name, description, wanted, needs_factor=factor, grant=grant)


def _add(
    session: Session, name: str, description: str, wanted: frozenset[str], *, needs_factor: bool, grant: bool
) -> Saved:
    words = _words(name, description)
    _allow(rules.why_not_pass_on(wanted, rules.held_permissions(session)))
    before = safeguards.read(session)
    role = Role(
        name=words["name"], description=words["description"], needs_factor=needs_factor, grant_needs_approval=grant
    )
    session.add(role)
    session.flush()
    role.set_permissions(wanted, session, current_actor())
    safeguards.refuse_weakening(session, before)
    return _saved(role)


@operation(Permission.ROLES_MANAGE, log=("role_id",), reason="reason", fresh=True)
def edit_role(  # as many as a role has properties
    session: Session,
    *,
    role_id: int,
    version: int,
    name: str,
    description: str = "",
    needs_factor: bool = False,
    grant_needs_approval: bool = False,
    reason: str = "",
) -> Saved:
    """Change what a role is called and what it asks of those who hold it or give it.

    What it asks for is taken off a role that somebody holds, or that keeps a permission by it, only once somebody else
    has agreed. Of `admin` nothing can be changed but whether it needs a second factor.
    """
    role = _to_edit(session, role_id, version)
    words = _words(name, description)
    _allow(rules.why_not_edit_admin(role, **words, grant_needs_approval=grant_needs_approval))
    if role.built_in and words["name"] != role.name:
        message = f"{role.name} is a built-in role and keeps its name."
        raise Invalid(fields={"name": message})
    asked = {safeguards.FACTOR: needs_factor, safeguards.AGREEMENT: grant_needs_approval}
    off = {flag: False for flag, wanted in asked.items() if getattr(role, flag) and not wanted}
    before = safeguards.read(session)
    if off:
        # What is asked of oneself is for others to take back.
        _allow(rules.why_not_extend(role, rules.own_roles(session)))
        less = before.with_role(role_id, asks=before.roles[role_id].asks - off.keys())
        waits = bool(before.weakened_by(less)) or views.is_held(session, role_id)
    else:
        waits = False
    role.name, role.description = words["name"], words["description"]
    for flag, wanted in asked.items():
        setattr(role, flag, wanted or (waits and flag in off))
    saved = _changed(session, role, before)
    if waits:
        safeguard_requests.ask(session, role, off, reason)
    return replace(saved, waits=waits)


@operation(Permission.ROLES_MANAGE, log=("role_id", "permissions"), reason="reason", fresh=True)
def set_permissions(session: Session, *, role_id: int, permissions: list[str], version: int, reason: str = "") -> Saved:
    """Make a role that was read as `version` contain exactly these permissions."""
    del reason
    role = _to_change(session, role_id, version)
    before = safeguards.read(session)
    _replace(session, role, _known(session, permissions), rules.held_permissions(session))
    return _changed(session, role, before)


@operation(Permission.ROLES_MANAGE, log=("changes",), reason="reason", fresh=True)
def change_permissions(session: Session, *, changes: list[Change], reason: str = "") -> list[Saved]:
    """Add to and take from several roles at once, each read in its version: all or nothing."""
    del reason
    if not changes or len(changes) > _MOST_CHANGES or len({change.role_id for change in changes}) < len(changes):
        message = f"Change each of 1 to {_MOST_CHANGES} roles once."
        raise Invalid(message)
    lock_rule(session, ROLES_AND_PERMISSIONS)
    locked = lock(session, Role, [change.role_id for change in changes])
    # What the person holds when they begin: the first change may take it from them.
    held = rules.held_permissions(session)
    before = safeguards.read(session)
    for change in changes:
        role = _found(locked, change.role_id)
        _check(session, role, change.version, rules.why_not_change_role, held)
        was = views.contents_of(session, change.role_id)
        _replace(session, role, was - _known(session, change.remove) | _known(session, change.add), held)
        role.version += 1
    _must_hold(session, before)
    return [_saved(_found(locked, change.role_id)) for change in changes]


@operation(Permission.ROLES_MANAGE, log=("role_id",), reason="reason", fresh=True)
def deactivate_role(session: Session, *, role_id: int, version: int, reason: str = "") -> Saved:
    """Take what a role contains from everybody who holds it, at once; it can be activated again."""
    return _set_active(session, role_id, version, reason, active=False)


@operation(Permission.ROLES_MANAGE, log=("role_id",), reason="reason", fresh=True)
def activate_role(session: Session, *, role_id: int, version: int, reason: str = "") -> Saved:
    """Let a role count again for everybody who holds it: once somebody else has agreed, where giving it needs that."""
    return _set_active(session, role_id, version, reason, active=True)


def _set_active(session: Session, role_id: int, version: int, reason: str, *, active: bool) -> Saved:
    role = _to_change(session, role_id, version)
    before = safeguards.read(session)
    if role.active == active:
        raise Stale(f"{role.name} is already {'active' if active else 'deactivated'}.")
    if active:
        _allow(rules.why_not_extend(role, rules.own_roles(session)))
        then = before.with_role(role_id, active=True)
        if safeguards.AGREEMENT in before.roles[role_id].asks and before.given_by(then):
            _allow(before.weakened_by(then))
            safeguard_requests.ask(session, role, {"active": True}, reason)
            return replace(_saved(role), waits=True)
    role.active = active
    return _changed(session, role, before)


@operation(Permission.ROLES_MANAGE, log=("role_id",), reason="reason", fresh=True)
def delete_role(session: Session, *, role_id: int, version: int, reason: str = "") -> str:
    """Delete a role that was never given to anybody; returns its name."""
    del reason
    role = _to_change(session, role_id, version)
    _allow(views.why_not_delete(session, role))
    before = safeguards.read(session)
    role.set_permissions([], session, current_actor())
    session.delete(role)
    _must_hold(session, before)
    return role.name


def _to_change(session: Session, role_id: int, version: int) -> Role:
    """Lock the rule and the role, and raise why the acting person cannot change it."""
    return _locked(session, role_id, version, rules.why_not_change_role)


def _to_edit(session: Session, role_id: int, version: int) -> Role:
    """The same for what a role is called and asks for: `admin` too may ask for something."""
    return _locked(session, role_id, version, rules.why_not_edit_role)


_WhyNot = Callable[[Role, Iterable[str], frozenset[str]], str]


def _locked(session: Session, role_id: int, version: int, why_not: _WhyNot) -> Role:
    lock_rule(session, ROLES_AND_PERMISSIONS)
    role = _role(session, role_id)
    _check(session, role, version, why_not, rules.held_permissions(session))
    return role


def _check(session: Session, role: Role, version: int, why_not: _WhyNot, held: frozenset[str]) -> None:
    _allow(why_not(role, views.contents_of(session, role.id or 0), held))
    if role.version != version:
        message = f"Somebody else changed the role {role.name} in the meantime. Look at it again."
        raise Stale(message)


def _replace(session: Session, role: Role, wanted: frozenset[str], held: frozenset[str]) -> None:
    before = views.contents_of(session, role.id or 0)
    if wanted == before:
        message = f"{role.name} already contains exactly that."
        raise Conflict(message)
    _allow(rules.why_not_pass_on(wanted ^ before, held))
    _allow(why_not_contain(role, wanted))
    if wanted - before:
        _allow(rules.why_not_extend(role, rules.own_roles(session)))
    role.set_permissions(wanted, session, current_actor())


def _changed(session: Session, role: Role, before: safeguards.Safeguards) -> Saved:
    role.version += 1
    _must_hold(session, before)
    return _saved(role)


def _must_hold(session: Session, before: safeguards.Safeguards) -> None:
    """Refuse a change that breaks what must be left after every one."""
    session.flush()
    rules.keeps_every_permission_held(session)
    safeguards.refuse_weakening(session, before)


def _saved(role: Role) -> Saved:
    return Saved(role.id or 0, role.name, role.version)


def _role(session: Session, role_id: int) -> Role:
    return _found(lock(session, Role, [role_id]), role_id)


def _found(roles: dict[int, Role], role_id: int) -> Role:
    if role_id not in roles:
        message = "There is no such role (any more). Reload the page."
        raise NotFound(message)
    return roles[role_id]


def _allow(reason: str) -> None:
    if reason:
        raise NotAllowed(reason)


def _words(name: str, description: str) -> dict[str, str]:
    fields = Fields()
    sentence = "Use words without commas, colons, slashes or plus signs."
    named = fields.line("name", name, most=40, required=True, pattern=_NAME, sentence=sentence)
    described = fields.line("description", description, most=200)
    fields.check()
    return {"name": named or "", "description": described or ""}


def _known(session: Session, names: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(names)
    found = session.scalars(sa.select(col(PermissionRow.name)).where(col(PermissionRow.name).in_(wanted)))
    if unknown := wanted - set(found):
        message = f"There is no permission {', '.join(sorted(unknown))}."
        raise Invalid(message, fields={"permissions": message})
    return wanted


@query(Permission.ROLES_VIEW)
def role_matrix(session: Session) -> Matrix:
    """Return every role with what it contains, and every permission."""
    return views.matrix(session)


@query(Permission.ROLES_VIEW)
def role_detail(session: Session, *, role_id: int) -> RoleDetail | None:
    """Return who changed a role last, how many hold it, and what waits; None when there is none."""
    found = views.detail(session, role_id)
    return replace(found, waits=safeguard_requests.waiting_for(session, role_id)) if found else None


@query(Permission.ROLES_VIEW)
def role_holders(session: Session, *, role_id: int, cursor: str = "") -> Page[HolderRow]:
    """List who holds a role, by name."""
    return views.holders(session, role_id, cursor)


@query(Permission.ROLES_VIEW)
def preview_permissions(session: Session, *, role_id: int, permissions: list[str]) -> Preview:
    """Say who would gain and who would lose what, if a role contained exactly these permissions."""
    now, wanted = views.contents_of(session, role_id), frozenset(permissions)
    change = Change(role_id, 0, sorted(wanted - now), sorted(now - wanted))
    return previews.preview(session, [change])


@query(Permission.ROLES_VIEW)
def preview_changes(session: Session, *, changes: list[Change]) -> Preview:
    """Say who would gain and who would lose what by these changes taken together, and what speaks against them."""
    return previews.preview(session, changes[:_MOST_CHANGES])
