"""Forms and fields. Busy is the browser's business (assets/app.js), errors come from State."""

from collections.abc import Sequence
from typing import Any, Literal

import reflex as rx

from inventory_app.components.basics import ButtonTone, Content, Flag, Text, _join, button, icon
from inventory_app.states.auth import AuthState

Options = Sequence[str] | Sequence[tuple[str, str]] | rx.Var[Any]


class NativeForm(rx.el.Div):
    """A form the browser itself posts: Reflex's own always prevents the default."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]
    auto_complete: rx.Var[str]


def form(
    *children: Content,
    on_submit: Any,
    turn: rx.Var[Any] | None = None,
    idempotency_key: Text | None = None,
    **props: Any,
) -> rx.Component:
    """Send the fields to a handler once; it is busy until `turn` (any State var) changes."""
    attrs = {"data-once": ""} | ({} if turn is None else {"data-turn": turn})
    hidden = [] if idempotency_key is None else [hidden_input("idempotency_key", idempotency_key)]
    return rx.el.form(
        *hidden,
        *children,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name=props.pop("class_name", "form"),
        custom_attrs=attrs | props.pop("custom_attrs", {}),
        **props,
    )


def native_form(*children: Content, action: str, **props: Any) -> rx.Component:
    """Post the fields to an HTTP route with the csrf token, leaving the page."""
    return NativeForm.create(
        hidden_input("csrf", AuthState.csrf),
        *children,
        action=action,
        method="post",
        class_name=props.pop("class_name", "form"),
        custom_attrs={"data-once": ""} | props.pop("custom_attrs", {}),
        **props,
    )


def hidden_input(name: str, value: Text) -> rx.Component:
    """Carry a value with the form that nobody sees."""
    return rx.el.input(type="hidden", name=name, value=value, read_only=True)


def problem(errors: rx.Var[dict[str, str]], name: str) -> rx.Var[str]:
    """Pick the sentence that belongs beside one field out of a dict of errors."""
    return errors.get(name, "").to(str)


def field(
    label: Text,
    control: rx.Component,
    *,
    error: Text = "",
    hint: Content | None = None,
    optional: bool = False,
    aside: Content | None = None,
    way_out: Content | None = None,
) -> rx.Component:
    """Put a label above a control, and below it a hint or what is wrong and the way out."""
    inner = _control_in(control)
    control_id = inner.custom_attrs.get("id") if inner else None
    head: list[Content] = [rx.el.label(label, html_for=control_id)]
    if optional:
        head.append(rx.el.span("optional", class_name="aside"))
    if aside is not None:
        head.append(aside)
    if inner is not None:
        inner.custom_attrs["aria-describedby"] = f"{control_id}-hint {control_id}-error"
        inner.custom_attrs["aria-invalid"] = rx.cond(error, "true", "false")
    below: list[Content] = []
    if hint is not None:
        below.append(rx.el.div(hint, class_name="field-hint", custom_attrs={"id": f"{control_id}-hint"}))
    return rx.el.div(
        rx.el.div(*head, class_name="field-label"),
        control,
        fault(error, f"{control_id}-error", way_out),
        *below,
        class_name="field",
        custom_attrs={"data-invalid": rx.cond(error, "true", "false")},
    )


def fault(error: Text, id: Text, way_out: Content | None = None) -> rx.Component:
    """Say below a control what is wrong with it; a `field` has one already."""
    return rx.el.div(
        icon("triangle-alert", 13),
        rx.el.span(error, " ", way_out or ""),
        class_name="field-error",
        custom_attrs={"id": id, "aria-live": "polite"},
    )


def shown(id: str, value: Text) -> rx.Component:
    """Show in the place of a control what cannot be changed here; it is not sent."""
    return rx.el.input(value=value, read_only=True, type="text", class_name="ctl ctl-shown", custom_attrs={"id": id})


def text_input(
    name: str,
    *,
    value: Text = "",
    type: str = "text",
    suffix: Content | None = None,
    id: str = "",
    **props: Any,
) -> rx.Component:
    """Take one line of text; `value` is what it starts with."""
    props.setdefault("default_value", value)
    control = rx.el.input(
        name=name,
        type=type,
        class_name=_join("ctl", props.pop("class_name", "")),
        custom_attrs={"id": id or f"f-{name}"} | props.pop("custom_attrs", {}),
        **props,
    )
    if suffix is None:
        return control
    return rx.el.div(control, rx.el.span(suffix, class_name="suffix"), class_name="ctl-wrap")


def number_input(name: str, *, value: Text = "", suffix: Content | None = None, **props: Any) -> rx.Component:
    """Take a number, with its unit muted inside the field."""
    return text_input(name, value=value, suffix=suffix, input_mode="decimal", auto_complete="off", **props)


def password_input(name: str, *, new: bool = False, id: str = "", **props: Any) -> rx.Component:
    """Take a password, with a button to show it and a word when Caps Lock is on (use `password_field`)."""
    control = rx.el.input(
        name=name,
        type="password",
        auto_complete="new-password" if new else "current-password",
        class_name="ctl",
        custom_attrs={"id": id or f"f-{name}", "data-password": ""},
        **props,
    )
    eye = rx.el.button(
        icon("eye", class_name="on"),
        icon("eye-off", class_name="off"),
        type="button",
        aria_label="Show the password",
        aria_pressed="false",
        class_name="icon-btn reveal",
        custom_attrs={"data-reveal": ""},
    )
    return rx.el.div(control, eye, class_name="ctl-wrap")


def password_field(label: Text, name: str, *, new: bool = False, **props: Any) -> rx.Component:
    """Label a password field and say below it when Caps Lock is on."""
    keys = ("error", "hint", "aside")
    made = field(
        label,
        password_input(name, new=new, **{k: v for k, v in props.items() if k not in keys}),
        **{k: v for k, v in props.items() if k in keys},
    )
    caps = rx.el.div(icon("info", 13), "Caps Lock is on", class_name="caps", role="status")
    made.children.insert(2, caps)
    return made


def textarea(name: str, *, value: Text = "", id: str = "", **props: Any) -> rx.Component:
    """Take several lines of text."""
    return rx.el.textarea(
        name=name,
        default_value=value,
        class_name="ctl",
        custom_attrs={"id": id or f"f-{name}"} | props.pop("custom_attrs", {}),
        **props,
    )


def select(
    name: str,
    options: Options,
    *,
    value: Text = "",
    placeholder: str = "",
    id: str = "",
    **props: Any,
) -> rx.Component:
    """Choose one of a list: strings, (value, label) pairs, or a State var of such pairs."""
    if isinstance(options, rx.Var):
        choices: list[Any] = [rx.foreach(options, lambda pair: rx.el.option(pair[1], value=pair[0], key=pair[0]))]
    else:
        pairs = [(o, o) if isinstance(o, str) else o for o in options]
        choices = [rx.el.option(text, value=val) for val, text in pairs]
    if placeholder:
        choices.insert(0, rx.el.option(placeholder, value=""))
    if "value_now" in props:
        props["value"] = props.pop("value_now")
    else:
        props["default_value"] = value
    return rx.el.select(
        *choices,
        name=name,
        class_name=_join("ctl select", props.pop("class_name", "")),
        custom_attrs={"id": id or f"f-{name}"} | props.pop("custom_attrs", {}),
        **props,
    )


def checkbox(name: str, label: Content, *, checked: Flag = False, **props: Any) -> rx.Component:
    """Take a yes or no, the words clickable."""
    box = rx.el.input(type="checkbox", name=name, default_checked=checked, class_name="check", **props)
    return rx.el.label(box, rx.el.span(label), class_name="check-line")


def choice(
    name: str | rx.Var[str], label: Content, meta: Content, *, checked: Flag = False, why_not: Text = "", **props: Any
) -> rx.Component:
    """Take a yes or no that needs explaining: a second line says what it means, or why it is not to be had."""
    words = rx.el.span(
        rx.el.span(label, class_name="strong"),
        rx.el.span(meta, class_name="meta"),
        rx.cond(
            why_not,
            rx.el.span(icon("lock", 12), why_not, class_name="meta choice-why"),
            rx.fragment(),
        ),
        class_name="two",
    )
    box = rx.el.input(
        type="checkbox", name=name, default_checked=checked, disabled=why_not != "", class_name="check", **props
    )
    return rx.el.label(box, words, class_name="check-line choice")


def submit(label: Content, *, tone: ButtonTone = "solid", wide: bool = False, **props: Any) -> rx.Component:
    """Send the form it stands in; named by verb and object."""
    return button(label, tone=tone, submit=True, wide=wide, **props)


def fields_row(*fields: rx.Component, arrow: bool = False) -> rx.Component:
    """Put two or three fields side by side, with an arrow between them when one becomes the other."""
    if arrow:
        first, second = fields
        return rx.el.div(first, icon("arrow-right", 14), second, class_name="form-row-arrow")
    return rx.el.div(*fields, class_name="form-row")


def honeypot(name: str = "company_fax") -> rx.Component:
    """Offer machines a field that people neither see nor reach."""
    return rx.el.div(
        rx.el.label("Leave this empty", rx.el.input(name=name, type="text", tab_index=-1, auto_complete="off")),
        class_name="trap",
        aria_hidden=True,
    )


def form_footer(*children: Content, align: Literal["start", "end"] = "start") -> rx.Component:
    """Put a form's buttons in one line below its fields."""
    return rx.el.div(*children, class_name=_join("form-foot", "end" if align == "end" else ""))


def _control_in(component: rx.Component) -> rx.Component | None:
    """Find the input, select or textarea a field labels."""
    if getattr(component, "tag", "") in {"input", "select", "textarea"}:
        return component
    return next((c for child in component.children if (c := _control_in(child)) is not None), None)
