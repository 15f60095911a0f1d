"""Sets of changes: propose, look at the difference, apply all of it or nothing, take all of it back.

Who may propose, apply, take back and discard depends on what a set changes: each of its fields says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import Invalid, InvalidRows
from inventory_app.models.catalog import Category
from inventory_app.models.lists import ChangeSet, ChangeSetStatus
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations import _approvals, _change_sets, _prices
from inventory_app.operations._change_fields import (
    FIELDS,
    ITEM,
    KINDS,
    PRICE,
    PRODUCT,
    QUANTITY,
    field_of,
)
from inventory_app.operations._change_list import LIST, STATUSES
from inventory_app.operations._change_sets import APPROVAL, Looked, looked_at, sentence
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._lists import View
from inventory_app.operations._money import said
from inventory_app.operations._numbers import typed
from inventory_app.operations._operation import current_viewer, operation, query, require
from inventory_app.operations._paging import Page, keyset
from inventory_app.operations._trail_values import HIDDEN
from inventory_app.permissions import Permission

#: A file with more faults than these is the wrong file.
_MOST_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class Proposed:
    """A set of changes that waits to be looked at."""

    change_set_id: int
    title: str
    rows: int


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a set: applied, planned, waiting (for somebody's agreement), reverted or discarded."""

    change_set_id: int
    title: str
    rows: int
    status: str


def _proposed(change_set: ChangeSet) -> Proposed:
    return Proposed(change_set.id or 0, change_set.title, change_set.row_count)


def _titled(title: str, label: str, number: int, one: str) -> str:
    return title.strip() or f"{label} of {number:,} {one}{'' if number == 1 else 's'}"


@operation(Permission.PRODUCTS_MANAGE, log=("field",), reason="reason")
def propose_products(
    session: Session, *, product_ids: Sequence[int], field: str, value: str, title: str = "", reason: str = ""
) -> Proposed:
    """Propose to give many products the same category, supplier, reorder figure or state."""
    one = field_of(field)
    if one.kind != "products":
        raise Invalid(fields={"field": "Choose one of the list."})
    after = sa.literal(one.parse(session, value), one.column.type)
    named = _titled(title, one.label, len(product_ids), "product")
    return _proposed(_change_sets.propose(session, one, ids=product_ids, after=after, title=named, reason=reason))


@operation(Permission.PRICES_UPDATE, log=("how", "effective_on"), reason="reason")
def propose_prices(  # as many as the form has fields
    session: Session,
    *,
    product_ids: Sequence[int],
    how: str,
    value: str,
    round_to: str = "0.01",
    effective_on: date | None = None,
    title: str = "",
    reason: str = "",
) -> Proposed:
    """Propose prices for many products: one price (`set`), or a change by so many percent, rounded half up."""
    if round_to not in _prices.STEPS or how not in ("set", "percent"):
        raise Invalid(fields={"how": "Choose one of the list."})
    after = (
        sa.literal(PRICE.parse(session, value), PRICE.column.type)
        if how == "set"
        else _prices.changed_by_in_sql(PRICE.column, percent_of(value), Decimal(round_to))
    )
    return _proposed(
        _change_sets.propose(
            session,
            PRICE,
            ids=product_ids,
            after=after,
            title=_titled(title, "Price", len(product_ids), "product"),
            reason=reason,
            effective_on=later_day(effective_on),
        )
    )


def percent_of(text: str) -> Decimal:
    """Return how many percent were typed; raises `Invalid`."""
    try:
        found = typed(text.strip().removesuffix("%").strip().replace("−", "-"))
    except (ValueError, InvalidOperation) as error:
        raise Invalid(fields={"value": "Enter percent such as 5 or -2.5."}) from error
    if not -100 <= found <= 1_000:  # noqa: PLR2004  # said in the sentence
        raise Invalid(fields={"value": "Enter percent from -100 to 1000."})
    if not found:
        raise Invalid(fields={"value": "Enter percent such as 5 or -2.5."})
    return found


def later_day(day: date | None) -> date | None:
    """Return a day to come, None for today; raises `Invalid` for one that is over, or too far away to be meant."""
    if day is None or day == _prices.today():
        return None
    if day < _prices.today():
        raise Invalid(fields={"effective_on": "Choose today or a later day: what was sold was sold at its price."})
    if day.year > _prices.today().year + 10:
        raise Invalid(fields={"effective_on": "Choose a day within the next ten years."})
    return day


@operation(Permission.PRICES_UPDATE, log=("effective_on",), reason="reason")
def propose_prices_by_sku(
    session: Session,
    *,
    rows: Sequence[tuple[int, str, str]],
    effective_on: date | None = None,
    title: str = "",
    reason: str = "",
) -> Proposed:
    """Propose the prices of a file, given as (row, SKU, price); the whole file is refused with every fault listed."""
    skus = [sku.strip().upper() for _, sku, _ in rows]
    known = _products_by_sku(session, skus)
    faults: list[tuple[int, str, str]] = []
    prices, seen = dict[int, Decimal](), dict[str, int]()
    for (number, _, text), sku in zip(rows, skus, strict=True):
        if sku not in known:
            faults.append((number, "sku", f"there is no product {sku[:60]}" if sku else "the SKU is missing"))
        elif sku in seen:
            faults.append((number, "sku", f"{sku} is already in row {seen[sku]}"))
        else:
            try:
                prices[known[sku]] = PRICE.parse(session, text)
            except Invalid as error:
                faults.append((number, "price", error.fields["value"]))
        seen.setdefault(sku, number)
    if faults:
        message = f"{len(faults):,} of {len(rows):,} rows cannot be used, so none was:"
        raise InvalidRows(message, faults[:_MOST_FAULTS])
    return _proposed(
        _change_sets.propose(
            session,
            PRICE,
            ids=list(prices),
            after=PRICE.each(prices),
            title=_titled(title, "Price", len(prices), "product"),
            reason=reason,
            effective_on=later_day(effective_on),
        )
    )


def _products_by_sku(session: Session, skus: Sequence[str]) -> dict[str, int]:
    wanted = sa.any_(sa.literal(list(skus), sa.ARRAY(sa.Text)))
    return dict(session.execute(sa.select(PRODUCT.c.sku, PRODUCT.c.id).where(PRODUCT.c.sku == wanted)).all())


@operation(Permission.INVENTORY_BULK_UPDATE, reason="reason")
def propose_quantities(  # as many as the form has fields
    session: Session,
    *,
    quantities: Mapping[int, str] | None = None,
    item_ids: Sequence[int] = (),
    how: str = "set",
    value: str = "",
    title: str = "",
    reason: str = "",
) -> Proposed:
    """Propose quantities for many items: what was counted of each, or for all of `item_ids` one value or difference."""
    if how not in ("set", "by"):
        raise Invalid(fields={"how": "Choose one of the list."})
    counted = {int(id_): QUANTITY.parse(session, text) for id_, text in (quantities or {}).items()}
    after = QUANTITY.each(counted)
    if quantities is None and how == "by":
        # What is more than the column holds becomes its largest value, which no rule lets pass.
        most = sa.literal(LARGEST + Decimal("0.999"), QUANTITY.column.type)
        after = sa.func.least(QUANTITY.column + sa.literal(_difference(value), QUANTITY.column.type), most)
    elif quantities is None:
        after = sa.literal(QUANTITY.parse(session, value), QUANTITY.column.type)
    ids = list(item_ids) if quantities is None else list(counted)
    named = _titled(title, "Quantity", len(ids), "item")
    return _proposed(_change_sets.propose(session, QUANTITY, ids=ids, after=after, title=named, reason=reason))


def _difference(text: str) -> Decimal:
    """Return how much more or less was typed; raises `Invalid`."""
    try:
        found = typed(text.strip().replace("−", "-"))
    except ValueError as error:
        raise Invalid(fields={"value": str(error)}) from error
    if not found:
        raise Invalid(fields={"value": "Enter how much more (5) or less (-5) there is."})
    if abs(found) > LARGEST:
        raise Invalid(fields={"value": "This number is too large."})
    return found


def _may_change(session: Session, change_set: ChangeSet) -> None:
    for one in _change_sets.fields_in(session, change_set.id or 0):
        require(session, one.permission)
        require(session, one.sees)


@operation(log=("change_set_id",))
def apply_changes(session: Session, *, change_set_id: int, version: int | None = None) -> Done:
    """Apply a set that was looked at, all of it or nothing; large changes of prices ask for agreement first."""
    change_set = _change_sets.locked(session, change_set_id, version=version)
    _may_change(session, change_set)
    if change_set.status == ChangeSetStatus.DRAFT and _change_sets.needs_agreement(session, change_set):
        _change_sets.ask_for_agreement(session, change_set)
        return _done(change_set, "waiting")
    _change_sets.apply(session, change_set)
    return _done(change_set, "planned" if _change_sets.waits_for_its_day(change_set) else "applied")


@operation(log=("change_set_id",), reason="reason")
def revert_changes(session: Session, *, change_set_id: int, version: int | None = None, reason: str = "") -> Done:
    """Take a whole set back, if nothing of it was changed since; what was planned is cancelled."""
    del reason
    change_set = _change_sets.locked(session, change_set_id, version=version)
    _may_change(session, change_set)
    _change_sets.revert(session, change_set)
    return _done(change_set, "reverted")


@operation(log=("change_set_id",))
def discard_changes(session: Session, *, change_set_id: int, version: int | None = None) -> Done:
    """Close a draft that shall not be applied; it stays to be seen."""
    change_set = _change_sets.locked(session, change_set_id, version=version)
    _may_change(session, change_set)
    _change_sets.discard(session, change_set)
    return _done(change_set, "discarded")


def _done(change_set: ChangeSet, status: str) -> Done:
    return Done(change_set.id or 0, change_set.title, change_set.row_count, status)


# Reading


@dataclass(frozen=True, slots=True)
class SetRow:
    """A set of changes in the list."""

    id: int
    title: str
    href: str
    kind: str
    status: str
    tone: str
    rows: str
    by: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetList:
    """A page of sets; `everything` is how many there are without filters."""

    view: View
    page: Page[SetRow]
    count: int
    everything: int


def _by() -> Any:
    return sa.func.coalesce(sa.func.nullif(col(UserInfo.full_name), ""), col(LocalUser.username))


def _with_people(*columns: Any) -> Any:
    return (
        sa.select(*columns)
        .join(LocalUser, col(LocalUser.id) == col(ChangeSet.created_by))
        .outerjoin(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
    )


@query(Permission.PRODUCTS_VIEW)
def list_change_sets(session: Session, *, view: View) -> SetList:
    """Return a page of the sets of changes; what their rows hold is not in it."""
    allowed = LIST.allowed(view, current_viewer(session).permissions)
    page = LIST.page(session, allowed)
    found = session.execute(_with_people(ChangeSet, _by()).where(col(ChangeSet.id).in_(page.rows))).all()
    rows = {one.id: _set_row(session, one, by) for one, by in found}
    everything = session.scalar(sa.select(sa.func.count()).select_from(ChangeSet)) or 0
    count = LIST.count(session, allowed) if allowed.narrows else everything
    return SetList(allowed, page.of([rows[id_] for id_ in page.rows]), count, everything)


def _set_row(session: Session, one: ChangeSet, by: str) -> SetRow:
    status, tone = _status(session, one)
    return SetRow(
        one.id or 0,
        one.title,
        f"/changes/{one.id}",
        KINDS[one.kind],
        status,
        tone,
        f"{one.row_count:,}",
        by,
        one.created_at.isoformat(),
        one.reason,
    )


def _status(session: Session, one: ChangeSet) -> tuple[str, str]:
    if one.status == ChangeSetStatus.DRAFT and _approvals.open_about(session, APPROVAL, one.id or 0):
        return "Waits for agreement", "warn"
    if _change_sets.waits_for_its_day(one):
        return f"Planned for {one.effective_on:%-d %b %Y}", "accent"
    return STATUSES[one.status]


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One line of a set: what changes, before and after, and why it cannot be written, if so."""

    id: str
    sku: str
    name: str
    place: str
    label: str
    before: str
    after: str
    fault: str
    href: str


@dataclass(frozen=True, slots=True)
class SetDetail:
    """A set of changes with a page of its rows, and what the viewer may do with it."""

    id: int
    version: int
    title: str
    kind: str
    status: str
    tone: str
    state: str
    by: str
    at: str
    reason: str
    effective_on: str
    rows: str
    faults: int
    may_change: bool
    #: Why nothing can be applied; empty when it can.
    needs_agreement: bool
    waiting: bool
    hidden: bool
    page: Page[DiffRow]


@query(Permission.PRODUCTS_VIEW)
def change_set_detail(
    session: Session, *, change_set_id: int, cursor: str = "", only_faults: bool = False
) -> SetDetail | None:
    """Return a set with a page of its rows beside what the records hold now; None when there is none."""
    found = session.execute(_with_people(ChangeSet, _by()).where(col(ChangeSet.id) == change_set_id)).first()
    if found is None:
        return None
    one, by = found
    fields = _change_sets.fields_in(session, change_set_id)
    viewer = current_viewer(session)
    undo = one.status == ChangeSetStatus.APPLIED
    checked = one.status in (ChangeSetStatus.DRAFT, ChangeSetStatus.APPLIED)
    rows = sa.union_all(*[looked_at(field, one, undo=undo) for field in fields]).subquery("looked")
    statement: Any = sa.select(rows)
    if only_faults and checked:
        statement = statement.where(rows.c.fault != "")
    page = keyset(session, statement, [rows.c.subject_id, rows.c.field], cursor=cursor)
    faults = session.scalar(sa.select(sa.func.count()).where(rows.c.fault != "")) if checked else 0
    status, tone = _status(session, one)
    looked = [Looked(*row[:11]) for row in page.rows]
    named = _names(session, looked)
    sees = {field.name for field in fields if field.sees in viewer.permissions}
    diff = [_diff_row(row, named, sees, checked=checked) for row in looked]
    return SetDetail(
        id=one.id or 0,
        version=one.version,
        title=one.title,
        kind=KINDS[one.kind],
        status=status,
        tone=tone,
        state=one.status,
        by=by,
        at=one.created_at.isoformat(),
        reason=one.reason,
        effective_on=f"{one.effective_on:%-d %b %Y}" if one.effective_on else "",
        rows=f"{one.row_count:,}",
        faults=faults or 0,
        may_change=all({field.permission, field.sees} <= viewer.permissions for field in fields),
        needs_agreement=one.status == ChangeSetStatus.DRAFT and _change_sets.needs_agreement(session, one),
        waiting=_approvals.open_about(session, APPROVAL, change_set_id) is not None,
        hidden=any(field.name not in sees for field in fields),
        page=Page(diff, page.before, page.after),
    )


def _names(session: Session, rows: Sequence[Looked]) -> dict[tuple[str, str], str]:
    """Return what the records are called that the values of a page point to."""
    found: dict[tuple[str, str], str] = {}
    for field, model in (("category_id", Category), ("supplier_id", Supplier)):
        ids = {int(text) for row in rows if row.field == field for text in (row.before, row.after, row.now) if text}
        if ids:
            named = session.execute(select(model.id, model.name).where(col(model.id).in_(ids)))
            found |= {(field, str(id_)): name for id_, name in named}
    return found


def _diff_row(row: Looked, named: Mapping[tuple[str, str], str], sees: set[str], *, checked: bool) -> DiffRow:
    def said(text: str | None) -> str:
        if row.field not in sees:
            return HIDDEN
        return shown(row, text, named)

    return DiffRow(
        id=f"{row.field}-{row.subject_id}",
        sku=row.sku,
        name=row.name or f"#{row.subject_id}",
        place=row.place,
        label=FIELDS[row.field].label,
        before=said(row.before),
        after=said(row.after),
        fault=sentence(row.fault, said(row.now)) if checked and row.fault else "",
        href="",
    )


def shown(row: Looked, text: str | None, named: Mapping[tuple[str, str], str]) -> str:
    """Write a kept value as people read it."""
    if text is None:
        return "none"
    if row.field in ("category_id", "supplier_id"):
        return named.get((row.field, text), f"#{text}")
    if row.field == "active":
        return "in use" if text == "true" else "archived"
    number = Decimal(text)
    return said(number, row.currency) if row.field == PRICE.name else f"{number.normalize():,f} {row.unit}"


@dataclass(frozen=True, slots=True)
class FieldChoices:
    """What the form for many products offers."""

    fields: list[tuple[str, str]]
    categories: list[tuple[str, str]]
    suppliers: list[tuple[str, str]]


@query(Permission.PRODUCTS_MANAGE)
def field_choices(session: Session) -> FieldChoices:
    """Return what can be changed of many products at once, and from what is chosen."""
    categories = session.execute(
        select(Category.id, Category.name).where(col(Category.active)).order_by(col(Category.sort_key))
    )
    suppliers = session.execute(
        select(Supplier.id, Supplier.name).where(col(Supplier.status) == "approved").order_by(col(Supplier.sort_key))
    )
    return FieldChoices(
        [(one.name, one.label) for one in FIELDS.values() if one.kind == "products"],
        [(str(id_), name) for id_, name in categories],
        [(str(id_), name) for id_, name in suppliers],
    )


@query(Permission.PRODUCTS_VIEW)
def products_of_items(session: Session, *, item_ids: list[int]) -> list[int]:
    """Return the products of these items, each once: for lists whose rows are items."""
    found = session.scalars(
        sa.select(PRODUCT.c.id)
        .where(PRODUCT.c.id.in_(sa.select(ITEM.c.product_id).where(ITEM.c.id == _prices.any_of(item_ids))))
        .order_by(PRODUCT.c.id)
    )
    return list(found)
