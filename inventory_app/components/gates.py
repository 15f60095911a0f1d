"""What a person sees because of what they may do: comfort only, the operation decides."""

import reflex as rx

from inventory_app.components.basics import Content
from inventory_app.permissions import Permission
from inventory_app.states.auth import AuthState


def may(permission: Permission) -> rx.Var[bool]:
    """Say whether the person signed in holds the permission."""
    return AuthState.permissions.get(permission.value, False).to(bool)


def can(permission: Permission, *children: Content, otherwise: Content | None = None) -> rx.Component:
    """Show the children only to people who hold the permission."""
    return rx.cond(may(permission), rx.fragment(*children), otherwise or rx.fragment())


def cannot(permission: Permission, *children: Content) -> rx.Component:
    """Show the children only to people who do not hold the permission."""
    return rx.cond(may(permission), rx.fragment(), rx.fragment(*children))
