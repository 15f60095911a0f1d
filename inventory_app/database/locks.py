"""Row locks, taken in one order by everybody, so that no two operations wait for each other.

Between kinds: role-and-permission lock, person, supplier, purchase order, invoice, bank account, payment, payment
batch, shipment, product, item, approval, document, number series. Within a kind: by id. An approval comes after
whatever it is about: its subject never changes, so whoever decides takes the locks of the subject first, as does
whoever changes the subject and asks anew.
"""

from collections.abc import Iterable
from typing import TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

Row = TypeVar("Row", bound=SQLModel)

#: Advisory lock keys; one per rule that spans rows no single lock covers.
ROLES_AND_PERMISSIONS = 7_001
#: Whoever moves a branch of one of these trees.
CATEGORY_TREE, LOCATION_TREE = 7_021, 7_022
FIRST_SET_UP = 7_002
IMPORTING = 7_003
#: Held for as long as a process runs the jobs (`process_lock.py`).
RUNNING_JOBS = 7_004
#: Held alone by who closes a period, shared by `stock_movement_is_now` for what is booked with an earlier date.
CLOSING_A_PERIOD = 7_005
#: The order of the reasons.
REASONS = 7_006
#: Whoever begins a check of the books.
CHECKING_BOOKS = 7_007


def lock(session: Session, model: type[Row], ids: Iterable[int], *, share: bool = False) -> dict[int, Row]:
    """Lock the rows of `model` with these ids, in id order, and return them fresh, by id.

    `share` keeps others from changing them, not from sharing. An id without a row is missing from the result; the
    caller says what that means.
    """
    key = col(model.id)  # pyright: ignore[reportAttributeAccessIssue]  # every locked model has an id
    statement = (
        select(model)
        .where(key.in_(sorted(set(ids))))
        .order_by(key)
        .with_for_update(read=share)
        # A row that is already in the Session would keep its stale values otherwise.
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in session.exec(statement)}  # pyright: ignore[reportAttributeAccessIssue]  # as above


def lock_rule(session: Session, key: int) -> None:
    """Take the advisory lock `key` until the end of the transaction."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
