"""Prices: changed now or on a later day, one by one or many together, with their history and what stock is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Invalid, InvalidRows, NotFound
from inventory_app.models._base import now
from inventory_app.models.catalog import Category, PriceStatus, Product, ProductPrice
from inventory_app.models.stock import ProductStock
from inventory_app.operations import _change_sets, _prices
from inventory_app.operations._change_fields import PRICE, PRODUCT
from inventory_app.operations._fields import Fields
from inventory_app.operations._lists import View
from inventory_app.operations._money import said
from inventory_app.operations._operation import current_viewer, operation, query, require
from inventory_app.operations._paging import Page, keyset
from inventory_app.operations._price_list import LIST
from inventory_app.operations._prices import any_of
from inventory_app.operations.catalog import Choice, known_choices
from inventory_app.operations.change_sets import later_day, percent_of
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

#: The job changes no more prices than these in one transaction.
_AT_ONCE = 5_000
_CHART = (640, 160)
_MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Priced:
    """What became of new prices: how many count now or are planned, and how many were like that already.

    With `waits_as` nothing has changed yet: this set of changes waits for somebody else's agreement.
    """

    changed: int
    unchanged: int
    valid_from: date | None = None
    waits_as: int | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One row of new prices as it was given."""

    number: int
    product_id: int | None
    sku: str
    price: Decimal | None
    percent: Decimal | None
    read_price: Decimal | None
    version: int | None


@operation(Permission.PRICES_UPDATE, log=("valid_from",), reason="reason")
def update_pricing(
    session: Session,
    *,
    updates: Sequence[Mapping[str, object]],
    valid_from: date | None = None,
    round_to: str = "0.01",
    reason: str = "",
) -> Priced:
    """Change the prices of one or many products, now or from a later day on: all of them, or none.

    Each update names a product (`product_id` or `sku`) and its `price`, or by how many `percent` it changes; the
    `read_price` or `version` somebody saw is checked. Every fault of the batch is listed. When a change is so large
    that somebody else must agree, all of them wait for that as a set of changes.
    """
    require(session, Permission.PRICES_VIEW)
    fields = Fields()
    why = fields.text("reason", reason, most=1_000) or ""
    fields.check()
    day = later_day(valid_from)
    step = Decimal(round_to if round_to in _prices.STEPS else "0.01")
    faults: list[tuple[int, str, str]] = []
    asked = [one for number, update in enumerate(updates, start=1) if (one := _read(number, update, faults))]
    products = _locked(session, asked)
    prices = _checked(session, asked, products, day, step, faults)
    if faults:
        message = f"{len({number for number, *_ in faults})} of {len(updates)} rows cannot be saved, so none was:"
        raise InvalidRows(message, sorted(faults))
    if any(_prices.is_large(products[id_].unit_price, price) for id_, price in prices.items()):
        return _wait(session, prices, products, day, why)
    done = _prices.write(session, list(prices.items()), reason=why, valid_from=_prices.beginning(day) if day else None)
    return Priced(done, len(prices) - done, day)


def _read(number: int, update: Mapping[str, object], faults: list[tuple[int, str, str]]) -> _Asked | None:
    def figure(name: str) -> Decimal | None:
        given = update.get(name)
        if given is None:
            return None
        try:
            found = given if isinstance(given, Decimal) else Decimal(str(given))
        except InvalidOperation:
            faults.append((number, name, "is no number"))
            return None
        if name == "price" and (wrong := _prices.why_no_price(found)):
            faults.append((number, name, wrong))
        return found

    before = len(faults)
    price, percent, read_price = figure("price"), None, figure("read_price")
    if update.get("percent") is not None:
        try:
            percent = percent_of(str(update["percent"]))
        except Invalid as error:
            faults.append((number, "percent", error.fields["value"]))
    id_, version, sku = update.get("product_id"), update.get("version"), str(update.get("sku") or "").strip().upper()
    if len(faults) == before and (price is None) == (percent is None):
        faults.append((number, "price", "give either the price or by how many percent it changes"))
    if len(faults) == before and not isinstance(id_, int) and not sku:
        faults.append((number, "product_id", "the product is missing"))
    if len(faults) > before:
        return None
    return _Asked(
        number,
        id_ if isinstance(id_, int) else None,
        sku,
        price,
        percent,
        read_price,
        version if isinstance(version, int) else None,
    )


def _locked(session: Session, asked: Sequence[_Asked]) -> dict[int, Any]:
    """Lock the products in id order, bring due prices into force, and return what they are now, by id."""
    skus = sa.any_(sa.literal([one.sku for one in asked if one.product_id is None], sa.ARRAY(sa.Text)))
    named = session.scalars(sa.select(PRODUCT.c.id).where(PRODUCT.c.sku == skus))
    ids = {one.product_id for one in asked if one.product_id is not None} | set(named)
    locked = _prices.lock_products(session, any_of(ids))
    _prices.apply_due(session, locked)
    columns = (PRODUCT.c.id, PRODUCT.c.sku, PRODUCT.c.name, PRODUCT.c.unit_price, PRODUCT.c.version)
    found = session.execute(sa.select(*columns).where(PRODUCT.c.id == any_of(locked)).order_by(PRODUCT.c.id))
    return {row.id: row for row in found}


def _checked(  # what a batch is checked against
    session: Session,
    asked: Sequence[_Asked],
    products: Mapping[int, Any],
    day: date | None,
    step: Decimal,
    faults: list[tuple[int, str, str]],
) -> dict[int, Decimal]:
    """Return the new price of each product; what is wrong joins the faults."""
    by_sku = {row.sku: row.id for row in products.values()}
    planned = _prices.planned_on(session, products, _prices.beginning(day)) if day else set[int]()
    prices, seen = dict[int, Decimal](), dict[int, int]()
    for one in asked:
        id_ = one.product_id if one.product_id is not None else by_sku.get(one.sku, 0)
        if id_ not in products:
            faults.append((one.number, "product_id", f"there is no product {one.sku or one.product_id}"))
            continue
        row = products[id_]
        price = one.price
        if price is None:
            price = _prices.changed_by(row.unit_price, one.percent or Decimal(0), step)
        if fault := _fault(one, row, price, day, seen=seen.get(id_), planned=id_ in planned):
            faults.append((one.number, *fault))
        seen.setdefault(id_, one.number)
        prices[id_] = price
    return prices


def _fault(  # what one row is checked against
    one: _Asked, row: Any, price: Decimal, day: date | None, *, seen: int | None, planned: bool
) -> tuple[str, str] | None:
    if seen is not None:
        return "product_id", f"{row.name} is already in row {seen}"
    if wrong := _prices.why_no_price(price):
        return "price", wrong
    stale = (one.read_price is not None and one.read_price != row.unit_price) or (
        one.version is not None and one.version != row.version
    )
    if stale:
        return "price", f"{row.name} was changed since you looked: read its price again"
    if planned and day:
        return "valid_from", f"a price of {row.name} is planned for {day:%-d %b %Y} already: cancel that first"
    return None


def _wait(
    session: Session, prices: Mapping[int, Decimal], products: Mapping[int, Any], day: date | None, why: str
) -> Priced:
    """Keep the prices as a set of changes that waits for somebody else's agreement."""
    first = next(iter(prices))
    title = f"Price of {products[first].name}" if len(prices) == 1 else f"Price of {len(prices):,} products"
    waiting = _change_sets.propose(
        session, PRICE, ids=list(prices), after=PRICE.each(prices), title=title[:200], reason=why, effective_on=day
    )
    _change_sets.ask_for_agreement(session, waiting)
    return Priced(0, 0, day, waiting.id)


@operation(Permission.PRICES_UPDATE, log=("price_id",), reason="reason")
def cancel_planned_price(session: Session, *, price_id: int, reason: str = "") -> str:
    """Take a planned price back before its day; returns of what product."""
    del reason
    found = session.get(ProductPrice, price_id)
    if found is None:
        raise NotFound
    # The product first, as everybody who changes a price does.
    product = lock(session, Product, [found.product_id])[found.product_id]
    price = lock(session, ProductPrice, [price_id])[price_id]
    if price.status == PriceStatus.CANCELLED:
        raise AlreadyDecided("This price was cancelled already.")
    if price.status != PriceStatus.PLANNED or price.valid_from <= now():
        raise AlreadyDecided("Its day has come: this price counts. Change the price instead.")
    price.status = PriceStatus.CANCELLED
    return product.name


@query()
def any_price_due(session: Session) -> bool:
    """Tell whether there are planned prices whose day has come."""
    return bool(session.scalar(sa.select(sa.exists().where(*_due()))))


def _due() -> tuple[Any, Any]:
    return col(ProductPrice.status) == PriceStatus.PLANNED, col(ProductPrice.valid_from) <= now()


@operation(machine=True)
def apply_planned_prices(session: Session) -> int:
    """Bring planned prices into force whose day has come; returns how many, at most so many that there may be more."""
    due = (
        sa.select(col(ProductPrice.product_id))
        .where(*_due())
        .order_by(col(ProductPrice.valid_from), col(ProductPrice.id))
        .limit(_AT_ONCE)
    )
    ids = _prices.lock_products(session, any_of(set(session.scalars(due))))
    return _prices.apply_due(session, ids)


# Reading


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A product in the list of prices."""

    id: int
    sku: str
    product: str
    category: str
    unit_cost: str
    unit_price: str
    margin: str
    value: str
    active: bool
    #: Since when it counts, and the next one that is planned.
    since: str
    planned: str


@dataclass(frozen=True, slots=True)
class Prices:
    """A page of the list of prices with what its page shows around it."""

    view: View
    page: Page[PriceRow]
    count: int
    everything: int
    categories: list[Choice]
    planned: int
    may_change: bool


@query(Permission.PRICES_VIEW)
def list_prices(session: Session, *, view: View) -> Prices:
    """Return a page of products with their prices, since when they count, and what is planned."""
    viewer = current_viewer(session)
    allowed = LIST.allowed(view, viewer.permissions)
    page = LIST.page(session, allowed)
    everything = session.scalar(sa.select(sa.func.count()).select_from(Product)) or 0
    count = LIST.count(session, allowed) if allowed.narrows else everything
    rows = _price_rows(session, page.rows)
    return Prices(
        allowed,
        page.of([rows[id_] for id_ in page.rows if id_ in rows]),
        count,
        everything,
        known_choices(session).categories,
        _planned_count(session),
        Permission.PRICES_UPDATE in viewer.permissions,
    )


def _planned_count(session: Session) -> int:
    planned = sa.select(sa.func.count()).where(col(ProductPrice.status) == PriceStatus.PLANNED)
    return session.scalar(planned) or 0


def _price_rows(session: Session, ids: Sequence[int]) -> dict[int, PriceRow]:
    price = col(ProductPrice.product_id) == col(Product.id)
    since = sa.select(sa.func.max(col(ProductPrice.valid_from))).where(
        price, col(ProductPrice.status) == PriceStatus.APPLIED
    )
    upcoming = (
        sa.select(col(ProductPrice.valid_from))
        .where(price, col(ProductPrice.status) == PriceStatus.PLANNED)
        .order_by(col(ProductPrice.valid_from))
        .limit(1)
    )
    found = session.execute(
        sa.select(
            Product,
            col(Category.name),
            col(ProductStock.value),
            since.correlate(Product).scalar_subquery(),
            upcoming.correlate(Product).scalar_subquery(),
        )
        .outerjoin(Category, col(Category.id) == col(Product.category_id))
        .outerjoin(ProductStock, col(ProductStock.product_id) == col(Product.id))
        .where(col(Product.id).in_(ids))
    )
    return {row[0].id: _price_row(*row) for row in found}


def _price_row(product: Product, category: str | None, value: Decimal | None, since: Any, planned: Any) -> PriceRow:
    price, cost = product.unit_price, product.unit_cost
    margin = f"{(price - cost) / price * 100:,.1f} %".replace("-", "−") if price else ""
    return PriceRow(
        id=product.id or 0,
        sku=product.sku,
        product=product.name,
        category=category or "",
        unit_cost=said(cost),
        unit_price=said(price),
        margin=margin,
        value=f"{value:,.2f}" if value is not None else "",
        active=product.active,
        since=since.isoformat() if since else "",
        planned=f"{planned:%-d %b %Y}" if planned else "",
    )


@query(Permission.PRICES_VIEW)
def matching_products(session: Session, *, view: View, most: int) -> list[int]:
    """Return the ids of at most so many products of a view, over all its pages."""
    return LIST.ids(session, LIST.allowed(view, current_viewer(session).permissions), most)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One price of a product: from when, by how much it changed, why, and whether it counts."""

    id: int
    at: str
    price: str
    old: str
    change: str
    status: str
    tone: str
    reason: str
    change_set: str


@dataclass(frozen=True, slots=True)
class Step:
    """The steps of a chart: a line through a box of 640 by 160, and what its ends mean."""

    path: str = ""
    highest: str = ""
    lowest: str = ""
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Every price of a product, newest first, and the same as a chart."""

    product_id: int
    sku: str
    product: str
    price: str
    read_price: str
    rows: list[HistoryRow]
    chart: Step


@query(Permission.PRICES_VIEW)
def price_history(session: Session, *, product_id: int) -> History | None:
    """Return what a product cost when: planned, counting and cancelled prices."""
    product = session.get(Product, product_id)
    if product is None:
        return None
    newest = (
        select(ProductPrice)
        .where(ProductPrice.product_id == product_id)
        .order_by(col(ProductPrice.valid_from).desc(), col(ProductPrice.id).desc())
        .limit(_MOST_POINTS)
    )
    found = list(session.exec(newest))
    counted = [one for one in reversed(found) if one.status == PriceStatus.APPLIED]
    points = [(one.valid_from.timestamp(), one.new_price) for one in counted]
    return History(
        product_id,
        product.sku,
        product.name,
        said(product.unit_price, product.currency),
        str(product.unit_price),
        [_history_row(one) for one in found],
        step_chart(points, now().timestamp(), product.currency) if points else Step(),
    )


_SAID = {
    PriceStatus.PLANNED: ("Planned", "accent"),
    PriceStatus.APPLIED: ("", "ok"),
    PriceStatus.CANCELLED: ("Cancelled", "neutral"),
}


def _history_row(one: ProductPrice) -> HistoryRow:
    old, new = one.old_price, one.new_price
    change = f"{(new - old) / old * 100:+,.1f} %".replace("-", "−") if old else ""
    status, tone = _SAID[PriceStatus(one.status)]
    return HistoryRow(
        one.id or 0,
        one.valid_from.isoformat(),
        said(new, one.currency),
        "" if old is None else said(old),
        change,
        status,
        tone,
        one.reason,
        f"/changes/{one.change_set_id}" if one.change_set_id else "",
    )


def step_chart(points: Sequence[tuple[float, Decimal]], until: float, unit: str) -> Step:
    """Draw values that hold until the next one as steps; the last one holds until now."""
    width, height = _CHART
    begins, values = points[0][0], [value for _, value in points]
    low, high = min(values), max(values)
    span, spread = max(until - begins, 1.0), (high - low) or Decimal(1)

    def x(at: float) -> str:
        return f"{(at - begins) / span * width:.1f}"

    def y(value: Decimal) -> str:
        # One price only is a line in the middle.
        share = Decimal("0.5") if low == high else (value - low) / spread
        return f"{height - 8 - share * (height - 16):.1f}"

    drawn = [f"M0 {y(values[0])}"]
    for at, value in points[1:]:
        drawn += [f"H{x(at)}", f"V{y(value)}"]
    return Step(
        " ".join([*drawn, f"H{width}"]),
        said(high, unit),
        said(low, unit),
        f"{datetime.fromtimestamp(begins, UTC):%-d %b %Y}",
        "now",
    )


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A price that waits for its day."""

    id: int
    sku: str
    product: str
    day: str
    price: str
    now: str
    reason: str
    change_set: str


@query(Permission.PRICES_VIEW)
def planned_prices(session: Session, *, cursor: str = "") -> Page[PlannedRow]:
    """List the prices that wait for their day, the next first."""
    statement = (
        sa.select(ProductPrice, col(Product.sku), col(Product.name), col(Product.unit_price))
        .join(Product, col(Product.id) == col(ProductPrice.product_id))
        .where(col(ProductPrice.status) == PriceStatus.PLANNED)
    )
    page = keyset(session, statement, [col(ProductPrice.valid_from), col(ProductPrice.id)], cursor=cursor)
    rows = [
        PlannedRow(
            one.id,
            sku,
            name,
            f"{one.valid_from:%-d %b %Y}",
            said(one.new_price, one.currency),
            said(price),
            one.reason,
            f"/changes/{one.change_set_id}" if one.change_set_id else "",
        )
        for one, sku, name, price, *_ in page.rows
    ]
    return Page(rows, page.before, page.after)


@dataclass(frozen=True, slots=True)
class Share:
    """What a category's stock is worth, and how much of the longest bar that is."""

    name: str
    products: str
    value: str
    percent: int
    share: str


@dataclass(frozen=True, slots=True)
class StockValue:
    """What the whole stock is worth now, by category."""

    total: str
    products: str
    shares: list[Share]


@query(Permission.PRICES_VIEW)
def stock_value(session: Session) -> StockValue:
    """Return what the stock is worth now, in all and by category, the largest first."""
    worth = sa.func.sum(col(ProductStock.value))
    found = session.execute(
        sa.select(col(Category.name), worth, sa.func.count())
        .select_from(ProductStock)
        .join(Product, col(Product.id) == col(ProductStock.product_id))
        .outerjoin(Category, col(Category.id) == col(Product.category_id))
        .where(sa.or_(col(ProductStock.value) != 0, col(ProductStock.quantity) != 0))
        .group_by(col(Category.id), col(Category.name))
        .order_by(worth.desc(), col(Category.name))
    ).all()
    total = sum((value for _, value, _ in found), Decimal(0))
    most = max((value for _, value, _ in found), default=Decimal(0)) or Decimal(1)
    shares = [
        Share(
            name or "No category",
            f"{number:,}",
            f"{value:,.2f}",
            max(0, int(value / most * 100)),
            f"{value / total * 100:.1f} %" if total else "",
        )
        for name, value, number in found
    ]
    return StockValue(f"{total:,.2f} {get_settings().currency}", f"{sum(n for *_, n in found):,}", shares)
