"""The pictures and documents of a record: a card for any page whose on_load has `DocumentsState.load`."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout
from inventory_app.components.basics import button, icon, icon_button, stack, when
from inventory_app.operations.documents import DocumentRow
from inventory_app.states.documents import DocumentsState

S = DocumentsState
_TAKEN = ".jpg,.jpeg,.png,.webp,.pdf,.csv,.xlsx,.txt"


def documents(title: str = "Pictures and documents") -> rx.Component:
    """Show what is kept with the record, and take more from who may change it."""
    pictures = rx.cond(
        S.pictures.length() > 0, rx.el.ul(rx.foreach(S.pictures, _picture), class_name="pictures"), rx.fragment()
    )
    files = rx.cond(S.files.length() > 0, layout.rows(rx.foreach(S.files, _file)), rx.fragment())
    nothing = rx.cond(
        S.pictures.length() + S.files.length() == 0,
        rx.el.p("Nothing yet: data sheets, certificates and pictures are kept here.", class_name="muted"),
        rx.fragment(),
    )
    return rx.fragment(
        layout.card(
            stack(feedback.flash(), nothing, pictures, files, rx.cond(S.may_change, _form(), rx.fragment())),
            title=title,
        ),
        dialogs.confirm(
            open=S.removing > 0,
            on_open_change=S.close,
            title="Remove " + S.removing_name + "?",
            text="It cannot be looked at any more. That it was here stays in the history.",
            action="Remove it",
            on_confirm=S.remove_document(S.removing, S.idempotency_key),
            turn=S.turn,
        ),
    )


def _remove(row: rx.Var[DocumentRow]) -> rx.Component:
    taken = icon_button("trash-2", "Remove " + row.name, on_click=S.open_remove(row.id))
    return rx.cond(S.may_change, taken, rx.fragment())


def _picture(row: rx.Var[DocumentRow]) -> rx.Component:
    shown = rx.el.img(src=row.small, alt=row.name, width="96", height="96", loading="lazy")
    return rx.el.li(
        rx.el.a(shown, href=row.href, target="_blank", rel="noopener"), _remove(row), class_name="picture", key=row.id
    )


def _file(row: rx.Var[DocumentRow]) -> rx.Component:
    until = rx.cond(row.expires_on, " · good until " + row.expires_on, "")
    return layout.row_item(
        rx.el.a(rx.el.bdi(row.name), href=row.href, class_name="link", download=True),
        rx.fragment(row.size, until, " · ", row.added_by, ", ", when(row.added_at, row.added_at)),
        lead=icon("file-text", 18),
        end=_remove(row),
        key=row.id,
    )


def _form() -> rx.Component:
    chosen = rx.el.input(
        type="file", name="file", accept=_TAKEN, required=True, class_name="ctl", custom_attrs={"id": "f-file"}
    )
    form = forms.native_form(
        forms.field(
            "File", chosen, hint="Pictures: JPEG, PNG, WebP. Documents also PDF, CSV, XLSX, TXT. At most 10 MB."
        ),
        forms.fields_row(
            forms.field("Keep it as", forms.select("kind", [("image", "a picture"), ("document", "a document")])),
            forms.field("Good until", forms.text_input("expires_on", type="date"), optional=True),
        ),
        forms.form_footer(button("Add it", submit=True)),
        action=S.target,
        custom_attrs={"encType": "multipart/form-data"},
    )
    return rx.el.details(
        rx.el.summary(icon("chevron-right", 14, class_name="chev"), "Add a picture or document"),
        form,
        class_name="fold fold-plain",
    )
