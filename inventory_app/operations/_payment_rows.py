"""Writing payments and what of them is for which invoice."""

from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.models.payments import Payment
from inventory_app.operations import _series


def add_parts(session: Session, of: Mapping[int, Mapping[int, Decimal]]) -> None:
    """Write how much of which payment is for which invoice."""
    rows = [
        {"payment_id": payment_id, "invoice_id": id_, "amount": part}
        for payment_id, parts in of.items()
        for id_, part in sorted(parts.items())
    ]
    session.execute(sa.insert(_PARTS), rows)


def write_payment(session: Session, payment: Payment, parts: Mapping[int, Decimal]) -> None:
    """Write a payment with its parts under the next number, which it is given, in one statement."""
    session.flush()
    drawn = _series.asked(_series.PAYMENT, payment.paid_on)
    columns = {name: getattr(payment, name) for name in _COLUMNS}
    row = session.execute(_WRITE, {**drawn, **columns, "ids": list(parts), "amounts": list(parts.values())}).one()
    payment.id, payment.number = row.id, row.number


_PAYMENTS, _PARTS = Payment.metadata.tables["payment"], Payment.metadata.tables["payment_allocation"]
_COLUMNS = [name for name in Payment.model_fields if name not in ("id", "number")]
_MADE = (
    sa.insert(_PAYMENTS)
    .from_select(
        ["number", *_COLUMNS],
        sa.select(_series.NUMBER, *(sa.bindparam(name, type_=_PAYMENTS.c[name].type) for name in _COLUMNS)).select_from(
            _series.DRAWN
        ),
    )
    .returning(_PAYMENTS.c.id, _PAYMENTS.c.number)
    .cte("made")
)
_GIVEN = (
    sa.func.unnest(
        sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger)), sa.bindparam("amounts", type_=sa.ARRAY(sa.Numeric))
    )
    .table_valued(sa.column("invoice_id", sa.BigInteger), sa.column("amount", sa.Numeric), name="given")
    .render_derived()
)
_DIVIDED = (
    sa.insert(_PARTS)
    .from_select(
        ["payment_id", "invoice_id", "amount"],
        sa.select(_MADE.c.id, _GIVEN.c.invoice_id, _GIVEN.c.amount).select_from(sa.join(_MADE, _GIVEN, sa.true())),
    )
    .returning(_PARTS.c.payment_id)
    .cte("divided")
)
_WRITE = sa.select(_MADE.c.id, _MADE.c.number).add_cte(_DIVIDED)
