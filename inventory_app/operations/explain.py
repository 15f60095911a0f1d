"""Why somebody may do something, or may not: read from what decides, said in words.

Who holds what comes from `HOLDINGS`, which every decision reads; what stands in the way of a decision about one
record comes from the rule that refuses the decision itself.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import AppError, NotAllowed, NotFound
from inventory_app.models._base import sort_key
from inventory_app.models.access import SecondFactor
from inventory_app.models.approvals import Delegation
from inventory_app.models.purchasing import SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import HOLDINGS, LocalUser, Role, RolePermission, UserInfo, UserRole
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.operations import _approval_rules as approval_rules
from inventory_app.operations._chain import why_not_pay
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import Page, keyset, like_escaped
from inventory_app.operations._payment_holds import why_held
from inventory_app.operations._payment_rules import offered_account
from inventory_app.operations._people_list import ever_invited
from inventory_app.operations._supplier_rules import full_name, listed, why_not_decide
from inventory_app.permissions import Permission

#: So many people are answered for at once when one asks by a part of a name.
MOST_ANSWERS = 10


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person and the roles they hold."""

    user_id: int
    user_info_id: int
    name: str
    username: str
    email: str
    created: str
    roles: list["HeldRole"]


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role somebody holds; switched off, it counts for nothing."""

    id: int
    name: str
    active: bool
    needs_factor: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Through what somebody holds a permission: a role, or the place of somebody who is away."""

    text: str
    role_id: int = 0
    authority_id: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """A permission, and through what a person holds it; nothing: they do not."""

    permission: str
    label: str
    category: str
    sources: list[Source]


@dataclass(frozen=True, slots=True)
class HolderOf:
    """Somebody who holds a permission, and through what."""

    user_id: int
    name: str
    username: str
    enabled: bool
    through: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a person could do it now, and every reason why not, in the order in which they would be met."""

    user_id: int
    name: str
    username: str
    can: bool
    why: list[str]
    #: What is asked of whoever can, beyond the usual.
    needs: str = ""


@query(Permission.USERS_VIEW)
def person(session: Session, *, user_id: int) -> PersonRow | None:
    """Return a person with their roles; None when there is none."""
    found = session.execute(
        sa.select(LocalUser, UserInfo)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(col(LocalUser.id) == user_id)
    ).first()
    if found is None:
        return None
    user, info = found
    return PersonRow(
        user_id=user_id,
        user_info_id=info.id or 0,
        name=info.full_name or user.username,
        username=user.username,
        email=info.email,
        created=user.created_at.isoformat(),
        roles=_roles_of(session, user_id),
    )


def _roles_of(session: Session, user_id: int) -> list[HeldRole]:
    statement = (
        sa.select(col(Role.id), col(Role.name), col(Role.active), col(Role.needs_factor))
        .join(UserRole, col(UserRole.role_id) == col(Role.id))
        .join(UserInfo, col(UserInfo.id) == col(UserRole.user_id))
        .where(col(UserInfo.user_id) == user_id)
        .order_by(col(Role.name))
    )
    return [HeldRole(id_ or 0, name, active, factor) for id_, name, active, factor in session.execute(statement)]


@query(Permission.ROLES_VIEW)
def holdings(session: Session, *, user_id: int) -> list[Holding]:
    """Return every permission, and through what this person holds it."""
    giver = UserInfo.__table__.alias("giver")  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper
    statement = (
        sa.select(
            HOLDINGS.c.permission, col(Role.id), col(Role.name), HOLDINGS.c.authority_id, giver.c.full_name,
            col(Delegation.ends_at),
        )
        .outerjoin(Role, col(Role.id) == HOLDINGS.c.role_id)
        .outerjoin(Delegation, col(Delegation.id) == HOLDINGS.c.delegation_id)
        .outerjoin(giver, giver.c.user_id == HOLDINGS.c.authority_id)
        .where(HOLDINGS.c.user_id == user_id)
        .order_by(col(Role.name), giver.c.full_name)
    )  # fmt: skip
    sources: dict[str, list[Source]] = {}
    for permission, role_id, role, authority, giver_name, ends in session.execute(statement):
        source = Source(role, role_id) if role_id else Source(_delegated(giver_name, ends), 0, authority)
        sources.setdefault(permission, []).append(source)
    return [Holding(p.value, p.label, p.category, sources.get(p.value, [])) for p in Permission]


def _delegated(name: str, ends: datetime) -> str:
    return f"in the place of {name} until {ends:%-d %b %Y, %H:%M} UTC"


@query(Permission.ROLES_VIEW)
def who_has(session: Session, *, permission: str, cursor: str = "") -> Page[HolderOf]:
    """List everybody who holds a permission and through what, by name."""
    giver = UserInfo.__table__.alias("giver")  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper
    words = sa.func.coalesce(col(Role.name), sa.literal("in the place of ").concat(giver.c.full_name))
    held = (
        sa.select(HOLDINGS.c.user_id, sa.func.string_agg(sa.distinct(words), ", ").label("through"))
        .outerjoin(Role, col(Role.id) == HOLDINGS.c.role_id)
        .outerjoin(giver, giver.c.user_id == HOLDINGS.c.authority_id)
        .where(HOLDINGS.c.permission == permission)
        .group_by(HOLDINGS.c.user_id)
        .subquery()
    )
    statement = (
        sa.select(
            col(LocalUser.id), col(UserInfo.full_name), col(LocalUser.username), col(LocalUser.enabled), held.c.through
        )
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .join(held, held.c.user_id == col(LocalUser.id))
    )
    page = keyset(session, statement, [col(UserInfo.sort_key), col(UserInfo.id)], cursor=cursor)
    rows = [HolderOf(id_, name or login, login, on, through) for id_, name, login, on, through, *_ in page.rows]
    return Page(rows, page.before, page.after)


@query(Permission.ROLES_VIEW)
def count_who_has(session: Session, *, permission: str) -> int:
    """Count who holds a permission and can sign in."""
    statement = (
        sa.select(sa.func.count(sa.distinct(HOLDINGS.c.user_id)))
        .join(LocalUser, sa.and_(col(LocalUser.id) == HOLDINGS.c.user_id, col(LocalUser.enabled)))
        .where(HOLDINGS.c.permission == permission)
    )
    return session.scalar(statement) or 0


@query(Permission.ROLES_VIEW)
def why_not(
    session: Session,
    *,
    user_id: int,
    permission: str,
    supplier_id: int | None = None,
    invoice_id: int | None = None,
) -> Answer:
    """Say whether a person could do something now (to a supplier or an invoice), and if not, every reason why."""
    return _answer(session, user_id, _known(permission), _subject(session, supplier_id, invoice_id))


@query(Permission.ROLES_VIEW)
def why_nobody(
    session: Session,
    *,
    permission: str,
    supplier_id: int | None = None,
    invoice_id: int | None = None,
    search: str = "",
) -> list[Answer]:
    """Answer the same for the first people whose name holds `search`."""
    subject, asked = _subject(session, supplier_id, invoice_id), _known(permission)
    statement = sa.select(col(UserInfo.user_id)).order_by(col(UserInfo.sort_key), col(UserInfo.id)).limit(MOST_ANSWERS)
    if search.strip():
        statement = statement.join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id)).where(
            sa.or_(
                col(UserInfo.sort_key).like(f"%{like_escaped(sort_key(search))}%"),
                col(LocalUser.username).ilike(f"%{like_escaped(search.strip())}%"),
            )
        )
    return [_answer(session, user_id, asked, subject) for user_id in session.scalars(statement).all()]


@query(Permission.SUPPLIERS_VIEW)
def subject_name(session: Session, *, supplier_id: int) -> str:
    """Return what the supplier is called that one asks about; empty when there is none."""
    found = session.get(Supplier, supplier_id)
    return found.name if found else ""


@query(Permission.INVOICES_VIEW)
def invoice_name(session: Session, *, invoice_id: int) -> str:
    """Return what the invoice is called that one asks about; empty when there is none."""
    found = session.get(SupplierInvoice, invoice_id)
    return found.number if found else ""


def _known(permission: str) -> Permission:
    try:
        return Permission(permission)
    except ValueError:
        message = "There is no such permission. Choose one of the list."
        raise NotFound(message) from None


def _subject(session: Session, supplier_id: int | None, invoice_id: int | None) -> Supplier | SupplierInvoice | None:
    held = current_viewer(session).permissions
    if invoice_id is not None:
        if Permission.INVOICES_VIEW not in held:
            raise NotAllowed
        invoice = session.get(SupplierInvoice, invoice_id)
        if invoice is None:
            message = "There is no such invoice. Reload the page."
            raise NotFound(message)
        return invoice
    if supplier_id is None:
        return None
    if Permission.SUPPLIERS_VIEW not in held:
        raise NotAllowed
    found = session.get(Supplier, supplier_id)
    if found is None:
        message = "There is no such supplier. Reload the page."
        raise NotFound(message)
    return found


def _answer(
    session: Session, user_id: int, permission: Permission, subject: Supplier | SupplierInvoice | None
) -> Answer:
    user = session.get(LocalUser, user_id)
    if user is None:
        message = "There is no such person (any more). Reload the page."
        raise NotFound(message)
    name = full_name(session, user_id) or user.username
    why = [*_account(session, user, name), *_permission(session, user_id, name, permission)]
    # The rule speaks to who asks it: its own words, as they would read them.
    if isinstance(subject, Supplier) and permission == Permission.SUPPLIERS_APPROVE:
        refusal: AppError | None = why_not_decide(session, subject, user_id)
    elif isinstance(subject, SupplierInvoice) and permission == Permission.PAYMENTS_PROCESS:
        account = offered_account(session, subject.supplier_id, subject.currency, user_id)
        refusal = why_not_pay(session, [subject.id or 0], user_id, [account] if account else [])
    else:
        refusal = approval_rules.why_not_use(session, user_id, permission)
    if refusal:
        why.append(f"{name} would read: “{refusal}”")
    return Answer(user_id, name, user.username, not why, why, _needs(session, permission, subject))


def _needs(session: Session, permission: Permission, subject: Supplier | SupplierInvoice | None) -> str:
    """Say that payments of the subject's supplier are held, to whoever asks about paying."""
    if not isinstance(subject, SupplierInvoice) or permission != Permission.PAYMENTS_PROCESS:
        return ""
    held = why_held(session, session.get_one(Supplier, subject.supplier_id))
    return f"{held} It is paid with a reason only, and once somebody else has agreed." if held else ""


def _account(session: Session, user: LocalUser, name: str) -> list[str]:
    """Say what stops the person at the door, whatever they want to do."""
    found = []
    if not user.enabled:
        found.append(f"The account of {name} {_why_shut(session, user)}.")
    if user.must_change_password:
        found.append(f"{name} must choose a password of their own first.")
    has_factor = sa.exists().where(
        col(SecondFactor.user_id) == user.id,
        col(SecondFactor.confirmed_at).is_not(None),
        col(SecondFactor.removed_at).is_(None),
    )
    if session.scalar(sa.select(sa.and_(sa.func.audit_needs_factor(user.id), ~has_factor))):
        found.append(f"A role of {name} needs a second factor, and {name} has not set one up.")
    return found


def _why_shut(session: Session, user: LocalUser) -> str:
    if user.enabled_at is not None:
        return "is disabled"
    if session.scalar(sa.select(col(LocalUser.id)).where(col(LocalUser.id) == user.id, ever_invited())):
        return "was made by an invitation, and they have not come yet"
    return "waits for somebody to let them in"


def _permission(session: Session, user_id: int, name: str, permission: Permission) -> list[str]:
    """Say that the person does not hold the permission, and what there is instead."""
    held = sa.exists().where(HOLDINGS.c.user_id == user_id, HOLDINGS.c.permission == permission.value)
    if session.scalar(sa.select(held)):
        return []
    statement = (
        sa.select(
            col(Role.name),
            col(Role.active),
            sa.exists()
            .where(col(UserRole.role_id) == col(Role.id), col(UserRole.user_id) == col(UserInfo.id))
            .where(col(UserInfo.user_id) == user_id),
        )
        .join(RolePermission, col(RolePermission.role_id) == col(Role.id))
        .join(PermissionRow, col(PermissionRow.id) == col(RolePermission.permission_id))
        .where(col(PermissionRow.name) == permission.value)
        .order_by(col(Role.id))
    )
    rows = session.execute(statement).all()
    off = [role for role, active, mine in rows if mine and not active]
    others = [role for role, active, _ in rows if active]
    said = f"{name} does not hold the permission “{permission.label}” ({permission})"
    if off:
        return [f"{said}: their role {listed(off)} contains it, but is deactivated."]
    return [f"{said}. It comes with the role {' or '.join(others)}." if others else f"{said}. No active role has it."]
