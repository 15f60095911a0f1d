"""How often somebody tries: failures are counted by account and by address, and whoever fails much has to wait."""

import hashlib
import ipaddress
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import Actor, current_actor
from inventory_app.errors import TooManyAttempts
from inventory_app.models._base import now
from inventory_app.models.users import SignInAttempt

#: Failures of one account from one address that cost nothing, and the longest wait after more.
FREE_FAILURES = 5
FREE_FAILURES_OF_AN_ADDRESS = 30
LONGEST_WAIT = timedelta(minutes=15)
FREE_FAILURES_OF_AN_ACCOUNT = 10
#: An address that signed in to the account within this time is not slowed by others' failures.
TRUSTED_FOR = timedelta(days=30)


def address_key(address: str | None) -> str:
    """Return the address failures are counted by: an IPv6 customer owns a whole /64."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 6 and not parsed.ipv4_mapped:  # noqa: PLR2004  # the version is its name
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address) + "/64"
    # One and the same address, written as IPv4 or inside IPv6.
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def counted_as(actor: Actor) -> str:
    """Return whom refusals are counted by: the person, once the database has said who it is, else the address."""
    return address_key(actor.client_ip) if actor.id is None else f"person {actor.id}"


def account_key(username: str) -> str:
    """Return what failures are counted by: a hash, for people type passwords into the wrong field."""
    return hashlib.sha256(username.strip().casefold().encode(errors="replace")).hexdigest()


def keep_pace(session: Session, account: str, *, everywhere: bool = False) -> None:
    """Raise `TooManyAttempts` while what is counted under `account` has to wait, or the whole address has.

    `everywhere`: failures from all addresses together are slowed too, but for an address that succeeded lately.
    """
    address, attempt = address_key(current_actor().client_ip), SignInAttempt
    since = now() - LONGEST_WAIT
    pair = session.exec(
        select(attempt.succeeded, attempt.at)
        .where(attempt.account == account, attempt.address == address)
        .order_by(col(attempt.at).desc())
        .limit(50)
    ).all()
    failed = []
    for succeeded, at in pair:
        if succeeded:
            break
        if at > since:
            failed.append(at)
    wait = _wait_left(len(failed), FREE_FAILURES, failed[0] if failed else None)
    trusted = session.scalar(
        sa.select(
            sa.exists().where(
                col(attempt.account) == account,
                col(attempt.address) == address,
                col(attempt.succeeded),
                col(attempt.at) > now() - TRUSTED_FOR,
            )
        )
    )
    if not trusted:
        wait = max(
            wait, _wait_of(session, FREE_FAILURES_OF_AN_ADDRESS, attempt.address == address, col(attempt.at) > since)
        )
    if everywhere and not trusted:
        day = now() - timedelta(days=1)
        wait = max(
            wait, _wait_of(session, FREE_FAILURES_OF_AN_ACCOUNT, attempt.account == account, col(attempt.at) > day)
        )
    if wait:
        seconds = int(wait.total_seconds()) + 1
        message = f"Too many attempts from your address. Wait {seconds} seconds and try again."
        raise TooManyAttempts(message)


def _wait_of(session: Session, free: int, *which: sa.ColumnElement[bool] | bool) -> timedelta:
    attempt = SignInAttempt
    count, last = session.exec(
        select(sa.func.count(), sa.func.max(attempt.at)).where(*which, ~col(attempt.succeeded))
    ).one()
    return _wait_left(count, free, last)


def _wait_left(failures: int, free: int, last: datetime | None) -> timedelta:
    if failures < free or last is None:
        return timedelta(0)
    wait = min(timedelta(seconds=2 ** min(failures - free, 12)), LONGEST_WAIT)
    return max(last + wait - now(), timedelta(0))


def count_attempt(session: Session, account: str, *, succeeded: bool) -> None:
    """Count an attempt under `account` (an `account_key` or `proving.factor_key`) from the actor's address."""
    session.add(
        SignInAttempt(
            account=account,
            address=address_key(current_actor().client_ip),
            succeeded=succeeded,
        )
    )
