"""Second factors of a person: setting up, naming, removing, recovery codes, and the reset by somebody else."""

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app import sealing, totp
from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, FreshProofRequired, Invalid, NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.models.access import FactorKind, RecoveryCode, SecondFactor, SecondFactorUse
from inventory_app.models.users import AuthSession, LocalUser, UserInfo
from inventory_app.operations._fields import Fields
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._session_life import (
    factors_of,
    has_factor,
    must_be_fresh,
    own_session,
    renew,
    revoke_sessions,
)
from inventory_app.operations.proving import SEED, codes_left, count_use, hash_code, seed_of
from inventory_app.operations.users import held_permissions, may_use, why_not
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

RECOVERY_CODES = 10
_CODE_BYTES = 10
MOST_FACTORS = 10

_APP = "Authenticator app"
_LAST = "Your role needs a second factor and this is your last one. Set up another one first."
_WEAK = "Confirm with your second factor, then do it again."


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A second factor as its owner sees it; `why_not` says why it cannot be removed."""

    id: int
    kind: str
    name: str
    created: str
    last_used: str
    unreadable: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class MyFactors:
    """Everything about how a person proves who they are."""

    factors: list[FactorRow]
    codes_left: int
    role_needs_one: bool
    strong: bool


@dataclass(frozen=True, slots=True)
class NewApp:
    """An authenticator app that is being set up: shown once, never again."""

    factor_id: int
    secret: str
    qr: str
    width: int


@query(without_factor=True)
def my_factors(session: Session) -> MyFactors:
    """Return one's own second factors."""
    viewer = current_viewer(session)
    user_id = viewer.user_id or 0
    needed = bool(session.scalar(sa.select(sa.func.audit_needs_factor(user_id))))
    found = session.execute(
        factors_of(user_id)
        .add_columns(col(SecondFactorUse.used_at))
        .outerjoin(SecondFactorUse, col(SecondFactorUse.factor_id) == col(SecondFactor.id))
        .order_by(col(SecondFactor.id))
    ).all()
    why_not_remove = _LAST if needed and len(found) == 1 else ""
    rows = [
        FactorRow(
            id=factor.id or 0,
            kind=factor.kind,
            name=factor.name,
            created=factor.created_at.isoformat(),
            last_used=used.isoformat() if used else "",
            unreadable=factor.kind == FactorKind.TOTP and not seed_of(factor),
            why_not=why_not_remove,
        )
        for factor, used in found
    ]
    strong = session.scalar(sa.select(col(AuthSession.strong)).where(col(AuthSession.id) == viewer.session_id))
    return MyFactors(rows, codes_left(session, user_id), needed, bool(strong))


@query(without_factor=True)
def passkeys_of_mine(session: Session) -> list[str]:
    """Return the ids of one's own passkeys, for the browser to find them."""
    mine = factors_of(current_viewer(session).user_id)
    return [factor.credential_id or "" for factor in session.scalars(mine) if factor.kind == FactorKind.PASSKEY]


@query(without_factor=True)
def registering(session: Session) -> list[str]:
    """Return the passkeys one has already, if one may make another now.

    Said before the browser asks for a finger: `register_passkey` decides again.
    """
    mine = _fresh_session(session)
    found = session.scalars(factors_of(mine.user_id))
    return [factor.credential_id or "" for factor in found if factor.kind == FactorKind.PASSKEY]


def _fresh_session(session: Session) -> AuthSession:
    """Return the viewer's session if it may change factors, as `fresh=True` and `_owner` decide it for operations."""
    mine = session.get_one(AuthSession, current_viewer(session).session_id)
    must_be_fresh(mine)
    if not mine.strong and has_factor(session, mine.user_id):
        raise FreshProofRequired(_WEAK)
    return mine


@operation(without_factor=True, fresh=True)
def begin_totp(session: Session) -> NewApp:
    """Make the secret of a new authenticator app; it opens nothing until a code from it was right."""
    mine = _owner(session)
    user = session.get_one(LocalUser, mine.user_id)
    session.execute(
        sa.update(SecondFactor)
        .where(
            col(SecondFactor.user_id) == mine.user_id,
            col(SecondFactor.confirmed_at).is_(None),
            col(SecondFactor.removed_at).is_(None),
        )
        .values(removed_at=now())
    )
    seed = totp.new_seed()
    factor = SecondFactor(user_id=mine.user_id, kind=FactorKind.TOTP, name=_APP, sealed_seed=sealing.seal(SEED, seed))
    session.add(factor)
    session.flush()
    return _shown(factor, seed, user.username)


def _shown(factor: SecondFactor, seed: str, username: str) -> NewApp:
    path, width = totp.qr_path(totp.uri(seed, username=username, company=get_settings().company))
    return NewApp(factor.id or 0, totp.spread(seed), path, width)


@query(without_factor=True)
def unfinished_app(session: Session) -> NewApp | None:
    """Return the authenticator app one is just setting up, to show it again after a mistyped code."""
    mine = _fresh_session(session)
    found = session.exec(
        select(SecondFactor, LocalUser.username)
        .join(LocalUser, col(LocalUser.id) == col(SecondFactor.user_id))
        .where(
            SecondFactor.user_id == mine.user_id,
            col(SecondFactor.confirmed_at).is_(None),
            col(SecondFactor.removed_at).is_(None),
            col(SecondFactor.created_at) > now() - timedelta(minutes=get_settings().fresh_minutes),
        )
        .order_by(col(SecondFactor.id).desc())
    ).first()
    if found is None or not (seed := seed_of(found[0])):
        return None
    return _shown(found[0], seed, found[1])


@operation(without_factor=True, fresh=True, log=("factor_id",))
def confirm_totp(session: Session, *, factor_id: int, name: str, code: str, token_hash: str) -> bool:
    """Take an authenticator app into use by a right code from it; the session is strong from now on."""
    mine = _owner(session)
    factor = _own_factor(session, mine, factor_id)
    if factor.confirmed_at is not None:
        message = "This app is set up already."
        raise Conflict(message)
    step = totp.matching_step(seed_of(factor), code, after=-1) if seed_of(factor) else None
    if step is None:
        raise Invalid(fields={"code": "That code is not right. Type the one your app shows now."})
    factor.name = _name(name, _APP)
    count_use(session, factor_id, step)
    return _take_into_use(session, mine, factor, token_hash, "totp")


@operation(without_factor=True, fresh=True)
def register_passkey(  # what a passkey consists of
    session: Session, *, credential_id: str, public_key: str, counter: int, name: str, token_hash: str
) -> bool:
    """Keep a passkey whose possession was just proved; the session is strong from now on."""
    mine = _owner(session)
    factor = SecondFactor(
        user_id=mine.user_id,
        kind=FactorKind.PASSKEY,
        name=_name(name, "Passkey"),
        credential_id=credential_id,
        public_key=public_key,
    )
    session.add(factor)
    session.flush()
    count_use(session, factor.id or 0, counter)
    return _take_into_use(session, mine, factor, token_hash, "passkey")


@operation(without_factor=True, log=("factor_id",))
def rename_factor(session: Session, *, factor_id: int, name: str) -> None:
    """Call one's own factor by another name."""
    factor = _own_factor(session, own_session(session), factor_id)
    factor.name = _name(name, factor.name)


@operation(fresh=True, log=("factor_id",), everybody=True)
def remove_factor(session: Session, *, factor_id: int) -> str:
    """Remove one's own factor, but not the last one while a role needs it; returns its name."""
    mine = _owner(session)
    factor = _own_factor(session, mine, factor_id)
    factor.removed_at = now()
    session.flush()
    if not has_factor(session, mine.user_id):
        if session.scalar(sa.select(sa.func.audit_needs_factor(mine.user_id))):
            raise NotAllowed(_LAST)
        _without_factors(session, mine.user_id)
    return factor.name


@operation(fresh=True, everybody=True)
def new_recovery_codes(session: Session) -> list[str]:
    """Make ten recovery codes, shown once; those made before work no more."""
    mine = _owner(session)
    if not has_factor(session, mine.user_id):
        message = "Set up an authenticator app or a passkey first."
        raise Conflict(message)
    _revoke_codes(session, mine.user_id)
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=mine.user_id, code_hash=hash_code(code)) for code in codes)
    return codes


@operation(Permission.USERS_MANAGE, fresh=True, log=("user_id",), reason="reason")
def reset_factors(session: Session, *, user_id: int, reason: str) -> str:
    """Take all second factors from somebody who has lost them, and end their sessions; returns the username."""
    if user_id == current_actor().id:
        message = "You cannot reset your own second factors: remove them on your security page."
        raise NotAllowed(message)
    fields = Fields()
    fields.text("reason", reason, required=True)
    fields.check()
    user = lock(session, LocalUser, [user_id]).get(user_id)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user_id)).first()
    if user is None or info is None:
        raise NotFound
    if forbidden := why_not(user_id, may_use(session, info), held_permissions(session)):
        raise NotAllowed(forbidden)
    if not has_factor(session, user_id):
        message = f"{user.username} has no second factor."
        raise Conflict(message)
    session.execute(
        sa.update(SecondFactor)
        .where(col(SecondFactor.user_id) == user_id, col(SecondFactor.removed_at).is_(None))
        .values(removed_at=now())
    )
    _without_factors(session, user_id)
    revoke_sessions(session, user_id)
    return user.username


def _owner(session: Session) -> AuthSession:
    """Return the acting person's session; their account is locked, so that their factors change one at a time.

    Somebody with a factor changes factors only in a session that was proved by one: a session from before, left open
    somewhere, must not add the thief's own.
    """
    mine = own_session(session)
    session.get_one(LocalUser, mine.user_id, with_for_update=True)
    if not mine.strong and has_factor(session, mine.user_id):
        raise FreshProofRequired(_WEAK)
    return mine


def _own_factor(session: Session, mine: AuthSession, factor_id: int) -> SecondFactor:
    """Return one's own factor, locked; somebody else's does not exist."""
    factor = lock(session, SecondFactor, [factor_id]).get(factor_id)
    if factor is None or factor.user_id != mine.user_id or factor.removed_at is not None:
        message = "There is no such second factor (any more). Reload the page."
        raise NotFound(message)
    return factor


def _take_into_use(session: Session, mine: AuthSession, factor: SecondFactor, token_hash: str, method: str) -> bool:
    others = session.scalar(sa.select(sa.func.count()).select_from(factors_of(mine.user_id).subquery())) or 0
    if others >= MOST_FACTORS:
        message = f"You have {MOST_FACTORS} already. Remove one first."
        raise Conflict(message)
    factor.confirmed_at = now()
    if not others:
        # What was signed in without it, anywhere, must not outlive the day it was set up.
        revoke_sessions(session, mine.user_id, but=mine.id)
    return renew(mine, token_hash, strong=True, method=method)


def _without_factors(session: Session, user_id: int) -> None:
    """Leave nothing behind that only a factor could have earned."""
    _revoke_codes(session, user_id)
    session.execute(
        sa.update(AuthSession)
        .where(col(AuthSession.user_id) == user_id, col(AuthSession.strong), col(AuthSession.revoked_at).is_(None))
        .values(strong=False)
    )


def _revoke_codes(session: Session, user_id: int) -> None:
    session.execute(
        sa.update(RecoveryCode)
        .where(
            col(RecoveryCode.user_id) == user_id,
            col(RecoveryCode.used_at).is_(None),
            col(RecoveryCode.revoked_at).is_(None),
        )
        .values(revoked_at=now())
    )


def _new_code() -> str:
    """Return 80 random bits that can be read out and typed."""
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def _name(text: str, otherwise: str) -> str:
    fields = Fields()
    name = fields.line("name", text, most=60)
    fields.check()
    return name or otherwise
