"""Every page; importing this package registers them."""

from inventory_app.pages import (
    _sessions,
    apply,
    approvals,
    audit,
    confirm,
    home,
    imports,
    inventory,
    login,
    login_factor,
    not_found,
    password,
    register,
    security,
    users,
)
from inventory_app.pages._page import app_options, register_pages

__all__ = [
    "_sessions",
    "app_options",
    "apply",
    "approvals",
    "audit",
    "confirm",
    "home",
    "imports",
    "inventory",
    "login",
    "login_factor",
    "not_found",
    "password",
    "register",
    "register_pages",
    "security",
    "users",
]
