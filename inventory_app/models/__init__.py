"""Every table of the application; importing this package fills `SQLModel.metadata`."""

from inventory_app.audit import tables as audit_tables
from inventory_app.models import catalog, stock, suppliers, users

__all__ = ["audit_tables", "catalog", "stock", "suppliers", "users"]
