"""Where one can go: every page of the navigation, and who is shown the way."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from inventory_app.components import gates
from inventory_app.permissions import Permission
from inventory_app.states.auth import AuthState


@dataclass(frozen=True)
class Place:
    """One page in the navigation; shown to people who hold the permission."""

    label: str
    href: str
    icon: str
    permission: Permission | None = None
    waiting: Any = None
    #: Another permission that opens the page as well.
    or_permission: Permission | None = None
    #: For people of suppliers alone.
    portal: bool = False
    #: Routes of its pages that are not below its own address.
    also: tuple[str, ...] = ()


COMPANY = Place("Your company", "/portal", "building-2", portal=True)
SALES = Place("Orders", "/portal/orders", "shopping-cart", portal=True)
SENT_INVOICES = Place("Invoices", "/portal/invoices", "receipt", portal=True)
RECEIVED_PAYMENTS = Place("Payments", "/portal/payments", "banknote", portal=True)
#: All that people of suppliers are shown the way to, beside their own account.
PORTAL = (COMPANY, SALES, SENT_INVOICES, RECEIVED_PAYMENTS)

HOME = Place("Home", "/", "house")
WAITING = Place("Waiting for me", "/approvals", "inbox", waiting=AuthState.waiting_approvals)
OWN = (
    Place("Your profile", "/profile", "user"),
    Place("Sign-in and security", "/profile/security", "shield-check"),
    Place("While you are away", "/profile/away", "calendar-off"),
)
INVENTORY = Place("Inventory", "/inventory", "boxes", Permission.INVENTORY_VIEW)
REORDER = Place("To reorder", "/reorder", "shopping-cart", Permission.INVENTORY_VIEW)
PRODUCTS = Place("Products", "/products", "shopping-basket", Permission.PRODUCTS_VIEW)
CATEGORIES = Place("Categories", "/categories", "folder-tree", Permission.PRODUCTS_VIEW)
LOCATIONS = Place("Locations", "/locations", "map-pin", Permission.PRODUCTS_VIEW)
LOTS = Place("Lots", "/lots", "calendar-clock", Permission.PRODUCTS_VIEW)
UNITS = Place("Units", "/settings/units", "ruler", Permission.SETTINGS_MANAGE)
IMPORTS = Place(
    "Imports", "/imports", "file-input", Permission.INVENTORY_IMPORT, or_permission=Permission.SUPPLIERS_CREATE
)
SHIPMENTS = Place("Shipments", "/shipments", "package", Permission.INVENTORY_VIEW)
PRICES = Place("Prices", "/pricing", "tag", Permission.PRICES_VIEW)
CHANGES = Place("Sets of changes", "/changes", "list-checks", Permission.PRODUCTS_VIEW)
MOVEMENTS = Place("Movements", "/movements", "activity", Permission.INVENTORY_VIEW)
AS_OF = Place("Stock at a moment", "/as-of", "clock", Permission.INVENTORY_VIEW)
BOOKS = Place("Books", "/books", "book-check", Permission.AUDIT_VIEW)
SUPPLIERS = Place("Suppliers", "/suppliers", "truck", Permission.SUPPLIERS_VIEW)
APPROVALS = Place(
    "Supplier approvals", "/suppliers/approvals", "circle-check", Permission.SUPPLIERS_VIEW, AuthState.waiting_suppliers
)
ORDERS = Place("Orders", "/orders", "file-text", Permission.ORDERS_VIEW)
RECEIPTS = Place("Receipts", "/receipts", "inbox", Permission.ORDERS_VIEW)
RECEIVE = Place(
    "Receive goods", "/receive", "scan-barcode", Permission.ORDERS_RECEIVE, also=("/orders/[order]/receive",)
)
INVOICES = Place("Invoices", "/invoices", "receipt-text", Permission.INVOICES_VIEW)
PAYMENTS = Place("Payments", "/payments", "banknote", Permission.PAYMENTS_VIEW)
DUE = Place("To pay", "/payments/due", "hand-coins", Permission.PAYMENTS_VIEW)
AGEING = Place("What we owe", "/payments/ageing", "scale", Permission.INVOICES_VIEW)
AUDIT = Place("Audit trail", "/audit", "shield-check", Permission.AUDIT_VIEW)
ROLES = Place("Roles", "/admin/roles", "key-round", Permission.ROLES_VIEW, also=("/admin/explain",))
REASONS = Place("Reasons", "/settings/reasons", "list", Permission.SETTINGS_MANAGE)
PERIODS = Place("Closed periods", "/settings/periods", "calendar-check", Permission.PERIODS_CLOSE)
PEOPLE = Place("People", "/admin/users", "users", Permission.USERS_VIEW, AuthState.waiting_people)

#: The groups of the side bar, in order.
GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("Stock", (INVENTORY, MOVEMENTS, AS_OF, PRICES, CHANGES, REORDER, SHIPMENTS, IMPORTS)),
    ("Catalogue", (PRODUCTS, LOTS, CATEGORIES, LOCATIONS)),
    ("Purchasing", (SUPPLIERS, APPROVALS, ORDERS, RECEIVE, RECEIPTS, INVOICES, DUE, PAYMENTS, AGEING)),
    ("Control", (AUDIT, BOOKS, ROLES, PEOPLE)),
    ("Settings", (REASONS, UNITS, PERIODS)),
)


def place_of(route: str) -> Place | None:
    """Return the place whose page a route is: the one with the longest address that the route is at or below."""
    known = [(address, place) for place in _everywhere() for address in (place.href, *place.also)]
    found = [
        (address, place)
        for address, place in known
        if route == address or (route.startswith(address + "/") and place is not HOME)
    ]
    return max(found, key=lambda one: len(one[0]), default=("", None))[1]


def _everywhere() -> tuple[Place, ...]:
    return (HOME, WAITING, *OWN, *PORTAL, *(place for _, places in GROUPS for place in places))


def open_to(place: Place, entry: rx.Component) -> rx.Component:
    """Show the way to a place only to people who may go there."""
    if place.portal:
        return rx.cond(AuthState.of_a_supplier, entry, rx.fragment())
    if place.permission is None:
        return rx.cond(AuthState.of_a_supplier, rx.fragment(), entry)
    elsewhere = gates.can(place.or_permission, entry) if place.or_permission else None
    return gates.can(place.permission, entry, otherwise=elsewhere)


def group_of(route: str) -> str:
    """Name the group a route stands in, for the breadcrumb; empty when it stands in none."""
    for name, places in GROUPS:
        if any(route == place.href or route.startswith(place.href + "/") for place in places):
            return name
    return ""
