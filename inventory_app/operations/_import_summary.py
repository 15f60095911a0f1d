"""What a checked file would do as a whole: totals, what is assumed, what a person should look at before it comes in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.operations._import_fields import Kind
from inventory_app.operations._ledger import say
from inventory_app.settings import get_settings

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Total:
    """One figure: what it is, the number with its unit, what it means; `money` is for who may see costs and prices."""

    label: str
    figure: str
    meaning: str = ""
    money: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals, and sentences about what is assumed."""

    totals: Sequence[Total]
    notices: Sequence[str]

    def kept(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"totals": [asdict(total) for total in self.totals], "notices": list(self.notices)}


def read_back(kept: Mapping[str, Any] | None, *, money: bool) -> Summary:
    """Return what was kept, as far as somebody may see it."""
    if kept is None:
        return Summary([], [])
    totals = [Total(**one) for one in kept["totals"]]
    return Summary([total for total in totals if money or not total.money], kept["notices"])


def summary_of(session: Session, kind: Kind, run_id: int) -> Summary:
    """Sum up what the plan of a run would do."""
    totals, notices = _OF.get(kind, _nothing_more)(session, {"run": run_id})
    return Summary(totals, notices)


_Found = tuple[list[Total], list[str]]


def _nothing_more(_: Session, __: Mapping[str, object]) -> _Found:
    return [], []


_SUPPLIERS = sa.text("""
SELECT count(*) FILTER (WHERE NOT wanted ? 'tax_id') AS without_tax, count(*) AS everyone,
       count(DISTINCT wanted ->> 'country') AS countries
  FROM import_change WHERE run_id = :run AND target = 'supplier' AND state = 'new'
""")


def _suppliers(session: Session, run: Mapping[str, object]) -> _Found:
    found = session.execute(_SUPPLIERS, run).one()
    totals = [Total("Countries", f"{found.countries:,}")] if found.countries else []
    notices: list[str] = []
    if found.everyone:
        notices.append("New ones wait: somebody else than the person who imports them approves each one.")
    if found.without_tax:
        notices.append(f"{found.without_tax:,} of {found.everyone:,} new suppliers have no tax id.")
    return totals, notices


_NAMED = sa.text("""
SELECT count(*) FROM import_change WHERE run_id = :run AND target = 'category' AND state = 'changed' AND wanted ? 'name'
   AND before ->> 'name' ~ '^Category '
""")


def _categories(session: Session, run: Mapping[str, object]) -> _Found:
    named = session.execute(_NAMED, run).scalar_one()
    return [Total("Get their name", f"{named:,}", "had only their number")], []


# Each side by itself first: joined at once, the planner would compare every item with every product.
_OPENINGS = sa.text("""
WITH made AS MATERIALIZED (
  SELECT c.target_id AS id, c.wanted ->> 'unit_code' AS unit, v.active, v.reorder_point AS level, v.unit_price AS price
    FROM import_change c
   CROSS JOIN LATERAL jsonb_to_record(c.wanted) AS v(active boolean, reorder_point numeric, unit_price numeric)
   WHERE c.run_id = :run AND c.target = 'product' AND c.state = 'new'
), opened AS MATERIALIZED (
  SELECT w.* FROM import_change c
   CROSS JOIN LATERAL jsonb_to_record(c.wanted) AS w(product_id bigint, quantity numeric, cost numeric)
   WHERE c.run_id = :run AND c.target = 'inventory_item' AND c.state = 'new'
)
SELECT p.unit, sum(i.quantity) AS quantity, sum(round(i.quantity * i.cost, 4)) AS worth,
       count(*) FILTER (WHERE p.active AND p.level > 0 AND i.quantity <= p.level) AS due,
       count(*) FILTER (WHERE NOT p.active) AS inactive, count(*) FILTER (WHERE p.price = 0) AS free,
       count(*) AS products
  FROM opened i JOIN made p ON p.id = i.product_id GROUP BY 1 ORDER BY 2 DESC, 1
""")
_WITHOUT_COST = sa.text("""
SELECT count(*) FROM import_change c JOIN import_row r ON r.run_id = c.run_id AND r.row = c.row
 WHERE c.run_id = :run AND c.target = 'product' AND c.state = 'new' AND NOT r.data ? 'unit_cost' AND r.data ? 'unit_price'
""")
_MADE = sa.text("""
SELECT target, wanted ->> 'name' FROM import_change
 WHERE run_id = :run AND target IN ('category', 'location') AND state = 'new' ORDER BY 1, 2
""")


def _products(session: Session, run: Mapping[str, object]) -> _Found:
    units = session.execute(_OPENINGS, run).all()
    totals = [Total("On hand", say(one.quantity, one.unit), "opening stock of new products") for one in units]
    worth = sum((one.worth for one in units), Decimal(0))
    count, due = sum(one.products for one in units), sum(one.due for one in units)
    notices: list[str] = []
    if units:
        totals.append(Total("Worth", f"{worth:,.2f}", f"{get_settings().currency} at unit cost", money=True))
        totals.append(Total("To reorder", f"{due:,}", "new products at or below their reorder point"))
    without = session.execute(_WITHOUT_COST, run).scalar_one()
    if without:
        which = "New products have" if without == count else f"{without:,} of {count:,} new products have"
        notices.append(f"{which} no cost in the file: their price becomes their unit cost.")
    made: dict[str, list[str]] = {}
    for target, name in session.execute(_MADE, run):
        made.setdefault(target, []).append(name)
    if names := made.get("category"):
        word = "category is" if len(names) == 1 else "categories are"
        # Only those that came as numbers lack a name.
        hint = " A file of categories gives them their names." if any(n.startswith("Category ") for n in names) else ""
        notices.append(f"{len(names):,} {word} made: {_listed(names)}.{hint}")
    if names := made.get("location"):
        notices.append(f"The location {_listed(names)} is made.")
    if any(one.inactive for one in units):
        notices.append("Discontinued products stay visible with their stock and are not reordered.")
    if free := sum(one.free for one in units):
        notices.append(f"{free:,} of {count:,} new products have no price or a price of 0.")
    return totals, notices


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


_COUNTS = sa.text("""
WITH counted AS MATERIALIZED (
  SELECT w.product_id, w.cost, w.quantity - coalesce((c.before ->> 'quantity')::numeric, 0) AS difference
    FROM import_change c
   CROSS JOIN LATERAL jsonb_to_record(c.wanted) AS w(product_id bigint, quantity numeric, cost numeric)
   WHERE c.run_id = :run AND c.target = 'inventory_item' AND c.state <> 'same'
)
SELECT p.unit_code AS unit, sum(d.difference) FILTER (WHERE d.difference > 0) AS more,
       -sum(d.difference) FILTER (WHERE d.difference < 0) AS less, sum(round(d.difference * d.cost, 4)) AS worth
  FROM counted d JOIN product p ON p.id = d.product_id GROUP BY 1 ORDER BY 1
""")


def _stock(session: Session, run: Mapping[str, object]) -> _Found:
    units = session.execute(_COUNTS, run).all()
    totals = [Total("More", say(one.more, one.unit), "than on record") for one in units if one.more]
    totals += [Total("Less", say(one.less, one.unit), "than on record") for one in units if one.less]
    worth = sum((one.worth for one in units), Decimal(0))
    if units:
        totals.append(Total("Worth", f"{worth:+,.2f}", f"{get_settings().currency} of difference", money=True))
    return totals, []


_OF = {"suppliers": _suppliers, "categories": _categories, "products": _products, "stock": _stock}
