"""Dialogs and menus: Radix primitives (focus trap, ARIA, Esc) in our own clothes."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from inventory_app.components import _radix, forms, gates
from inventory_app.components.basics import ButtonTone, Content, Text, _join, button, icon
from inventory_app.states._action import DECLARED


def dialog(
    *body: Content,
    open: rx.Var[bool],
    on_open_change: Any,
    title: Text,
    sub: Content | None = None,
    status: Content = "",
    primary: Content | None = None,
    cancel: str = "Cancel",
    on_submit: Any = None,
    turn: rx.Var[Any] | None = None,
    idempotency_key: Text | None = None,
    size: Literal["s", "m", "l"] = "m",
) -> rx.Component:
    """Ask for something in a box over the page; with `on_submit` the whole box is one form."""
    foot = rx.el.div(
        rx.el.div(status, class_name="status", aria_live="polite"),
        _closing(button(cancel)),
        *([primary] if primary is not None else []),
        class_name="dialog-foot",
    )
    inside: list[Content] = [rx.el.div(rx.el.div(*body, class_name="form"), class_name="dialog-body"), foot]
    if on_submit is not None:
        inside = [
            forms.form(
                *inside, on_submit=on_submit, turn=turn, idempotency_key=idempotency_key, class_name="dialog-form"
            )
        ]
    return _box(
        _head(title, sub),
        *inside,
        open=open,
        on_open_change=on_open_change,
        class_name=_join("dialog", "" if size == "m" else f"dialog-{size}"),
        on_interact_outside=rx.prevent_default,
        **({} if sub is not None else {"custom_attrs": {"aria-describedby": rx.Var("undefined")}}),
    )


@dataclass(slots=True)
class _Closing:
    """What closes dialogs of a page, and when one of them is open."""

    close: Any
    open: rx.Var[bool]


_CAME_BACK = rx.Var("!!window.inventoryCameBack?.()", _var_type=bool)
#: The dialogs of the page that is being built, by what closes them.
_dialogs_of_page: ContextVar[dict[str, _Closing] | None] = ContextVar("dialogs_of_page", default=None)


def closed_on_arrival(content: Callable[[], rx.Component]) -> rx.Component:
    """Build the content of a page whose dialogs are closed when somebody arrives at it.

    State outlives the page: what was left open by the browser's back, a bookmark or a reload would stand over whatever
    page comes next. Nothing is sent for what is closed already. Whoever was asked for a fresh proof in between goes on
    in the dialog that they left.
    """
    found: dict[str, _Closing] = {}
    token = _dialogs_of_page.set(found)
    try:
        built = content()
    finally:
        _dialogs_of_page.reset(token)
    if not found:
        return built
    return rx.fragment(built, rx.fragment(on_mount=[_closed(one) for one in found.values()]))


def _closed(one: _Closing) -> Any:
    # Only what the person may send: a dialog they never see cannot be open either.
    permission = getattr(one.close.fn, DECLARED).permission
    left_open = (one.open if permission is None else one.open & gates.may(permission)) & ~_CAME_BACK
    return rx.cond(left_open, one.close(False), rx.noop())  # noqa: FBT003  # as a dialog sends it


def confirm(
    *,
    open: rx.Var[bool],
    on_open_change: Any,
    title: Text,
    text: Content,
    action: Text,
    on_confirm: Any,
    keep: str = "Keep it",
    tone: ButtonTone = "destroy",
    turn: rx.Var[Any] | None = None,
) -> rx.Component:
    """Ask once, naming the thing, before something that cannot be taken back."""
    foot = rx.el.div(
        rx.el.div(class_name="status"),
        _closing(button(keep)),
        button(action, tone=tone, on_click=on_confirm, once=True),
        class_name="dialog-foot",
        custom_attrs={} if turn is None else {"data-turn": turn},
    )
    return _box(
        rx.el.div(_radix.DialogTitle.create(title, class_name="dialog-title"), class_name="dialog-head"),
        rx.el.div(_described(text), class_name="dialog-body"),
        foot,
        open=open,
        on_open_change=on_open_change,
        role="alertdialog",
        class_name="dialog dialog-s",
    )


def before_after(*rows: tuple[Text, Text, Text, Content], head: Text = "After") -> rx.Component:
    """Show in a small table what would change: name, now, change, then."""
    names = (head, "Now", "Change", "Then")
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(*[rx.el.th(n, scope="col", class_name="num" if i else "") for i, n in enumerate(names)])
            ),
            rx.el.tbody(
                *[rx.el.tr(*[rx.el.td(c, class_name="num" if i else "") for i, c in enumerate(r)]) for r in rows]
            ),
            class_name="tbl",
        ),
        class_name="mini",
    )


def menu(trigger: rx.Component, *items: rx.Component, align: Literal["start", "center", "end"] = "end") -> rx.Component:
    """Open a list of things to do from a button (an `icon_button` or `button` without on_click)."""
    content = _radix.MenuContent.create(*items, align=align, side_offset=4, collision_padding=8, class_name="menu")
    return _radix.MenuRoot.create(
        _radix.MenuTrigger.create(trigger, as_child=True), _radix.MenuPortal.create(content), modal=False
    )


def menu_item(
    label: Content,
    *,
    icon_name: str = "",
    on_select: Any = None,
    href: Text | None = None,
    danger: bool = False,
    disabled: bool | rx.Var[bool] = False,
    ticked: rx.Var[bool] | None = None,
    closes: bool = False,
    key: Any = None,
    away: str = "",
    custom_attrs: dict[str, Any] | None = None,
) -> rx.Component:
    """Offer one thing to do in a menu, or a place to go; with `ticked` one of several choices.

    After a choice the menu stays for the next one, unless it `closes`. `away` is an address that is none of our
    pages: a file.
    """
    parts: list[Content] = [icon(icon_name)] if icon_name else []
    if away:
        file = rx.el.a(*parts, label, href=away, class_name="menu-item", custom_attrs=custom_attrs or {})
        return _radix.MenuItem.create(file, as_child=True)
    if ticked is not None:
        attrs = {"role": "menuitemcheckbox", "aria-checked": rx.cond(ticked, "true", "false")}
        names, keyed = "menu-item menu-choice", {} if key is None else {"key": key}
        if href is None:
            kept_open = on_select.prevent_default
            return _radix.MenuItem.create(
                icon("check"), label, class_name=names, on_select=kept_open, custom_attrs=attrs
            )
        choice = ReactRouterLink.create(icon("check"), label, to=href, class_name=names, custom_attrs=attrs)
        stays = {} if closes else {"on_select": rx.prevent_default}
        return _radix.MenuItem.create(choice, as_child=True, **stays, **keyed)
    names = _join("menu-item", "btn-danger" if danger else "")
    if href is not None:
        return _radix.MenuItem.create(ReactRouterLink.create(*parts, label, to=href, class_name=names), as_child=True)
    return _radix.MenuItem.create(
        *parts, label, class_name=names, disabled=disabled, **({} if on_select is None else {"on_select": on_select})
    )


def menu_line() -> rx.Component:
    """Separate groups of a menu."""
    return _radix.MenuSeparator.create(class_name="menu-line")


def _head(title: Text, sub: Content | None) -> rx.Component:
    close = rx.el.button(icon("x"), type="button", aria_label="Close", class_name="icon-btn dialog-x")
    return rx.el.div(
        _radix.DialogTitle.create(title, class_name="dialog-title"),
        *([_described(sub, "dialog-sub")] if sub is not None else []),
        _closing(close),
        class_name="dialog-head",
    )


def _described(content: Content, class_name: str = "") -> rx.Component:
    return _radix.DialogDescription.create(rx.el.div(content, class_name=class_name), as_child=True)


def _closing(child: rx.Component) -> rx.Component:
    return _radix.DialogClose.create(child, as_child=True)


def _box(*children: Content, open: rx.Var[bool], on_open_change: Any, **props: Any) -> rx.Component:
    found = _dialogs_of_page.get()
    if found is not None:
        name = f"{on_open_change.state_full_name}.{on_open_change.fn.__name__}"
        known = found.get(name)
        found[name] = _Closing(on_open_change, known.open | open if known else open)
    return _radix.DialogRoot.create(
        _radix.DialogPortal.create(
            _radix.DialogOverlay.create(class_name="scrim"), _radix.DialogContent.create(*children, **props)
        ),
        open=open,
        on_open_change=on_open_change,
    )
