"""What the app says back: badges, callouts, empty states, toasts, the connection banner."""

from collections.abc import Sequence
from typing import Any, Literal

import reflex as rx
from reflex_base.components.memo import memo
from reflex_base.vars import Var
from reflex_components_core.core.banner import has_connection_errors
from reflex_components_sonner.toast import Toaster, toast_ref

from inventory_app.components.basics import Content, Text, _join, button, icon, link
from inventory_app.permissions import Permission
from inventory_app.states.auth import AuthState

Tone = Literal["neutral", "ok", "warn", "bad", "accent"]

_CALLOUT_ICONS = {"neutral": "info", "ok": "check", "warn": "triangle-alert", "bad": "triangle-alert", "accent": "info"}


def badge(text: Content, *, tone: Text = "neutral", dot: bool = True) -> rx.Component:
    """Name a state: a word with a dot; the tint only for what needs a person (tone may be a Var)."""
    mark = rx.el.span(class_name="dot", aria_hidden=True)
    names = f"badge tone-{tone}" if isinstance(tone, str) else "badge tone-" + tone
    return rx.el.span(*([mark] if dot else []), text, class_name=names)


def quiet_badge(text: Content, *, dot: Literal["ok", "warn", "bad", "accent"]) -> rx.Component:
    """Name a state that asks nothing of anybody: grey, only the dot has a colour."""
    return rx.el.span(rx.el.span(class_name=f"dot tone-{dot}", aria_hidden=True), text, class_name="badge")


def avatar(
    initials: Text, *, picture: Text = "", size: Literal["s", "m", "l"] = "s", system: bool = False
) -> rx.Component:
    """Show who by their picture, or by initials: a circle for a person, a square for a system actor."""
    names = _join("avatar", "" if size == "s" else f"avatar-{size}", "avatar-sys" if system else "")
    shown: Content = initials
    if isinstance(picture, rx.Var):
        shown = rx.cond(picture, rx.el.img(src=picture, alt=""), initials)
    return rx.el.span(shown, class_name=names, aria_hidden=True)


def count(number: Any) -> rx.Component:
    """Show how many wait for you; nothing when none do."""
    return rx.cond(
        number > 0, rx.el.span(number, rx.el.span(" waiting", class_name="sr"), class_name="count"), rx.fragment()
    )


def before(text: Content) -> rx.Component:
    """Show what it was: red and struck."""
    return rx.el.del_(text, class_name="before")


def after(text: Content) -> rx.Component:
    """Show what it is now: green."""
    return rx.el.ins(text, class_name="after")


def diff_pair(old: Text, new: Text) -> rx.Component:
    """Show one change as before → after; what is empty is a dash."""
    dash = rx.el.span("–", class_name="dim")
    return rx.el.span(
        rx.cond(old, before(old), dash),
        rx.el.span("→", class_name="muted"),
        rx.cond(new, after(new), dash),
        class_name="diff-pair",
    )


def diff_list(*pairs: tuple[Text, Content]) -> rx.Component:
    """List changed fields: name at the left, `diff_pair` at the right."""
    return rx.el.dl(*[part for name, change in pairs for part in (rx.el.dt(name), rx.el.dd(change))], class_name="diff")


def callout(
    *children: Content, tone: Tone = "neutral", title: Text = "", action: Content | None = None, icon_name: str = ""
) -> rx.Component:
    """Say something that stays: bold first words, then what to do, a button at the right if there is one."""
    lead = [rx.el.strong(title), " "] if not isinstance(title, str) or title else []
    return rx.el.div(
        icon(icon_name or _CALLOUT_ICONS[tone]),
        rx.el.div(*lead, *children, class_name="callout-text"),
        *([action] if action is not None else []),
        class_name=f"callout tone-{tone}",
        role="alert" if tone == "bad" else "note",
    )


def flash() -> rx.Component:
    """Show the message an HTTP route left for this page, once."""
    tone = AuthState.flash_tone
    return rx.cond(
        AuthState.flash,
        rx.match(
            tone,
            ("bad", callout(AuthState.flash, tone="bad")),
            ("error", callout(AuthState.flash, tone="bad")),
            ("warn", callout(AuthState.flash, tone="warn")),
            ("ok", callout(AuthState.flash, tone="ok")),
            ("success", callout(AuthState.flash, tone="ok")),
            callout(AuthState.flash),
        ),
        rx.fragment(),
    )


def empty_state(
    title: Text, text: Content, *actions: Content, icon_name: str = "inbox", page: bool = False
) -> rx.Component:
    """Teach what would be here and offer the button that fills it."""
    return rx.el.div(
        icon(icon_name, 24, stroke_width=1.5),
        rx.el.h1(title, class_name="h2") if page else rx.el.h2(title, class_name="h2"),
        rx.el.p(text),
        *([rx.el.div(*actions, class_name="row-x")] if actions else []),
        class_name=_join("empty", "empty-page" if page else ""),
    )


def missing(
    what: str,
    others: str,
    href: Text,
    *,
    text: str = "The link may be old. Look for it in the list.",
    icon_name: str = "search",
    page: bool = True,
) -> rx.Component:
    """Say that an address names nothing there is, and lead to where the others are."""
    return empty_state(f"There is no such {what}", text, button(others, href=href), icon_name=icon_name, page=page)


def not_allowed(permission: Permission) -> rx.Component:
    """Say which permission is missing and who can give it."""
    return empty_state(
        "You may not see this page",
        rx.fragment(
            "It needs the permission ",
            rx.el.strong(permission.label),
            " (",
            rx.el.span(permission.value, class_name="id"),
            "), which you do not have. Ask an administrator.",
        ),
        button("Go to the start page", href="/"),
        icon_name="lock",
        page=True,
    )


def not_of_the_portal() -> rx.Component:
    """Tell people of a supplier that a page is for our own people."""
    return empty_state(
        "You may not see this page",
        "Your account is for the supplier portal: the papers of your own company are there.",
        button("Go to the portal", href="/portal"),
        icon_name="lock",
        page=True,
    )


def session_ended(because: rx.Var[str], sign_in: rx.Var[str]) -> rx.Component:
    """Say why the session is over, as far as it is known, and lead to the sign-in page."""
    return empty_state(
        "Please sign in",
        rx.cond(
            because,
            because + " Whatever had been saved is saved.",
            "Either you have not signed in yet or your session has ended. Whatever had been saved is saved.",
        ),
        link("Sign in", href=sign_in, class_name="btn btn-solid", plain=True),
        icon_name="log-in",
        page=True,
    )


def skeleton(width: str = "100%", height: str = "8px") -> rx.Component:
    """Hold the place of something that is on its way."""
    return rx.el.span(class_name="skel", style={"width": width, "height": height}, aria_hidden=True)


def reasons(sentences: rx.Var[list[str]]) -> rx.Component:
    """List why something is not possible."""

    def line(sentence: rx.Var[str]) -> rx.Component:
        return rx.el.li(sentence, key=sentence)

    return rx.el.ul(rx.foreach(sentences, line), class_name="why-list")


def facts(pairs: Sequence[tuple[Text, Content]]) -> rx.Component:
    """List facts: name muted at the left, value at the right."""
    return rx.el.dl(*[part for name, value in pairs for part in (rx.el.dt(name), rx.el.dd(value))], class_name="facts")


class _KitToaster(Toaster):
    """Sonner, with errors that stay until they are closed."""

    def add_hooks(self) -> list[Var | str]:
        """Hand Reflex a `toast` whose errors have no time limit unless they bring one."""
        (plain,) = super().add_hooks()
        data = plain._get_all_var_data()  # noqa: SLF001  # Reflex has no public way to a var's imports
        code = (
            f"{toast_ref!s} = toast.kit ?? (toast.kit = Object.assign((...a) => toast(...a), toast, "
            "{error: (m, o) => toast.error(m, {duration: Infinity, ...o})}))"
        )
        return [Var(_js_expr=code, _var_data=data)]


def toaster() -> rx.Component:
    """Provide the toasts: at the top, where they cover neither a pager nor a dialog's buttons; 6 s, closable."""
    return _KitToaster.create(
        rich_colors=False,
        expand=True,
        visible_toasts=4,
        close_button=True,
        position="top-center",
        gap=8,
        custom_attrs={"duration": rx.Var("6000"), "containerAriaLabel": "Messages"},
    )


def connection_banner() -> rx.Component:
    """Say that the connection is lost and being tried again, instead of Reflex's own words."""
    return rx.cond(
        has_connection_errors,
        rx.el.div("Connection lost, trying again…", class_name="offline", role="status"),
        rx.fragment(),
    )


def overlay(stateful: bool) -> rx.Component | None:  # noqa: FBT001  # how Reflex calls it
    """Wrap the banner the way Reflex wants an app-level overlay (`rx.App(app_wraps=...)`)."""
    return rx.fragment(memo(connection_banner)()) if stateful else None
