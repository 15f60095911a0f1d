"""Changing prices: the one way in, for one product and for many, now and on a later day.

Products must be locked by the caller, in id order, before `apply_due` and `write`. A price that was planned and whose
day has come counts before whatever is changed after it, whether the job has been there or not.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import MONEY, now
from inventory_app.models.catalog import PriceStatus, Product, ProductPrice
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._money import CENT
from inventory_app.settings import get_settings

LARGEST_PRICE = LARGEST / 10
#: What a price that was reckoned can be rounded to; typed ones are taken as they are.
STEPS = ("0.01", "0.05", "0.10", "0.50", "1.00")
_HUNDRED = Decimal(100)

#: Of what a statement is about: the ids of products, as an array or a selection.
Ids = sa.ColumnElement[Any]


def table_of(model: Any) -> Any:
    """Return the table of a model."""
    return model.__table__


_PRODUCT, PRICES = table_of(Product), table_of(ProductPrice)


def any_of(ids: Iterable[int]) -> Ids:
    """Return the ids as one parameter, whatever their number."""
    return sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger)))


def beginning(day: date) -> datetime:
    """Return when a day of the company begins, which is told in UTC as its periods are."""
    return datetime.combine(day, time(), UTC)


def today() -> date:
    """Return the company's day."""
    return now().date()


def changed_by(old: Decimal, percent: Decimal, step: Decimal = CENT) -> Decimal:
    """Return a price changed by so many percent, rounded half up to a multiple of `step`."""
    reckoned = old * (1 + percent / _HUNDRED)
    return (reckoned / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def changed_by_in_sql(old: Any, percent: Decimal, step: Decimal = CENT) -> Any:
    """Say the same in SQL, where a numeric is rounded half away from zero."""
    factor, whole = sa.literal(1 + percent / _HUNDRED, sa.Numeric()), sa.literal(step, sa.Numeric())
    return sa.func.round(old * factor / whole) * whole


def is_large(old: Decimal, new: Decimal) -> bool:
    """Tell whether a change needs somebody else's agreement; a first price has nothing to be measured by."""
    limit = get_settings().price_approval_percent
    return bool(limit) and old > 0 and abs(new - old) * _HUNDRED > old * limit


def is_large_in_sql(old: Any, new: Any) -> sa.ColumnElement[bool]:
    """Say the same in SQL."""
    limit = get_settings().price_approval_percent
    if not limit:
        return sa.false()
    return sa.and_(old > 0, sa.func.abs(new - old) * 100 > old * sa.literal(limit, sa.Numeric()))


def why_no_price(price: Decimal) -> str:
    """Say why a number cannot be a price; empty when it can."""
    if not price.is_finite() or price > LARGEST_PRICE:
        return "This number is too large."
    if price < 0:
        return "A price cannot be negative."
    return "" if price == round(price, 4) else "Use at most 4 decimals."


def given(rows: Sequence[tuple[int, Any]], kind: type[sa.types.TypeEngine[Any]]) -> Any:
    """Return rows of an `id` and a `value` that come with the statement."""
    ids = sa.literal([id_ for id_, _ in rows], sa.ARRAY(sa.BigInteger))
    values = sa.literal([value for _, value in rows], sa.ARRAY(kind))
    return (
        sa.func.unnest(ids, values)
        .table_valued(sa.column("id", sa.BigInteger), sa.column("value", kind), name="given")
        .render_derived()
    )


def lock_products(session: Session, ids: Ids) -> list[int]:
    """Lock products in id order; returns those that there are."""
    statement = sa.select(_PRODUCT.c.id).where(_PRODUCT.c.id == ids).order_by(_PRODUCT.c.id).with_for_update()
    return list(session.execute(statement).scalars())


def apply_due(session: Session, product_ids: Iterable[int]) -> int:
    """Bring the planned prices into force whose day has come, in the order of their days; returns how many."""
    due = (
        sa.select(
            PRICES.c.id,
            PRICES.c.product_id,
            PRICES.c.new_price,
            sa.func.lag(PRICES.c.new_price)
            .over(partition_by=PRICES.c.product_id, order_by=(PRICES.c.valid_from, PRICES.c.id))
            .label("before"),
            sa.func.row_number()
            .over(partition_by=PRICES.c.product_id, order_by=(PRICES.c.valid_from.desc(), PRICES.c.id.desc()))
            .label("from_last"),
        )
        .where(
            PRICES.c.status == PriceStatus.PLANNED,
            PRICES.c.valid_from <= now(),
            PRICES.c.product_id == any_of(product_ids),
        )
        .subquery("due")
    )
    found = session.execute(
        sa.select(due.c.id, due.c.product_id, due.c.new_price, due.c.before, due.c.from_last).order_by(due.c.id)
    ).all()
    if not found:
        return 0
    then = given([(row.id, row.before) for row in found], sa.Numeric)
    old = sa.func.coalesce(then.c.value, _PRODUCT.c.unit_price)
    session.execute(
        sa.update(PRICES)
        .where(PRICES.c.id == then.c.id, _PRODUCT.c.id == PRICES.c.product_id)
        .values(status=PriceStatus.APPLIED.value, old_price=old)
    )
    _set(session, given([(row.product_id, row.new_price) for row in found if row.from_last == 1], sa.Numeric))
    return len(found)


def _set(session: Session, prices: Any) -> None:
    price = sa.cast(prices.c.value, MONEY)
    session.execute(
        sa.update(_PRODUCT)
        .where(_PRODUCT.c.id == prices.c.id, _PRODUCT.c.unit_price != price)
        .values(unit_price=price, version=_PRODUCT.c.version + 1)
    )
    # What the session has loaded of them is old now.
    session.expire_all()


def write(
    session: Session,
    prices: list[tuple[int, Decimal]],
    *,
    reason: str,
    valid_from: datetime | None = None,
    change_set_id: int | None = None,
) -> int:
    """Change the prices of locked products now, or plan them for later; returns how many differ from what there is."""
    asked = given(prices, sa.Numeric)
    planned = valid_from is not None
    price = sa.cast(asked.c.value, MONEY)
    values: dict[str, Any] = {
        "product_id": _PRODUCT.c.id,
        "valid_from": sa.literal(valid_from or now(), sa.DateTime(timezone=True)),
        "old_price": sa.null() if planned else _PRODUCT.c.unit_price,
        "new_price": price,
        "currency": _PRODUCT.c.currency,
        "reason": sa.literal(reason, sa.Text),
        "status": sa.literal((PriceStatus.PLANNED if planned else PriceStatus.APPLIED).value, sa.Text),
        "change_set_id": sa.literal(change_set_id, sa.BigInteger),
    }
    # What is planned may be what the price is today: it need not be that on its day.
    differs = sa.true() if planned else _PRODUCT.c.unit_price != price
    rows = (
        sa.select(*values.values())
        .select_from(_PRODUCT.join(asked, _PRODUCT.c.id == asked.c.id))
        .where(differs)
        .order_by(_PRODUCT.c.id)
    )
    done = session.execute(
        sa.insert(PRICES).from_select(list(values), rows, include_defaults=False).returning(PRICES.c.id)
    ).all()
    if not planned:
        _set(session, asked)
    return len(done)


def planned_of(change_set_id: int) -> Any:
    """Return what a set of changes has planned for the product `col(Product.id)`, as a subquery of one price."""
    return (
        sa.select(PRICES.c.new_price)
        .where(
            PRICES.c.change_set_id == change_set_id,
            PRICES.c.status == PriceStatus.PLANNED,
            PRICES.c.product_id == _PRODUCT.c.id,
        )
        .correlate(_PRODUCT)
        .scalar_subquery()
    )


def cancel_set(session: Session, change_set_id: int) -> None:
    """Take back everything that a set of changes has planned."""
    session.execute(
        sa.update(PRICES)
        .where(PRICES.c.change_set_id == change_set_id, PRICES.c.status == PriceStatus.PLANNED)
        .values(status=PriceStatus.CANCELLED.value)
    )


def planned_on(session: Session, product_ids: Iterable[int], when: datetime) -> set[int]:
    """Return which of these products have a price planned for this moment already."""
    statement = sa.select(col(ProductPrice.product_id)).where(
        col(ProductPrice.status) == PriceStatus.PLANNED,
        col(ProductPrice.valid_from) == when,
        col(ProductPrice.product_id) == any_of(product_ids),
    )
    return set(session.execute(statement).scalars())
