"""Proving who one is by more than a password: codes, recovery codes and passkeys, each good once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from inventory_app import sealing
from inventory_app.context import current_actor
from inventory_app.errors import Conflict, NotAllowed, TooManyAttempts
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity, FactorKind, RecoveryCode, SecondFactor, SecondFactorUse
from inventory_app.models.users import AuthSession, LocalUser, SignInAttempt, UserInfo
from inventory_app.operations._attempts import address_key, count_attempt, keep_pace
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._session_life import (
    admitted,
    begin_session,
    end_session_before,
    factors_of,
    has_factor,
    must_be_fresh,
    own_session,
    renew,
)
from inventory_app.operations.sessions import Credentials
from inventory_app.passwords import NO_PASSWORD
from inventory_app.settings import get_settings

#: What TOTP seeds are sealed for.
SEED = "totp seed"
#: So many wrong codes end a sign-in that has got past the password.
WRONG_PER_SIGN_IN = 5

_USED = "This code was used already. Wait for the next one."


@dataclass(frozen=True, slots=True)
class App:
    """An authenticator app, its seed unsealed; `seed` is empty when this installation cannot read it."""

    factor_id: int
    seed: str
    last_step: int


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its signatures are checked."""

    factor_id: int
    user_id: int
    credential_id: str
    public_key: str
    counter: int


@dataclass(frozen=True, slots=True)
class Factors:
    """Everything a proof of one person can be checked against."""

    apps: list[App]
    passkeys: list[Passkey]
    recovery_hashes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was checked and is still to be used up: by the operation it is for, in its transaction."""

    #: totp, recovery_code or passkey.
    method: str
    factor_id: int | None = None
    counter: int = 0
    code_hash: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose passkey it is; without one when nobody's."""

    passkey: Passkey | None
    username: str = ""


def factor_key(user_id: int) -> str:
    """Return what wrong codes are counted by; no username gives the same."""
    return f"factor:{user_id}"


def hash_code(code: str) -> str:
    """Return what is stored of a recovery code: the SHA-256 of its letters and digits, whatever stands between."""
    return hashlib.sha256("".join(c for c in code.casefold() if c.isalnum()).encode()).hexdigest()


@query(everybody=True)
def proved_lately(session: Session) -> None:
    """Raise `FreshProofRequired` where an operation that needs a fresh proof would: before a form is filled in."""
    must_be_fresh(session.get_one(AuthSession, current_viewer(session).session_id))


@query(public=True)
def factors_to_check(session: Session, *, user_id: int, since: datetime | None = None) -> Factors:
    """Return what to check a proof against; raises `TooManyAttempts` while slowed down.

    Wrong codes are counted by account and address, by account, and since `since`, when this sign-in began.
    """
    keep_pace(session, factor_key(user_id), everywhere=True)
    if since is not None:
        wrong = session.scalar(
            sa.select(sa.func.count()).where(
                col(SignInAttempt.account) == factor_key(user_id),
                col(SignInAttempt.address) == address_key(current_actor().client_ip),
                col(SignInAttempt.at) > since,
                ~col(SignInAttempt.succeeded),
            )
        )
        if (wrong or 0) >= WRONG_PER_SIGN_IN:
            message = "Too many wrong codes. Sign in again from the start."
            raise TooManyAttempts(message)
    found = session.execute(
        factors_of(user_id)
        .add_columns(col(SecondFactorUse.counter))
        .outerjoin(SecondFactorUse, col(SecondFactorUse.factor_id) == col(SecondFactor.id))
        .order_by(col(SecondFactor.id))
    ).all()
    codes = select(RecoveryCode.code_hash).where(
        RecoveryCode.user_id == user_id, col(RecoveryCode.used_at).is_(None), col(RecoveryCode.revoked_at).is_(None)
    )
    return Factors(
        apps=[App(f.id or 0, seed_of(f), used or 0) for f, used in found if f.kind == FactorKind.TOTP],
        passkeys=[_passkey(factor, used) for factor, used in found if factor.kind == FactorKind.PASSKEY],
        recovery_hashes=frozenset(session.exec(codes)),
    )


def seed_of(factor: SecondFactor) -> str:
    """Return the seed of an authenticator app; empty when it was sealed by another installation."""
    try:
        return sealing.unseal(SEED, factor.sealed_seed or "")
    except sealing.Unreadable:
        return ""


def _passkey(factor: SecondFactor, used: int | None) -> Passkey:
    return Passkey(factor.id or 0, factor.user_id, factor.credential_id or "", factor.public_key or "", used or 0)


@query(public=True)
def owner_of_passkey(session: Session, *, credential_id: str) -> Owner:
    """Return whose passkey this is; raises `TooManyAttempts` while the address is slowed down."""
    keep_pace(session, "passkey")
    found = session.execute(
        sa.select(SecondFactor, col(SecondFactorUse.counter), col(LocalUser.username))
        .outerjoin(SecondFactorUse, col(SecondFactorUse.factor_id) == col(SecondFactor.id))
        .join(LocalUser, col(LocalUser.id) == col(SecondFactor.user_id))
        .where(
            col(SecondFactor.credential_id) == credential_id,
            col(SecondFactor.confirmed_at).is_not(None),
            col(SecondFactor.removed_at).is_(None),
        )
    ).first()
    return Owner(_passkey(found[0], found[1]), found[2]) if found else Owner(None)


@dataclass(frozen=True, slots=True)
class Ways:
    """What a person can prove themselves by, besides the password."""

    app: bool
    passkey: bool
    #: Not without a password of one's own; the provider, when one is connected with it.
    password: bool = True
    single_sign_on: bool = False


@query(public=True)
def ways_of(session: Session, *, user_id: int) -> Ways:
    """Return what to ask a person for whose password was right."""
    kinds = {factor.kind for factor in session.scalars(factors_of(user_id))}
    return Ways(FactorKind.TOTP in kinds, FactorKind.PASSKEY in kinds)


@query(without_factor=True)
def my_ways(session: Session) -> Ways:
    """Return what the acting person can prove themselves by."""
    user = session.get_one(LocalUser, current_viewer(session).user_id)
    kinds = {factor.kind for factor in session.scalars(factors_of(user.id))}
    connected = sa.exists().where(
        col(ExternalIdentity.user_id) == user.id,
        col(ExternalIdentity.issuer) == get_settings().oidc_issuer,
        col(ExternalIdentity.removed_at).is_(None),
    )
    return Ways(
        app=FactorKind.TOTP in kinds,
        passkey=FactorKind.PASSKEY in kinds,
        password=user.password_hash != NO_PASSWORD,
        single_sign_on=bool(session.scalar(sa.select(connected))),
    )


@query(public=True)
def password_of(session: Session, *, user_id: int) -> Credentials:
    """Return the password's hash of an account, to see that it has not changed since it was proved."""
    user = session.get_one(LocalUser, user_id)
    return Credentials(user.id, user.password_hash, user.username, has_factor(session, user_id))


@operation(public=True, outcome="denied", log=("user_id",), reason="why")
def refuse_proof(session: Session, *, user_id: int | None, why: str) -> None:
    """Count a wrong code or passkey and put it on record: a result, so it commits."""
    del why  # the reason in the trail
    count_attempt(session, "passkey" if user_id is None else factor_key(user_id), succeeded=False)


@operation(public=True, log=("user_id",))
def sign_in_with_factor(  # noqa: PLR0913  # what was proved before, what is proved now, what begins and what ends
    session: Session,
    *,
    user_id: int,
    verified_hash: str | None,
    first: str,
    proof: Proof,
    token_hash: str,
    remember: bool,
    instead_of: str | None = None,
    identity_id: int | None = None,
    provider_session: str | None = None,
) -> int:
    """Start a session for a person who has proved `first` and now a second factor; returns the recovery codes left.

    `identity_id` is the connection that `first` was proved by, if it was one; `provider_session` as sessions keep it.
    """
    user = admitted(session, user_id, verified_hash)
    if identity_id is not None and session.get_one(ExternalIdentity, identity_id, with_for_update=True).removed_at:
        message = "This connection was taken away a moment ago. Sign in another way."
        raise Conflict(message)
    use_up(session, user_id, proof)
    method = f"{first}+{proof.method}"
    end_session_before(session, instead_of)
    begun = begin_session(session, user, method=method, strong=True, token_hash=token_hash, remember=remember)
    begun.identity_id, begun.provider_session = identity_id, provider_session
    return codes_left(session, user_id)


@operation(public=True, log=("user_id",))
def sign_in_with_passkey(
    session: Session, *, user_id: int, proof: Proof, token_hash: str, remember: bool, instead_of: str | None = None
) -> None:
    """Start a session for a person whose passkey has proved both who they are and that they are there."""
    user = admitted(session, user_id, None)
    use_up(session, user_id, proof)
    end_session_before(session, instead_of)
    begin_session(session, user, method="passkey", strong=True, token_hash=token_hash, remember=remember)


@operation(without_factor=True)
def confirm_identity(session: Session, *, verified_hash: str | None, proof: Proof | None, token_hash: str) -> bool:
    """Let one's own session go on under a new token, freshly proved; by a factor, it is strong from now on."""
    mine = own_session(session)
    admitted(session, mine.user_id, verified_hash)
    if verified_hash is None and proof is None:
        raise NotAllowed
    if proof is not None:
        use_up(session, mine.user_id, proof)
    return renew(mine, token_hash, strong=proof is not None, method=proof.method if proof else "")


def use_up(session: Session, user_id: int, proof: Proof) -> None:
    """Take a checked proof out of the world: of two who come with the same one, the second is refused."""
    if proof.method == "recovery_code":
        taken = session.execute(
            sa.update(RecoveryCode)
            .where(
                col(RecoveryCode.user_id) == user_id,
                col(RecoveryCode.code_hash) == proof.code_hash,
                col(RecoveryCode.used_at).is_(None),
                col(RecoveryCode.revoked_at).is_(None),
            )
            .values(used_at=now())
            .returning(col(RecoveryCode.id))
        ).first()
        if taken is None:
            message = "This recovery code was used already. Use another one."
            raise Conflict(message)
    else:
        mine = factors_of(user_id).where(col(SecondFactor.id) == proof.factor_id).with_for_update()
        if session.scalars(mine).first() is None:
            message = "This second factor was removed a moment ago. Use another one."
            raise Conflict(message)
        count_use(session, proof.factor_id or 0, proof.counter, zero_again=proof.method == "passkey")
    count_attempt(session, factor_key(user_id), succeeded=True)


def count_use(session: Session, factor_id: int, counter: int, *, zero_again: bool = False) -> None:
    """Move the counter of a factor forward; `zero_again`: many passkeys count nothing and always say 0."""
    statement = insert(SecondFactorUse).values(factor_id=factor_id, counter=counter, used_at=now())
    forward = col(SecondFactorUse.counter) < statement.excluded.counter
    if zero_again and counter == 0:
        forward = col(SecondFactorUse.counter) == 0
    moved = session.execute(
        statement.on_conflict_do_update(
            index_elements=["factor_id"],
            set_={"counter": statement.excluded.counter, "used_at": statement.excluded.used_at},
            where=forward,
        ).returning(col(SecondFactorUse.factor_id))
    ).first()
    if moved is None:
        raise Conflict(_USED)


def codes_left(session: Session, user_id: int) -> int:
    """Count the recovery codes of a person that still work."""
    session.flush()
    return (
        session.scalar(
            sa.select(sa.func.count()).where(
                col(RecoveryCode.user_id) == user_id,
                col(RecoveryCode.used_at).is_(None),
                col(RecoveryCode.revoked_at).is_(None),
            )
        )
        or 0
    )


@query(stale_password=True)
def about_me(session: Session) -> list[str]:
    """Return what is known of the acting person, which their password must not be made of."""
    user, info = session.exec(
        select(LocalUser, UserInfo)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(LocalUser.id == current_viewer(session).user_id)
    ).one()
    return [user.username, info.full_name, info.email]
