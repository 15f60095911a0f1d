"""Reading the ledger: the list of movements, whatever they moved."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.catalog import Location, Product
from inventory_app.models.stock import InventoryItem, ReasonCode
from inventory_app.operations import as_of
from inventory_app.operations._lists import View
from inventory_app.operations._movement_lines import MovementLine, movement_lines
from inventory_app.operations._movement_list import KIND_WORDS, LIST
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import Page
from inventory_app.operations._remembered import Remembered
from inventory_app.operations.catalog import known_choices
from inventory_app.permissions import Permission


@dataclass(frozen=True, slots=True)
class Movements:
    """A page of movements: `view` as this viewer may have it, `count` the movements it leaves, and the choices."""

    view: View
    page: Page[MovementLine]
    count: int
    everything: int
    choices: dict[str, list[tuple[str, str]]]


@Remembered
def _everything(session: Session) -> int:
    return as_of.count_movements(session)


@query(Permission.INVENTORY_VIEW)
def list_movements(session: Session, *, view: View) -> Movements:
    """Return a page of movements with what they can be narrowed down by."""
    allowed = LIST.allowed(view, current_viewer(session).permissions)
    everything = _everything(session)
    page, count = LIST.listed(session, allowed, everything)
    lines = movement_lines(session, page.rows)
    return Movements(allowed, page.of(lines), count, everything, _choices(session, allowed))


def _choices(session: Session, view: View) -> dict[str, list[tuple[str, str]]]:
    asked = [int(id_) for id_ in view.filters.get("item", "").lstrip("!").split(",") if id_]
    items = session.execute(
        sa.select(col(InventoryItem.id), col(Product.sku), col(Location.name))
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .join(Location, col(Location.id) == col(InventoryItem.location_id))
        .where(col(InventoryItem.id).in_(asked))
    )
    reasons = session.execute(sa.select(col(ReasonCode.code), col(ReasonCode.label)).order_by(col(ReasonCode.position)))
    return {
        "item": [(str(id_), f"{sku} at {place}") for id_, sku, place in items],
        "kind": [(str(kind), words) for kind, words in KIND_WORDS.items()],
        "reason": [(code, label) for code, label in reasons],
        "location": [(str(one.id), one.label) for one in known_choices(session).locations],
    }
