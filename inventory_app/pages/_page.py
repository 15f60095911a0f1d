"""One decorator makes a page: its route, its title, its permission, its frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, gates, layout, navigation
from inventory_app.components.basics import Text
from inventory_app.components.layout import Crumb
from inventory_app.permissions import Permission
from inventory_app.states.auth import AuthState

Render = Callable[[], rx.Component]

#: What `rx.App(...)` needs to look like us.
STYLESHEETS = ["/brand.css", "/shell.css", "/list.css", "/forms.css"]


@dataclass(frozen=True)
class Page:
    """A page as it will be handed to Reflex."""

    route: str
    title: str
    render: Render
    on_load: tuple[Any, ...]
    permission: Permission | None
    public: bool
    everybody: bool = False


#: Every page that was imported, by route.
PAGES: dict[str, Page] = {}


def page(  # noqa: PLR0913  # as many as there is to say about a page
    route: str,
    title: str,
    permission: Permission | None = None,
    *,
    on_load: Sequence[Any] = (),
    public: bool = False,
    everybody: bool = False,
    crumbs: Sequence[Crumb] | None = None,
    heading: rx.Var[str] | None = None,
    back: Text | None = None,
) -> Callable[[Render], Render]:
    """Put the function's content into the shell at `route`, for people who hold `permission`.

    `public` pages stand alone and are open to strangers; `everybody`: what has no permission is about one's own account
    and open to people of suppliers too. `crumbs` default to the group of the
    navigation; `heading` replaces the title in the bar when State knows a better one; `back`
    is where the arrow of the phone leads (an empty Var hides it). The first on_load of a public page is
    `AuthState.load_public`, of all others `AuthState.guard_page`.
    """

    def register(render: Render) -> Render:
        def framed() -> rx.Component:
            content = dialogs.closed_on_arrival(render)
            return content if public else _framed(content, title, permission, route, crumbs, heading, back, everybody)

        first = AuthState.load_public if public else AuthState.guard_page
        PAGES[route] = Page(route, title, framed, (first, *on_load), permission, public, everybody)
        return render

    return register


def register_pages(app: rx.App) -> None:
    """Hand every page that was imported to Reflex."""
    for entry in PAGES.values():
        app.add_page(
            entry.render,
            route=entry.route,
            title=f"Inventory · {entry.title}",
            on_load=list(entry.on_load),
        )


def app_options() -> dict[str, Any]:
    """Give `rx.App(**app_options())` the stylesheets, scripts, toasts and connection banner."""
    return {
        "stylesheets": STYLESHEETS,
        "html_lang": "en",
        "toaster": feedback.toaster(),
        "head_components": [
            rx.el.script(src="/app.js", defer=True),
            rx.el.script(src="/proofs.js", defer=True),
            rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
            rx.el.link(
                rel="preload",
                href="/fonts/inter-Regular.woff2",
                type="font/woff2",
                custom_attrs={"as": "font", "crossOrigin": "anonymous"},
            ),
            rx.el.meta(name="theme-color", content="#3e63dd"),
        ],
    }


def _framed(
    content: rx.Component,
    title: str,
    permission: Permission | None,
    route: str,
    crumbs: Sequence[Crumb] | None,
    heading: rx.Var[str] | None,
    back: Text | None,
    everybody: bool,  # noqa: FBT001  # passed on by `page`
) -> rx.Component:
    if permission is not None:
        refused = rx.cond(AuthState.of_a_supplier, feedback.not_of_the_portal(), feedback.not_allowed(permission))
        allowed = gates.can(permission, content, otherwise=refused)
    elif everybody:
        allowed = content
    else:
        allowed = rx.cond(AuthState.of_a_supplier, feedback.not_of_the_portal(), content)
    at = "/" + route.strip("/")
    group = navigation.group_of(at)
    return layout.shell(
        rx.cond(
            AuthState.signed_in,
            allowed,
            rx.cond(
                AuthState.is_hydrated,
                feedback.session_ended(AuthState.ended_because, AuthState.sign_in_href),
                layout.page_skeleton(),
            ),
        ),
        title=title if heading is None else rx.cond(heading, heading, title),
        crumbs=(group,) if crumbs is None and group else tuple(crumbs or ()),
        back=back,
        route=at,
    )
