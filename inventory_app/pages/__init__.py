"""Every page; importing this package registers them."""

from inventory_app.pages import (
    apply,
    approvals,
    audit,
    away,
    home,
    imports,
    inventory,
    login,
    not_found,
    password,
    register,
    users,
    waiting,
)
from inventory_app.pages._page import app_options, register_pages

__all__ = [
    "app_options",
    "apply",
    "approvals",
    "audit",
    "away",
    "home",
    "imports",
    "inventory",
    "login",
    "not_found",
    "password",
    "register",
    "register_pages",
    "users",
    "waiting",
]
