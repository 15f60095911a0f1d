"""One's own account: name, address, picture, and the way to how one signs in."""

import reflex as rx

from inventory_app.components import feedback, forms, layout
from inventory_app.components.basics import button, link, row_of, stack, when
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState
from inventory_app.states.profile import ProfileState

S = ProfileState


@page("/profile", "Your account", on_load=[S.load], everybody=True, crumbs=("You",))
def profile() -> rx.Component:
    """Show one's own account and take corrections."""
    return rx.fragment(
        layout.page_head("Your account", sub=rx.fragment("Signed in as ", rx.el.strong(S.username))),
        rx.cond(
            S.loading,
            feedback.skeleton("60%"),
            layout.columns(
                layout.column(_details(), _address()),
                layout.column(_picture(), _ways(), _about()),
            ),
        ),
    )


def _details() -> rx.Component:
    return layout.card(
        forms.form(
            forms.hidden_input("version", S.version.to_string()),
            forms.field(
                "Full name",
                forms.text_input("full_name", value=S.full_name, auto_complete="name", required=True, max_length=200),
                error=forms.problem(S.errors, "full_name"),
                hint="As colleagues see it, beside everything you do.",
            ),
            forms.form_footer(forms.submit("Save the name")),
            key=S.version.to_string(),
            on_submit=S.update_profile,
            turn=S.turn,
            idempotency_key=S.idempotency_key,
        ),
        title="Name",
    )


def _address() -> rx.Component:
    return layout.card(
        forms.form(
            forms.hidden_input("version", S.version.to_string()),
            forms.field(
                "E-mail",
                forms.text_input("email", value=S.email, type="email", auto_complete="email", required=True),
                error=forms.problem(S.errors, "email"),
                hint="You are asked to confirm that it is you.",
            ),
            forms.form_footer(forms.submit("Save the address")),
            key=S.version.to_string() + "-email",
            on_submit=S.update_email,
            turn=S.turn,
            idempotency_key=S.idempotency_key + "-email",
        ),
        title="E-mail address",
    )


def _picture() -> rx.Component:
    shown = rx.cond(
        S.picture,
        rx.el.img(src=S.picture, alt="Your picture", width="96", height="96", class_name="portrait"),
        feedback.avatar(S.initials, size="l"),
    )
    remove = rx.cond(
        S.picture,
        rx.el.span(
            button("Remove it", tone="quiet", once=True, on_click=S.remove_picture(S.idempotency_key + "-picture")),
            custom_attrs={"data-turn": S.turn},
        ),
        rx.fragment(),
    )
    form = forms.native_form(
        forms.field(
            "A new picture",
            rx.el.input(
                type="file",
                name="picture",
                accept="image/jpeg,image/png,image/webp",
                required=True,
                class_name="ctl",
                custom_attrs={"id": "f-picture"},
            ),
            error=forms.problem(AuthState.form_errors, "picture"),
            hint="JPEG, PNG or WebP, at most 5 MB. It is cut to a square; nothing else of the file is kept.",
        ),
        forms.form_footer(forms.submit("Use this picture")),
        action="/profile/picture",
        custom_attrs={"encType": "multipart/form-data"},
    )
    return layout.card(stack(row_of(shown, remove), form), title="Picture")


def _about() -> rx.Component:
    return layout.card(
        feedback.facts(
            [
                ("Username", S.username),
                ("Roles", rx.cond(S.roles.length() > 0, S.roles.join(", "), "no role")),
                ("Account since", when(S.since, S.since, style="full")),
            ]
        ),
        title="About this account",
    )


def _ways() -> rx.Component:
    """Lead to what else is one's own."""

    def way(label: str, meta: str, href: str, icon_name: str) -> rx.Component:
        return layout.row_item(link(label, href=href, plain=True), meta, icon_name=icon_name)

    return layout.card(
        layout.rows(
            way(
                "Sign-in and security",
                "Second factors, and where you are signed in",
                "/profile/security",
                "shield-check",
            ),
            way("Password", "Choose another one", "/password", "key-round"),
            rx.cond(
                AuthState.of_a_supplier,
                rx.fragment(),
                way("While I am away", "Who decides in your place", "/profile/away", "calendar-off"),
            ),
        ),
        title="More about you",
        flush=True,
    )
