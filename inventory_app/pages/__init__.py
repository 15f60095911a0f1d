"""Every page; importing this package registers them."""

from inventory_app.pages import (
    apply,
    approvals,
    audit,
    explain,
    home,
    imports,
    inventory,
    login,
    not_found,
    password,
    person,
    register,
    role,
    roles,
    users,
)
from inventory_app.pages._page import app_options, register_pages

__all__ = [
    "app_options",
    "apply",
    "approvals",
    "audit",
    "explain",
    "home",
    "imports",
    "inventory",
    "login",
    "not_found",
    "password",
    "person",
    "register",
    "register_pages",
    "role",
    "roles",
    "users",
]
