"""Every table of the application; importing this package fills `SQLModel.metadata`."""

from inventory_app.audit import tables as audit_tables
from inventory_app.models import (
    access,
    approvals,
    catalog,
    documents,
    imports,
    jobs,
    lists,
    payments,
    purchasing,
    stock,
    suppliers,
    totals,
    users,
)

__all__ = [
    "access",
    "approvals",
    "audit_tables",
    "catalog",
    "documents",
    "imports",
    "jobs",
    "lists",
    "payments",
    "purchasing",
    "stock",
    "suppliers",
    "totals",
    "users",
]
