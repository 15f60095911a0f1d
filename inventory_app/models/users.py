"""People, their sessions, and the roles and permissions they hold."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import object_session
from sqlmodel import Field, Session, col, select

from inventory_app.audit.tables import audited, unaudited
from inventory_app.context import AuditScope, current_actor
from inventory_app.models._base import (
    Record,
    key,
    now,
    reference,
    says,
    sort_key_of,
    text_field,
    unique_lower,
)

log = structlog.get_logger(__name__)

#: Who holds which permission and through what, as the database decides it (`audit_holdings` in `audit/functions.sql`):
#: columns user_id (`LocalUser.id`), permission (its name), role_id or delegation_id, authority_id (whose it is).
HOLDINGS = (
    sa.func.audit_holdings()
    .table_valued(
        sa.column("user_id", sa.BigInteger),
        sa.column("permission", sa.Text),
        sa.column("role_id", sa.BigInteger),
        sa.column("delegation_id", sa.BigInteger),
        sa.column("authority_id", sa.BigInteger),
    )
    .alias("holding")
)


class LocalUser(Record, table=True):
    """An account somebody signs in with."""

    __table_args__ = (
        unique_lower("uq_local_user_username", "username", says("username", "This username is taken.")),
        {"info": audited(secret=("password_hash",))},
    )

    id: int | None = key()
    username: str = text_field()
    password_hash: str = text_field()
    enabled: bool = True
    must_change_password: bool = False
    #: When somebody first let the person in; until then the account waits.
    enabled_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)


class UserRole(Record, table=True):
    """A person (`UserInfo.id`) holds a role."""

    __table_args__ = ({"info": audited()},)

    user_id: int = Field(sa_type=sa.BigInteger, foreign_key="user_info.id", primary_key=True)
    role_id: int = Field(sa_type=sa.BigInteger, foreign_key="role.id", primary_key=True, index=True)


class RolePermission(Record, table=True):
    """A role contains a permission."""

    __table_args__ = ({"info": audited()},)

    role_id: int = Field(sa_type=sa.BigInteger, foreign_key="role.id", primary_key=True)
    permission_id: int = Field(sa_type=sa.BigInteger, foreign_key="permission.id", primary_key=True, index=True)


class Permission(Record, table=True):
    """A permission of `inventory_app.permissions`, mirrored so that roles can point to it."""

    __table_args__ = (
        sa.UniqueConstraint("name", name="uq_permission_name"),
        {"info": audited()},
    )

    id: int | None = key()
    name: str = text_field()


class Role(Record, table=True):
    """A named set of permissions."""

    __table_args__ = (
        unique_lower("uq_role_name", "name", says("name", "A role of this name exists.")),
        {"info": audited()},
    )

    id: int | None = key()
    name: str = text_field()
    description: str = text_field(default="")
    built_in: bool = False
    active: bool = True
    #: Whoever holds it must sign in with a second factor before they may do anything.
    needs_factor: bool = False
    #: Somebody else must agree before anybody gets it.
    grant_needs_approval: bool = False
    version: int = Field(default=1)

    def set_permissions(
        self,
        permission_names: Iterable[str],
        session: Session,
        auth_state: AuditScope | None = None,
    ) -> None:
        """Replace the role's permissions in one step; unknown names: error naming them, nothing changed."""
        with _scope(auth_state):
            if self.id is None:
                message = "Role must be persisted to the session"
                raise ValueError(message)
            ids = _ids_by_name(session, Permission, permission_names, "Permissions")
            _replace_links(session, RolePermission, "role_id", self.id, "permission_id", ids)
            log.debug("role_permissions_set", role_id=self.id, permissions=sorted(ids))


class UserInfo(Record, table=True):
    """The person behind an account; `user_id` is `LocalUser.id`."""

    __table_args__ = (
        unique_lower("uq_user_info_email", "email", says("email", "This e-mail address is in use.")),
        sa.UniqueConstraint("user_id", name="uq_user_info_user_id"),
        sa.Index("ix_user_info_sort", "sort_key", "id"),
        {"info": audited(personal=("email", "full_name", "sort_key"))},
    )

    id: int | None = key()
    user_id: int = reference("local_user.id", index=False)
    email: str = text_field()
    full_name: str = text_field(default="")
    sort_key: str | None = sort_key_of("full_name")
    version: int = Field(default=1)

    def get_roles(self) -> list[str]:
        """Return the names of the roles held now, from the database, never a stale collection."""
        session = object_session(self)
        if session is None or self.id is None:
            message = "UserInfo must be persisted to the session"
            raise ValueError(message)
        statement = (
            select(Role.name)
            .join(UserRole, col(UserRole.role_id) == col(Role.id))
            .where(UserRole.user_id == self.id)
            .order_by(Role.name)
        )
        return list(session.scalars(statement))

    def set_roles(
        self,
        role_names: Iterable[str],
        session: Session,
        auth_state: AuditScope | None = None,
    ) -> None:
        """Replace the person's roles in one step; unknown names: error naming them, nothing changed."""
        with _scope(auth_state):
            if self.id is None:
                message = "UserInfo must be persisted to the session"
                raise ValueError(message)
            ids = _ids_by_name(session, Role, role_names, "Roles")
            _replace_links(session, UserRole, "user_id", self.id, "role_id", ids)
            log.debug("user_roles_set", user_info_id=self.id, roles=sorted(ids))

    def get_permissions(self, session: Session) -> set[str]:
        """Return the names of every permission that an active role of this person contains: what they may pass on."""
        statement = (
            sa.select(HOLDINGS.c.permission)
            .distinct()
            .where(HOLDINGS.c.user_id == self.user_id, HOLDINGS.c.delegation_id.is_(None))
        )
        return set(session.scalars(statement))

    def has_permission(self, name: str, session: Session) -> bool:
        """Tell whether the person may use permission `name` now: through an active role, or delegated to them."""
        held = sa.select(HOLDINGS.c.permission).where(HOLDINGS.c.user_id == self.user_id, HOLDINGS.c.permission == name)
        return bool(session.scalar(sa.select(held.exists())))


class AuthSession(Record, table=True):
    """A sign-in on one device; only the SHA-256 of the cookie's token is kept, as hex."""

    __table_args__ = (
        sa.UniqueConstraint("token_hash", name="uq_auth_session_token_hash"),
        {"info": audited(secret=("token_hash",))},
    )

    id: int | None = key()
    user_id: int = reference("local_user.id")
    token_hash: str = text_field()
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime
    idle_minutes: int
    revoked_at: datetime | None = None
    client_ip: str | None = text_field(nullable=True)
    user_agent: str | None = text_field(nullable=True)
    #: What was proved at sign-in: password, totp, recovery_code, passkey, single_sign_on; joined by "+".
    method: str = text_field(default="password")
    #: Whether that was more than a password.
    strong: bool = False
    reauthenticated_at: datetime = Field(default_factory=now)
    #: The connection with a sign-in provider that it came from, and the SHA-256 of what the provider calls its session.
    identity_id: int | None = reference("external_identity.id", nullable=True)
    provider_session: str | None = text_field(nullable=True)


class SessionActivity(Record, table=True):
    """When a session was last used, touched at most once a minute."""

    __table_args__ = ({"info": unaudited("activity, not a change: touched on every visit, outside operations")},)

    session_id: int = Field(sa_type=sa.BigInteger, foreign_key="auth_session.id", primary_key=True)
    seen_at: datetime = Field(default_factory=now)


class SignInAttempt(Record, table=True):
    """A refused or accepted sign-in, counted to slow down guessing."""

    __table_args__ = (
        sa.Index("ix_sign_in_attempt_pair", "account", "address", "at"),
        sa.Index("ix_sign_in_attempt_address", "address", "at"),
        {"info": unaudited("a counter that is cleaned up; the trail holds the attempt itself")},
    )

    id: int | None = key()
    account: str = text_field()
    address: str = text_field()
    succeeded: bool
    at: datetime = Field(default_factory=now)


class Idempotency(Record, table=True):
    """The answer of an operation that was sent with a key, so that a repetition gets the same one."""

    __table_args__ = ({"info": unaudited("remembers answers; the operation it names is in the trail")},)

    actor_key: str = Field(sa_type=sa.Text, primary_key=True)
    operation: str = Field(sa_type=sa.Text, primary_key=True)
    key: str = Field(sa_type=sa.Text, primary_key=True)
    request_hash: str = text_field()
    operation_id: UUID
    result: str | None = text_field(nullable=True)
    created_at: datetime = Field(default_factory=now, sa_column_kwargs={"server_default": sa.func.now()}, index=True)


def _scope(auth_state: AuditScope | None) -> AbstractContextManager[None]:
    """Enter the caller's audit scope, or stay in the one that is in force."""
    if auth_state is not None:
        return auth_state.audit_context()
    current_actor()
    return nullcontext()


def _ids_by_name(
    session: Session, model: type[Role] | type[Permission], names: Iterable[str], what: str
) -> dict[str, int]:
    wanted = set(names)
    found: dict[str, int] = {
        name: id_
        for name, id_ in session.exec(select(model.name, col(model.id)).where(col(model.name).in_(wanted)))
        if id_ is not None
    }
    missing = wanted - found.keys()
    if missing:
        message = f"{what} not found: {', '.join(sorted(missing))}"
        raise ValueError(message)
    return found


def _replace_links(
    session: Session,
    link: type[UserRole] | type[RolePermission],
    owner_column: str,
    owner_id: int,
    other_column: str,
    ids: dict[str, int],
) -> None:
    """Make the rows of `link` for `owner_id` exactly `ids`, touching only what differs."""
    table: sa.Table = link.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper
    owner, other = table.c[owner_column], table.c[other_column]
    session.flush()
    present = set(session.scalars(sa.select(other).where(owner == owner_id)))
    wanted = set(ids.values())
    if gone := present - wanted:
        session.execute(sa.delete(table).where(owner == owner_id, other.in_(gone)))
    if added := wanted - present:
        session.execute(
            sa.insert(table),
            [{owner_column: owner_id, other_column: id_} for id_ in sorted(added)],
        )


def role_names(session: Session, user_info_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the role names of many people at once, by `UserInfo.id`."""
    names: dict[int, list[str]] = {id_: [] for id_ in user_info_ids}
    statement = (
        select(UserRole.user_id, Role.name)
        .join(Role, col(Role.id) == col(UserRole.role_id))
        .where(col(UserRole.user_id).in_(user_info_ids))
        .order_by(Role.name)
    )
    for user_info_id, name in session.exec(statement):
        names[user_info_id].append(name)
    return names
