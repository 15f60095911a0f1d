"""What strangers may do, slowed down by what the trail already shows of their address."""

import hashlib
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.audit.tables import audit_operation
from inventory_app.context import current_actor
from inventory_app.database.locks import lock_rule
from inventory_app.errors import TooManyAttempts
from inventory_app.models._base import now
from inventory_app.operations._attempts import address_key
from inventory_app.operations._operation import operation_id

#: How often one address may succeed, and may fail, within the window.
SUCCEEDED_PER_ADDRESS = 5
FAILED_PER_ADDRESS = 40
_MOST = {"succeeded": SUCCEEDED_PER_ADDRESS, "failed": FAILED_PER_ADDRESS}
WINDOW = timedelta(hours=1)


def slow_down(session: Session, operation: str) -> None:
    """Refuse when the trail shows too many runs of `operation` from this address within the window.

    One address is counted by one at a time; two at once would both see one place left.
    """
    address = address_key(current_actor().client_ip)
    digest = hashlib.sha256(f"{operation} {address}".encode()).digest()
    lock_rule(session, int.from_bytes(digest[:8], signed=True))
    trail = audit_operation.c
    rows = session.execute(
        sa.select(trail.client_ip, trail.outcome, sa.func.count(), sa.func.min(trail.recorded_at))
        .where(
            trail.name == operation,
            trail.recorded_at > now() - WINDOW,
            trail.outcome.in_(_MOST),
            trail.id != operation_id(session),
        )
        .group_by(trail.client_ip, trail.outcome)
    )
    mine = [row for row in rows if address_key(row[0]) == address]
    for outcome, most in _MOST.items():
        here = [row for row in mine if row[1] == outcome]
        if sum(row[2] for row in here) >= most:
            left = min(row[3] for row in here) + WINDOW - now()
            minutes = max(1, -(-int(left.total_seconds()) // 60))
            message = f"Too many requests came from your address. Try again in {minutes} min."
            raise TooManyAttempts(message)
