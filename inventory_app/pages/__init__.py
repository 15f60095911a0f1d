"""Every page; importing this package registers them."""

from inventory_app.pages import (
    apply,
    approvals,
    audit,
    home,
    imports,
    inventory,
    link,
    login,
    not_found,
    password,
    profile,
    register,
    supplier,
    suppliers,
    users,
)
from inventory_app.pages._page import app_options, register_pages

__all__ = [
    "app_options",
    "apply",
    "approvals",
    "audit",
    "home",
    "imports",
    "inventory",
    "link",
    "login",
    "not_found",
    "password",
    "profile",
    "register",
    "register_pages",
    "supplier",
    "suppliers",
    "users",
]
