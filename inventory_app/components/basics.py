"""The small pieces everything else is made of: icons, links, buttons, times."""

from typing import Any, Literal

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

#: Words on screen: written here, or arriving from State.
Text = str | rx.Var[str]
#: A yes or no: written here, or arriving from State.
Flag = bool | rx.Var[bool]
#: Anything that can stand between two tags.
Content = rx.Component | rx.Var[Any] | str

ButtonTone = Literal["plain", "solid", "quiet", "danger", "destroy"]
Size = Literal["s", "m", "l"]


def icon(name: str, size: int = 16, **props: Any) -> rx.Component:
    """Draw one lucide icon in the weight of the text around it."""
    props.setdefault("stroke_width", 1.75)
    if name == "boxes":
        return _boxes(size, **props)
    return rx.icon(name, size=size, **props)


def link(*children: Content, href: Text, plain: bool = False, **props: Any) -> rx.Component:
    """Link inside the app without reloading the page; `plain` leaves the colour of the text."""
    names = ("" if plain else "link", props.pop("class_name", ""))
    return ReactRouterLink.create(*children, to=href, class_name=_join(*names), **props)


def button(
    label: Content,
    *,
    icon_name: str = "",
    tone: ButtonTone = "plain",
    size: Size = "m",
    href: Text | None = None,
    disabled: Flag = False,
    once: bool = False,
    wide: bool = False,
    key_hint: str = "",
    submit: bool = False,
    **props: Any,
) -> rx.Component:
    """Draw a button, or a link that looks like one; `once` makes it busy until `data-turn` changes."""
    parts: list[Content] = [icon(icon_name)] if icon_name else []
    parts.append(rx.el.span(label))
    if key_hint:
        parts.append(rx.el.kbd(key_hint, aria_hidden=True))
    names = ["btn", "" if tone == "plain" else f"btn-{tone}", "" if size == "m" else f"btn-{size}"]
    names += ["btn-wide" if wide else "", props.pop("class_name", "")]
    attrs = props.pop("custom_attrs", {}) | ({"data-once": ""} if once else {})
    if icon_name and isinstance(label, str) and label:
        # On the phone only the icon is left in a page's head.
        props.setdefault("aria_label", label)
        attrs["data-phone-tip"] = label
    if href is not None:
        return ReactRouterLink.create(*parts, to=href, class_name=_join(*names), custom_attrs=attrs, **props)
    return rx.el.button(
        *parts,
        type="submit" if submit else "button",
        class_name=_join(*names),
        disabled=disabled,
        custom_attrs=attrs,
        **props,
    )


def icon_button(name: str, label: Text, *, href: Text | None = None, once: bool = False, **props: Any) -> rx.Component:
    """Draw a square button with only an icon; the label is its name and its tooltip."""
    attrs = props.pop("custom_attrs", {}) | {"data-tip": label}
    if once:
        attrs["data-once"] = ""
    names = _join("icon-btn", props.pop("class_name", ""))
    if href is not None:
        return ReactRouterLink.create(
            icon(name), to=href, aria_label=label, class_name=names, custom_attrs=attrs, **props
        )
    return rx.el.button(icon(name), type="button", aria_label=label, class_name=names, custom_attrs=attrs, **props)


def when(
    iso: Text, text: Text, *, style: Literal["relative", "clock", "full"] = "relative", **props: Any
) -> rx.Component:
    """Show a time: `text` as the server wrote it, made relative in the reader's zone by the browser."""
    return rx.el.time(text, date_time=iso, custom_attrs={"data-relative": style}, **props)


def ident(text: Text, *, href: Text | None = None, **props: Any) -> rx.Component:
    """Show an id, SKU or hash with slashed zeros; with `href` it is a link."""
    if href is not None:
        return link(text, href=href, class_name="id", **props)
    return rx.el.span(text, class_name="id", **props)


def key(text: str) -> rx.Component:
    """Show one key of the keyboard."""
    return rx.el.kbd(text)


def row_of(*children: Content, **props: Any) -> rx.Component:
    """Put things side by side, 8 px apart."""
    return rx.el.div(*children, class_name=_join("row-x", props.pop("class_name", "")), **props)


def stack(*children: Content, tight: bool = False, **props: Any) -> rx.Component:
    """Put things under each other, 16 px apart, or 8 when `tight`."""
    names = _join("stack-s" if tight else "stack", props.pop("class_name", ""))
    return rx.el.div(*children, class_name=names, **props)


def _join(*names: str) -> str:
    return " ".join(name for name in names if name)


def _boxes(size: int, **props: Any) -> rx.Component:
    """Draw the app's own mark: three boxes, one on two."""
    shape = "M2.5 13h9v8h-9zM12.500 13h9v8h-9zM7.500 3.500h9v8h-9zM6 13v2.600M16 13v2.600M11 3.500v2.600"
    attrs = {"strokeLinejoin": "round", "strokeLinecap": "round", "aria-hidden": "true"}
    return rx.el.svg(
        rx.el.svg.path(d=shape),
        view_box="0 0 24 24",
        width=size,
        height=size,
        fill="none",
        stroke="currentColor",
        custom_attrs=attrs,
        **props,
    )
