"""Role grants as a kind of request: what a decision about one shows, and how it takes effect.

Approving gives the roles under all the rules of granting as of then: whoever asked and whoever agrees must both hold
what is given, and may both touch the account.
"""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock, lock_rule
from inventory_app.errors import Conflict, NotAllowed
from inventory_app.models.approvals import Approval
from inventory_app.models.users import LocalUser, Role, UserInfo, role_names
from inventory_app.operations import _approval_rules as approval_rules
from inventory_app.operations import users
from inventory_app.operations._approvals import Kind, Subject
from inventory_app.operations._people_rules import may_use, why_not_still
from inventory_app.operations._role_grants import KIND, asked_roles, changed_since, give, role_ids
from inventory_app.permissions import Permission


def _lock(session: Session, user_id: int) -> None:
    lock_rule(session, ROLES_AND_PERMISSIONS)
    lock(session, LocalUser, [user_id])


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    info = _info(session, approval.subject_id, for_update=True)
    roles = asked_roles(session, approval)
    gone = len(role_ids(approval)) - len(roles)
    if gone or not all(role.active for role in roles):
        raise Conflict("A role that was asked for is no longer in use. Reject this, and ask anew for what is needed.")
    if changed_since(approval, roles):
        # Whoever agrees to a role agrees to what it was when they were asked.
        raise Conflict("A role was changed after it was asked for. Reject this, and ask anew for what is needed.")
    given = users.permissions_of_roles(session, [role.name for role in roles])
    theirs = may_use(session, info)
    held = users.held_permissions(session)
    if refusal := users.why_not_change_roles(approval.subject_id, theirs, held):
        raise NotAllowed(refusal)
    if beyond := given - held:
        raise NotAllowed(f"You cannot give what you do not hold yourself: {', '.join(sorted(beyond))}.")
    needed = given | theirs | {Permission.USERS_ASSIGN_ROLES}
    if refusal := why_not_still(session, approval.requested_by, needed):
        raise NotAllowed(refusal)
    before = info.get_roles()
    give(session, info, before, [*before, *(role.name for role in roles)], agreed=True)
    info.version += 1


def _info(session: Session, user_id: int, *, for_update: bool = False) -> UserInfo:
    statement = select(UserInfo).where(UserInfo.user_id == user_id).execution_options(populate_existing=True)
    return session.exec(statement.with_for_update() if for_update else statement).one()


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    people = [approval.subject_id for approval in approvals]
    names = approval_rules.full_names(session, people)
    infos = {info.user_id: info for info in session.exec(select(UserInfo).where(col(UserInfo.user_id).in_(people)))}
    held = role_names(session, [info.id or 0 for info in infos.values()])
    asked = {id_ for approval in approvals for id_ in role_ids(approval)}
    roles = {role.id: role.name for role in session.exec(select(Role).where(col(Role.id).in_(asked)))}
    found: dict[int, Subject] = {}
    for approval in approvals:
        info = infos[approval.subject_id]
        wanted = [roles.get(id_, "a role that was deleted") for id_ in role_ids(approval)]
        has = ", ".join(held[info.id or 0]) or "no role"
        details = [("Person", names[info.user_id]), ("Shall also be", ", ".join(wanted)), ("Is now", has)]
        title = f"{' and '.join(wanted)} for {names[info.user_id]}"
        found[approval.id or 0] = Subject(title[:1].upper() + title[1:], details=details, version=info.version)
    return found


ROLE_GRANT = Kind(
    name=KIND,
    label="Role",
    permission=Permission.USERS_ASSIGN_ROLES,
    describe=_describe,
    approved=_approved,
    lock=_lock,
    fresh=True,
    parts={
        "requested": "You asked for this role, so somebody else must agree.",
        "concerned": "This is about your own roles, so somebody else must agree.",
    },
)
