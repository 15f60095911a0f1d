"""Taking off what a role asks for, as a kind of request: somebody else who may change the role must agree.

The same for activating a role that nobody gets without agreement, where that gives people something anew.
"""

import json
from collections.abc import Sequence

from sqlmodel import Session, col, select

from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock, lock_rule
from inventory_app.errors import Conflict, NotAllowed
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.users import Role
from inventory_app.operations import _approvals, _role_grants
from inventory_app.operations import _people_rules as rules
from inventory_app.operations import _role_views as views
from inventory_app.operations import _safeguards as safeguards
from inventory_app.operations._approval_rules import has_expired
from inventory_app.operations._approvals import Kind, Subject
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._safeguards import AGREEMENT, FACTOR
from inventory_app.permissions import Permission

KIND = "role_safeguard"
#: What is asked for: the columns of `Role` that become the value here.
_WORDS = {FACTOR: "not need a second factor", AGREEMENT: "be given without agreement", "active": "count again"}


def ask(session: Session, role: Role, change: dict[str, bool], reason: str) -> None:
    """Ask for a change of a role as it stands in the open operation, flushed; it changes nothing by itself."""
    _approvals.request(
        session,
        kind=KIND,
        subject_id=role.id or 0,
        permission=Permission.ROLES_MANAGE,
        reason=checked_reason(reason),
        expires_at=now() + _role_grants.WAITS_FOR,
        asked=json.dumps({"version": role.version, "change": change}),
    )


def waiting_for(session: Session, role_id: int) -> str:
    """Say what waits for somebody's agreement about a role; empty when nothing does."""
    found = _approvals.open_about(session, KIND, role_id)
    if found is None or has_expired(found):
        return ""
    return f"Somebody asked that it shall {_wanted(found)}. That waits until somebody else agrees."


def _change(approval: Approval) -> dict[str, bool]:
    return json.loads(approval.asked or "{}")["change"]


def _wanted(approval: Approval) -> str:
    return " and ".join(_WORDS[name] for name in _change(approval))


def _lock(session: Session, role_id: int) -> None:
    lock_rule(session, ROLES_AND_PERMISSIONS)
    lock(session, Role, [role_id])


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    role = lock(session, Role, [approval.subject_id]).get(approval.subject_id)
    if role is None or role.version != json.loads(approval.asked or "{}")["version"]:
        raise Conflict("The role was changed after this was asked for. Reject this, and ask anew for what is needed.")
    contents = views.contents_of(session, approval.subject_id)
    refusal = rules.why_not_edit_role(role, contents, rules.held_permissions(session))
    refusal = refusal or rules.why_not_extend(role, rules.own_roles(session))
    refusal = refusal or rules.why_not_still(session, approval.requested_by, {*contents, Permission.ROLES_MANAGE})
    before = safeguards.read(session)
    if _change(approval).get("active"):
        # Agreed to is that people get it, not that it gives what other roles keep.
        refusal = refusal or before.weakened_by(before.with_role(approval.subject_id, active=True))
    if refusal:
        raise NotAllowed(refusal)
    for name, value in _change(approval).items():
        setattr(role, name, value)
    role.version += 1
    session.flush()
    rules.keeps_every_permission_held(session)


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    ids = [approval.subject_id for approval in approvals]
    roles = {role.id: role for role in session.exec(select(Role).where(col(Role.id).in_(ids)))}
    contents = views.contents(session, ids)
    found: dict[int, Subject] = {}
    for approval in approvals:
        role = roles.get(approval.subject_id)
        if role is None:
            continue
        labels = {str(permission): permission.label for permission in Permission}
        contains = ", ".join(sorted(labels.get(name, name) for name in contents[approval.subject_id])) or "nothing"
        wanted = _wanted(approval)
        found[approval.id or 0] = Subject(
            f"{role.name} shall {wanted}",
            href=f"/admin/roles/{role.id}",
            needs=Permission.ROLES_VIEW,
            details=[("Role", role.name), ("Shall", wanted), ("Contains", contains)],
            version=role.version,
        )
    return found


ROLE_SAFEGUARD = Kind(
    name=KIND,
    label="Role settings",
    permission=Permission.ROLES_MANAGE,
    describe=_describe,
    approved=_approved,
    lock=_lock,
    fresh=True,
    parts={"requested": "You asked for this, so somebody else must agree."},
)
