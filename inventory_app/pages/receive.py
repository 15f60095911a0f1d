"""Receiving: scan or choose an order, count what came line by line, and book it; made for a phone at the dock."""

import reflex as rx

from inventory_app.components import feedback, forms, gates, layout
from inventory_app.components.basics import button, icon, ident, link, stack
from inventory_app.components.scanning import scan_field
from inventory_app.operations.receipts import Waiting
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.receiving import PATH, Part, ReceiveState, ScanState

S = ReceiveState
O = ReceiveState.order  # noqa: E741  # the order
C = ScanState


def _styles() -> rx.Component:
    return rx.el.link(rel="stylesheet", href="/receiving.css", custom_attrs={"precedence": "page"})


@page(PATH, "Receive goods", Permission.ORDERS_RECEIVE, on_load=[C.load])
def receive() -> rx.Component:
    """Find the order that what stands at the dock belongs to."""

    def waiting(one: rx.Var[Waiting]) -> rx.Component:
        return layout.pick(
            one.number,
            rx.el.bdi(one.supplier),
            href=one.href,
            end=rx.el.span(one.open, class_name="sum-of"),
            key=one.order_id,
        )

    return rx.fragment(
        _styles(),
        layout.page_head("Receive goods", sub="Scan something of the delivery, or type the number of the order."),
        stack(
            layout.card(
                scan_field(
                    on_submit=C.scan,
                    turn=C.turn,
                    cleared=C.said,
                    error=forms.problem(C.errors, "code"),
                    hint="A scanner types the barcode and presses Enter.",
                )
            ),
            rx.el.p(C.said, class_name="scan-said", role="status"),
            gates.can(
                Permission.ORDERS_VIEW,
                rx.el.p("Nothing to scan? ", link("Choose from the orders under way", href="/orders?status=under_way")),
            ),
            rx.cond(
                C.orders.length() > 0,
                layout.card(rx.el.div(rx.foreach(C.orders, waiting)), title="Open orders", flush=True),
                rx.fragment(),
            ),
        ),
    )


@page(
    "/orders/[order]/receive",
    "Receive goods",
    Permission.ORDERS_RECEIVE,
    on_load=[S.load],
    crumbs=("Purchasing", ("Receive goods", PATH)),
    heading=rx.cond(O.is_not_none(), "Receive " + O.number, ""),
    back=PATH,
)
def receive_order() -> rx.Component:
    """Take in what came for the order, or say why nothing can."""
    missing = feedback.missing(
        "order",
        "Receive goods",
        PATH,
        text="The link may be old. Scan something of the delivery instead.",
        icon_name="inbox",
    )
    return rx.fragment(
        _styles(),
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(O.is_not_none(), _found(), missing)),
    )


def _found() -> rx.Component:
    to_order = "/orders/" + O.order_id.to_string()
    nothing = feedback.empty_state(
        O.why_not, "", button("The order", href=to_order), icon_name="circle-check", page=True
    )
    return rx.fragment(
        layout.page_head(
            "Receive " + O.number,
            sub=rx.fragment(rx.el.bdi(O.supplier), " · ", link("the order", href=to_order)),
        ),
        rx.cond(O.why_not, nothing, _form()),
    )


def _form() -> rx.Component:
    return stack(
        layout.card(
            scan_field(
                on_submit=S.scan, turn=S.turn, cleared=S.scan_turn, hint="Each scan counts one more of its line."
            ),
            rx.el.p(S.said, class_name="scan-said", role="status"),
        ),
        forms.form(
            forms.hidden_input("order_id", O.order_id.to_string()),
            layout.card(
                rx.el.ul(rx.foreach(S.parts, _part), class_name="came-lines"),
                title="What came",
                end=button("All of it", size="s", on_click=S.everything_came),
                flush=True,
            ),
            layout.card(
                stack(
                    rx.el.div(
                        forms.field(
                            "Put away at",
                            forms.select("location_id", O.locations, value=O.location_id),
                            error=forms.problem(S.errors, "location_id"),
                        ),
                        forms.field(
                            "Delivery note",
                            forms.text_input("delivery_note", max_length=60),
                            error=forms.problem(S.errors, "delivery_note"),
                            optional=True,
                        ),
                        class_name="form-row",
                    ),
                    forms.field(
                        "Note",
                        forms.textarea("note", rows=2, max_length=1000),
                        error=forms.problem(S.errors, "note"),
                        optional=True,
                    ),
                ),
                foot=rx.el.div(forms.submit("Book what came"), class_name="came-foot"),
            ),
            on_submit=S.receive_goods,
            turn=S.turn,
            idempotency_key=S.idempotency_key,
            key=S.begun,
        ),
    )


def _part(part: rx.Var[Part]) -> rx.Component:
    line = part.line
    name = "quantity:" + part.key
    wrong = _wrong("quantity", part)
    quantity = rx.el.input(
        name=name,
        default_value=part.quantity,
        input_mode="decimal",
        auto_complete="off",
        class_name="ctl",
        aria_label="Came of " + line.description,
        on_blur=lambda value: S.keep(part.key, value),
        key=part.key + "." + part.turn.to_string(),
        custom_attrs={
            "id": "f-" + name,
            "aria-describedby": "f-" + name + "-error",
            "aria-invalid": rx.cond(wrong, "true", "false"),
        },
    )
    said = rx.fragment(
        rx.cond(line.sku, rx.fragment(ident(line.sku), " · "), ""),
        line.open_said,
        " of ",
        line.ordered,
        " ",
        line.unit,
        " open",
    )
    another = rx.cond(
        line.lots_kept & part.first,
        button("Another lot", icon_name="plus", size="s", on_click=S.another_lot(line.line_id)),
        rx.fragment(),
    )
    more = rx.el.div(
        rx.cond(
            line.lots_kept,
            rx.fragment(_more(part, "lot", "Lot", max_length=60), _more(part, "expires", "Good until", type="date")),
            rx.fragment(),
        ),
        rx.cond(line.stocked, rx.cond(line.lots_kept, _place(part), _elsewhere(part)), rx.fragment()),
        another,
        class_name="came-more",
    )
    return rx.el.li(
        rx.el.div(
            rx.el.strong(rx.el.bdi(line.description)),
            rx.el.div(rx.cond(part.first, said, "one more lot"), class_name="meta"),
        ),
        rx.el.div(quantity, rx.el.span(line.unit, class_name="suffix"), class_name="ctl-wrap"),
        forms.fault(wrong, "f-" + name + "-error"),
        more,
        class_name="came-line",
        key=part.key,
        custom_attrs={
            "data-first": rx.cond(part.first, "true", "false"),
            "data-invalid": rx.cond(wrong, "true", "false"),
        },
    )


def _wrong(what: str, part: rx.Var[Part]) -> rx.Var[str]:
    return S.errors.get(what + ":" + part.key, "").to(str)


def _more(part: rx.Var[Part], what: str, label: str, *, type: str = "text", **props: object) -> rx.Component:  # noqa: A002  # as in HTML
    """Ask for one more thing about what came of a line."""
    name, wrong = what + ":" + part.key, _wrong(what, part)
    control = rx.el.input(
        name=name,
        type=type,
        auto_complete="off",
        class_name="ctl",
        custom_attrs={
            "id": "f-" + name,
            "aria-describedby": "f-" + name + "-error",
            "aria-invalid": rx.cond(wrong, "true", "false"),
        },
        **props,
    )
    return _asked(name, label, control, wrong)


def _place(part: rx.Var[Part]) -> rx.Component:
    name, wrong = "place:" + part.key, _wrong("place", part)
    control = rx.el.select(
        rx.el.option("As below", value=""),
        rx.foreach(O.locations, lambda pair: rx.el.option(pair[1], value=pair[0], key=pair[0])),
        name=name,
        class_name="ctl select",
        custom_attrs={"id": "f-" + name, "aria-describedby": "f-" + name + "-error"},
    )
    return _asked(name, "Where", control, wrong)


def _elsewhere(part: rx.Var[Part]) -> rx.Component:
    """Ask where it was put only of who says that it was put elsewhere: most of a delivery goes to one place."""
    return rx.el.details(
        rx.el.summary(icon("chevron-right", 14, class_name="chev"), "Put away elsewhere"),
        _place(part),
        class_name="fold fold-plain",
        open=_wrong("place", part) != "",
    )


def _asked(name: rx.Var[str], label: str, control: rx.Component, wrong: rx.Var[str]) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for="f-" + name, class_name="field-label"),
        control,
        forms.fault(wrong, "f-" + name + "-error"),
        class_name="field",
        custom_attrs={"data-invalid": rx.cond(wrong, "true", "false")},
    )
