"""Who may do what: the one vocabulary of permissions and the default roles.

The check, the pages, the role seed, the role x operation test and
`docs/permissions.md` all read this module; nothing else spells a permission.
"""

from collections.abc import Iterable
from enum import StrEnum, unique
from typing import Self


@unique
class Permission(StrEnum):
    """One thing a person may do, written `noun:verb`, with its label and category."""

    label: str
    category: str

    def __new__(cls, value: str, label: str, category: str) -> Self:
        """Make the member a plain string that also carries its label and category."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.category = category
        return member

    USERS_VIEW = "users:view", "See people", "Users and roles"
    USERS_MANAGE = "users:manage", "Invite, edit, enable and disable people", "Users and roles"
    USERS_ASSIGN_ROLES = "users:assign_roles", "Change a person's roles", "Users and roles"

    ROLES_VIEW = "roles:view", "See roles and who holds what", "Users and roles"
    ROLES_MANAGE = "roles:manage", "Change what roles may do", "Users and roles"

    SUPPLIERS_VIEW = "suppliers:view", "See suppliers", "Suppliers"
    SUPPLIERS_CREATE = "suppliers:create", "Enter a supplier", "Suppliers"
    SUPPLIERS_EDIT = "suppliers:edit", "Correct a supplier", "Suppliers"
    SUPPLIERS_APPROVE = "suppliers:approve", "Approve suppliers", "Suppliers"
    SUPPLIERS_OVERRIDE = "suppliers:override", "Order from a supplier that is not approved", "Suppliers"

    PRODUCTS_VIEW = "products:view", "See the catalogue", "Catalogue"
    PRODUCTS_MANAGE = "products:manage", "Change the catalogue", "Catalogue"

    INVENTORY_VIEW = "inventory:view", "See stock", "Stock"
    INVENTORY_CREATE = "inventory:create", "Add items", "Stock"
    INVENTORY_ADJUST = "inventory:adjust", "Adjust, issue and count", "Stock"
    INVENTORY_TRANSFER = "inventory:transfer", "Move between locations", "Stock"
    INVENTORY_BULK_UPDATE = "inventory:bulk_update", "Change many at once", "Stock"
    INVENTORY_REVERSE = "inventory:reverse", "Take postings back", "Stock"
    INVENTORY_IMPORT = "inventory:import", "Import", "Stock"
    INVENTORY_EXPORT = "inventory:export", "Export lists", "Stock"
    INVENTORY_REBUILD = "inventory:rebuild", "Rebuild totals from the movements", "Stock"

    PRICES_VIEW = "prices:view", "See costs and prices", "Prices"
    PRICES_UPDATE = "prices:update", "Change prices and values", "Prices"

    ORDERS_VIEW = "orders:view", "See orders and receipts", "Orders"
    ORDERS_CREATE = "orders:create", "Write, submit and place orders", "Orders"
    ORDERS_APPROVE = "orders:approve", "Approve orders", "Orders"
    ORDERS_RECEIVE = "orders:receive", "Receive goods and send them back", "Orders"

    INVOICES_VIEW = "invoices:view", "See invoices", "Invoices"
    INVOICES_RECORD = "invoices:record", "Record invoices and credit notes", "Invoices"
    INVOICES_RELEASE = "invoices:release", "Release blocked invoices", "Invoices"

    PAYMENTS_VIEW = "payments:view", "See payments and bank accounts", "Payments"
    PAYMENTS_PROCESS = "payments:process", "Pay invoices", "Payments"
    PAYMENTS_APPROVE = "payments:approve", "Approve payments and release bank accounts", "Payments"

    PORTAL_USE = "portal:use", "See the papers of one's own company", "Supplier portal"

    PERIODS_CLOSE = "periods:close", "Close and reopen periods", "Periods"
    SETTINGS_MANAGE = "settings:manage", "Change units, reasons and other lists", "Settings"

    AUDIT_VIEW = "audit:view", "See the audit trail and check the books", "Audit trail"
    AUDIT_EXPORT = "audit:export", "Export the audit trail", "Audit trail"


#: What needs a second person or moves money: never held by `system:*` and `cli:*` actors, and what somebody who is
#: away may let another person decide in their place.
NEEDS_A_PERSON = frozenset(
    {
        Permission.SUPPLIERS_APPROVE,
        Permission.SUPPLIERS_OVERRIDE,
        Permission.ORDERS_APPROVE,
        Permission.INVOICES_RELEASE,
        Permission.PAYMENTS_PROCESS,
        Permission.PAYMENTS_APPROVE,
    }
)

ADMIN = "admin"
EMPLOYEE = "employee"
#: For people who work for a supplier.
SUPPLIER = "supplier"


def works_for_a_supplier(held: Iterable[str]) -> bool:
    """Tell whether what somebody holds is what people of a supplier hold: the portal, and nothing besides."""
    return set(held) == {Permission.PORTAL_USE}


def _every(*categories: str) -> frozenset[Permission]:
    return frozenset(p for p in Permission if p.category in categories)


#: Role name -> (description, permissions). `admin` always equals the enum.
DEFAULT_ROLES: dict[str, tuple[str, frozenset[Permission]]] = {
    ADMIN: ("Everything, and cannot be changed", frozenset(Permission)),
    "manager": (
        "Runs stock and purchasing",
        _every("Suppliers", "Catalogue", "Stock", "Prices", "Orders", "Invoices", "Audit trail")
        - {Permission.SUPPLIERS_OVERRIDE},
    ),
    EMPLOYEE: (
        "Works in the warehouse",
        frozenset(
            {
                Permission.SUPPLIERS_VIEW,
                Permission.PRODUCTS_VIEW,
                Permission.INVENTORY_VIEW,
                Permission.INVENTORY_CREATE,
                Permission.INVENTORY_ADJUST,
                Permission.INVENTORY_TRANSFER,
                Permission.ORDERS_VIEW,
                Permission.ORDERS_RECEIVE,
            }
        ),
    ),
    "accountant": (
        "Invoices, payments and prices",
        _every("Prices", "Invoices", "Payments", "Periods")
        | {
            Permission.ORDERS_VIEW,
            Permission.SUPPLIERS_VIEW,
            Permission.PRODUCTS_VIEW,
            Permission.INVENTORY_VIEW,
            Permission.INVENTORY_EXPORT,
        },
    ),
    "auditor": (
        "Sees everything, changes nothing",
        _every("Audit trail") | {p for p in Permission if p.endswith(":view")},
    ),
    SUPPLIER: ("Sees the papers of their own company", frozenset({Permission.PORTAL_USE})),
}
