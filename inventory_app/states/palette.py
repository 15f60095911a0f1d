"""What the palette finds: products and suppliers by a few letters of what they are called."""

from dataclasses import dataclass

import reflex as rx

from inventory_app.operations import items, products, suppliers
from inventory_app.operations._lists import View
from inventory_app.operations._product_list import product_href
from inventory_app.permissions import Permission
from inventory_app.states import _view
from inventory_app.states._action import Line, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

_MOST = 6


@dataclass(frozen=True)
class Hit:
    """Something that was found, and where it is."""

    kind: str
    label: str
    meta: str
    href: str


class PaletteState(rx.State):
    """What was found for what is typed into the palette."""

    hits: list[Hit] = []
    asked: str = ""

    @rx.event
    @action()
    async def find(self, text: Line) -> None:
        """Find products and suppliers, of what this person may see."""
        self.hits, self.asked = [], text
        if not text:
            return
        auth_state = await self.get_state(AuthState)
        found: list[Hit] = []
        with auth_state.audit_context():
            if auth_state._may(Permission.PRODUCTS_VIEW):  # noqa: SLF001  # ours
                # What was scanned stands first, where Enter takes it.
                scanned = await fetch(products.find_by_barcode, text=text)
                if scanned:
                    found.append(Hit("product", scanned.name, "Barcode", product_href(scanned.product_id)))
            if auth_state._may(Permission.INVENTORY_VIEW):  # noqa: SLF001  # ours
                # More rows than hits: a product has one at each of its locations.
                page = await fetch(items.list_items, view=View(search=text, size=_MOST * 4))
                by_sku = {row.sku: row for row in page.rows}
                found += [
                    Hit("product", row.product, row.sku, _view.href("/inventory", {"q": row.sku}))
                    for row in list(by_sku.values())[:_MOST]
                ]
            if auth_state._may(Permission.SUPPLIERS_VIEW):  # noqa: SLF001  # ours
                listing = await fetch(suppliers.list_suppliers, view=View(search=text, size=_MOST))
                found += [
                    Hit("supplier", row.name, row.place or row.status.capitalize(), f"/suppliers/{row.id}")
                    for row in listing.page.rows
                ]
        self.hits = found
