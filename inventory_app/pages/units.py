"""Units of measure: what quantities are counted in, and how finely."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, forms, listing, tables
from inventory_app.components.basics import button, icon_button, ident
from inventory_app.operations.units import FINEST, UnitRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.units import UnitsState

S = UnitsState
_DECIMALS = [("0", "Whole numbers"), *((str(n), f"{n} decimal{'s' if n > 1 else ''}") for n in range(1, FINEST + 1))]


@page("/settings/units", "Units", Permission.SETTINGS_MANAGE, on_load=[S.load])
def units() -> rx.Component:
    """Show the units and the dialogs that change them."""
    new = button("New unit", icon_name="plus", tone="solid", on_click=S.open_create)
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Units",
            sub="What quantities are counted in, and how finely",
            actions=[listing.export("units"), new],
        ),
        _create_dialog(),
        _edit_dialog(),
    )


def _table() -> rx.Component:
    return tables.table(
        tables.head(
            tables.column("Unit"),
            tables.column("Code"),
            tables.column("Counted as"),
            tables.column("Products", numeric=True),
        ),
        tables.body(S.rows, _row, columns=4, loading=S.loading, shape=("60%", "48px", "64px", "48pxr")),
        label="Units",
    )


def _row(row: rx.Var[UnitRow]) -> rx.Component:
    edit = icon_button("pencil", "Correct " + row.name, on_click=S.open_edit(row.code))
    return tables.row(
        tables.cell(
            tables.two_line(
                rx.el.bdi(row.name),
                "",
                phone=rx.fragment(row.code, " · ", row.example),
            ),
            card="title",
        ),
        tables.cell(ident(row.code)),
        tables.cell(row.example),
        tables.cell(tables.with_actions(row.products.to_string(), edit), numeric=True, card="figure"),
        key=row.code,
    )


def _create_dialog() -> rx.Component:
    code = forms.text_input("code", id="f-new-code", required=True, max_length=10, auto_focus=True, auto_complete="off")
    return dialogs.dialog(
        forms.fields_row(
            forms.field(
                "Code",
                code,
                error=forms.problem(S.errors, "code"),
                hint="Stands behind every quantity, and stays: 12 kg.",
            ),
            _name("new"),
        ),
        _decimals("new"),
        open=S.dialog == "create",
        on_open_change=S.close,
        title="New unit",
        status="Nothing is saved yet.",
        primary=forms.submit("Add the unit"),
        on_submit=S.create_unit,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _edit_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("code", _value("code")),
        forms.hidden_input("was", _value("was")),
        _name("old"),
        _decimals("old"),
        open=S.dialog == "edit",
        on_open_change=S.close,
        title="Correct the unit",
        sub=_value("code"),
        status="Nothing is saved yet.",
        primary=forms.submit("Save"),
        on_submit=S.update_unit,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _name(which: str) -> rx.Component:
    control = forms.text_input("name", id=f"f-{which}-name", value=_value("name"), required=True, max_length=60)
    return forms.field("Name", control, error=forms.problem(S.errors, "name"))


def _decimals(which: str) -> rx.Component:
    control = forms.select("decimals", _DECIMALS, id=f"f-{which}-decimals", value=_value("decimals"))
    return forms.field(
        "Counted as",
        control,
        error=forms.problem(S.errors, "decimals"),
        hint="More decimals at any time; fewer only as long as no quantity on record needs them.",
    )


def _value(name: str) -> Any:
    return S.values.get(name, "").to(str)
