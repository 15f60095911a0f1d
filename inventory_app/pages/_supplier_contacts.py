"""The card of whom to speak to at a supplier."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout
from inventory_app.components.basics import button, icon_button, link
from inventory_app.operations.supplier_contacts import ContactRow
from inventory_app.permissions import Permission
from inventory_app.states.supplier_contacts import SupplierContactsState

S = SupplierContactsState


def contacts_card() -> rx.Component:
    """Show the contacts of the open supplier, with the dialogs that enter and correct them."""
    new = gates.can(Permission.SUPPLIERS_EDIT, button("New contact", icon_name="plus", on_click=S.open_add))
    nothing = rx.el.div(
        rx.el.p("Nobody yet, besides whoever stands above: orders, invoices and quality may have their own people."),
        class_name="card-body muted",
    )
    return rx.fragment(
        layout.card(
            rx.cond(S.rows.length() > 0, layout.rows(rx.foreach(S.rows, _line)), nothing),
            title="Contacts",
            end=new,
            flush=True,
        ),
        _add_dialog(),
        _edit_dialog(),
    )


def _line(row: rx.Var[ContactRow]) -> rx.Component:
    off = rx.cond(row.active, rx.fragment(), rx.fragment(" ", feedback.badge("No longer there")))
    mail = rx.cond(row.email, link(row.email, href="mailto:" + row.email), rx.fragment())
    phone = rx.cond(row.phone, rx.fragment(rx.cond(row.email, " · ", ""), rx.el.bdi(row.phone)), rx.fragment())
    note = rx.cond(row.note, rx.fragment(" · ", rx.el.bdi(row.note)), rx.fragment())
    edit = gates.can(
        Permission.SUPPLIERS_EDIT, icon_button("pencil", "Correct " + row.name, on_click=S.open_edit(row.id))
    )
    return layout.row_item(
        rx.fragment(
            rx.el.bdi(row.name), rx.cond(row.position, rx.el.span(" · ", row.position, class_name="muted"), ""), off
        ),
        rx.fragment(mail, phone, note),
        icon_name="user",
        end=edit,
        key=row.id,
    )


def _add_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("supplier_id", S.supplier_id),
        *_fields("new", lambda _: ""),
        open=S.dialog == "add",
        on_open_change=S.close,
        title="New contact",
        status="Nothing is saved yet.",
        primary=forms.submit("Enter the contact"),
        on_submit=S.add_contact,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _edit_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("contact_id", S.contact.id.to_string()),
        forms.hidden_input("version", S.contact.version.to_string()),
        *_fields("old", lambda name: getattr(S.contact, name)),
        forms.choice("active", "Still there", "Who is off stays in the list, at its end.", checked=S.contact.active),
        open=S.dialog == "edit",
        on_open_change=S.close,
        title="Correct the contact",
        sub=rx.el.bdi(S.contact.name),
        status="Nothing is saved yet.",
        primary=forms.submit("Save"),
        on_submit=S.update_contact,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _fields(which: str, value: Any) -> list[rx.Component]:
    def ask(label: str, name: str, *, optional: bool = True, **props: Any) -> rx.Component:
        control = forms.text_input(name, id=f"f-{which}-contact-{name}", value=value(name), **props)
        return forms.field(label, control, error=forms.problem(S.errors, name), optional=optional)

    return [
        forms.fields_row(
            ask("Name", "name", optional=False, required=True),
            ask("For", "position", max_length=100, placeholder="invoices"),
        ),
        forms.fields_row(ask("Email", "email", type="email"), ask("Phone", "phone", type="tel")),
        ask("Note", "note", max_length=500),
    ]
