"""Recording an invoice or a credit note: what stands above the lines, and as many lines as it takes."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import reflex as rx
from pydantic import Field

from inventory_app.errors import Invalid
from inventory_app.operations import invoices
from inventory_app.operations._invoice_drafts import Draft
from inventory_app.operations._invoice_fields import MOST_LINES, LineIn, reckoned
from inventory_app.operations._numbers import typed
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import Line, LongFormState, Note, action
from inventory_app.states.auth import AuthState
from inventory_app.states.invoices import PATH
from inventory_app.unit_of_work import fetch, in_transaction

_FIELDS = ("description", "quantity", "unit_cost", "tax_percent")
_NUMBERS = _FIELDS[1:]
_Key = Annotated[str, Field(max_length=10)]
_FieldName = Annotated[str, Field(max_length=20)]


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line of the form: `key` names its fields; one of an order says what was ordered."""

    key: str
    order_line_id: int = 0
    product: str = ""
    hint: str = ""
    description: str = ""
    quantity: str = ""
    unit_cost: str = ""
    tax_percent: str = ""
    #: What it comes to, with tax.
    amount: str = ""


class InvoiceFormState(LongFormState, rx.State):
    """The form of an invoice, or of a credit note about one."""

    draft: Draft | None = None
    suppliers: list[tuple[str, str]] = []
    lines: list[PaperLine] = []
    net: str = ""
    tax: str = ""
    gross: str = ""
    credit: bool = False

    _next: int = 0

    @rx.event
    @action(Permission.INVOICES_RECORD)
    async def load(self) -> None:
        """Begin with what is left to be invoiced or credited of what the address names, or with one empty line."""
        query = self.router.url.query_parameters
        order_id, invoice_id = _view.number(query, "order"), _view.number(query, "credits")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.draft = await fetch(invoices.paper_to_record, order_id=order_id, invoice_id=invoice_id)
            self.suppliers = [] if self.draft else await fetch(invoices.suppliers_to_choose)
        self.credit = invoice_id is not None or query.get("kind") == "credit_note"
        self.loading = False
        if not self._begin(f"{order_id} {invoice_id} {self.credit}"):
            return
        self._next = 0
        known = self.draft.lines if self.draft else []
        self.lines = [
            PaperLine(
                self._new_key(),
                one.order_line_id,
                one.description,
                one.hint,
                "",
                one.quantity,
                one.unit_cost,
                one.tax_percent,
            )
            for one in known
        ] or [PaperLine(self._new_key())]
        self._reckon()

    def _new_key(self) -> str:
        self._next += 1
        return str(self._next)

    @rx.event
    @action(Permission.INVOICES_RECORD)
    async def add_line(self) -> Any:
        """Put an empty line below the others, and the cursor into it."""
        if len(self.lines) >= MOST_LINES:
            raise Invalid(f"A paper has at most {MOST_LINES} lines.")
        key = self._new_key()
        self.lines = [*self.lines, PaperLine(key)]
        return rx.call_script(f"setTimeout(() => document.getElementById('f-description:{key}')?.focus(), 60)")

    @rx.event
    @action(Permission.INVOICES_RECORD)
    async def remove_line(self, key: _Key) -> None:
        """Take a line out of the form."""
        self.lines = [line for line in self.lines if line.key != key]
        self._reckon()

    @rx.event
    @action(Permission.INVOICES_RECORD)
    async def type_number(self, key: _Key, name: _FieldName, text: Line) -> None:
        """Reckon again what the lines come to."""
        if name in _NUMBERS:
            self.lines = [replace(one, **{name: text}) if one.key == key else one for one in self.lines]
            self._reckon()

    def _reckon(self) -> None:
        """Say what each line and all of them come to, as far as they are numbers."""
        lines = [_typed(line) for line in self.lines]
        amounts, total = reckoned(lines)
        self.lines = [replace(line, amount=amount) for line, amount in zip(self.lines, amounts, strict=True)]
        self.net, self.tax, self.gross = total

    @rx.event
    @action(invoices.record_invoice)
    async def record(self, form: dict[str, Note]) -> Any:
        """Record the paper, and show whether it agrees."""
        wrong: dict[str, str] = {}
        keys = [name.removeprefix("quantity:") for name in form if name.startswith("quantity:")]
        keys = [key for key in keys if _is_filled(form, key)]
        arguments: dict[str, Any] = {
            "supplier_id": _id(form, "supplier_id"),
            "number": form.get("number", ""),
            "invoice_date": _day(form, "invoice_date", wrong, needed=True),
            "lines": [_line(form, key, wrong) for key in keys],
            "gross": _number(form, "gross", wrong, needed=True),
            "currency": form.get("currency", ""),
            "rate": _number(form, "rate", wrong),
            "note": form.get("note", ""),
            "idempotency_key": form.get("idempotency_key") or None,
        }
        credit = form.get("kind") == "credit_note"
        due_on = None if credit else _day(form, "due_on", wrong)
        if wrong:
            raise Invalid(fields=wrong)
        auth_state = await self.get_state(AuthState)
        try:
            with auth_state.audit_context():
                if credit:
                    about = _id(form, "invoice_id")
                    done = await in_transaction(invoices.record_credit_note, invoice_id=about, **arguments)
                else:
                    order = _id(form, "order_id")
                    done = await in_transaction(invoices.record_invoice, order_id=order, due_on=due_on, **arguments)
        except Invalid as error:
            fields = {_by_key(name, keys): said for name, said in error.fields.items()}
            raise Invalid(None if fields else str(error), fields=fields) from error
        self._saved()
        number = "1 difference" if done.differences == 1 else f"{done.differences} differences"
        agrees = "it agrees" if done.status == "matched" else f"{number}, so it is blocked"
        return [rx.redirect(f"{PATH}/{done.invoice_id}"), _toast.success(f"Recorded {done.number}: {agrees}")]


def _by_key(name: str, keys: list[str]) -> str:
    """Name a field of a line by the line's key in the form, not by its place on the paper."""
    field, _, number = name.partition(":")
    if not number:
        return name
    # What has no field of its own stands beside the quantity.
    return f"{field if field in _FIELDS else 'quantity'}:{keys[int(number)]}"


def _id(form: dict[str, str], name: str) -> int | None:
    """Return the record that a hidden field names; 0 is none."""
    return _view.number(form, name) or None


def _is_filled(form: dict[str, str], key: str) -> bool:
    named = ("description", "quantity", "unit_cost")
    return _id(form, f"order_line_id:{key}") is not None or any(form.get(f"{name}:{key}", "").strip() for name in named)


def _typed(line: PaperLine) -> LineIn | None:
    try:
        return LineIn(
            line.description,
            typed(line.quantity.strip()),
            typed(line.unit_cost.strip()),
            typed(line.tax_percent.strip() or "0"),
        )
    except ValueError:
        # Said beside the field when it is sent.
        return None


def _line(form: dict[str, str], key: str, wrong: dict[str, str]) -> LineIn:
    return LineIn(
        description=form.get(f"description:{key}", ""),
        quantity=_number(form, f"quantity:{key}", wrong, needed=True),
        unit_cost=_number(form, f"unit_cost:{key}", wrong, needed=True),
        tax_percent=_number(form, f"tax_percent:{key}", wrong) or Decimal(0),
        order_line_id=_id(form, f"order_line_id:{key}"),
    )


def _number(form: dict[str, str], name: str, wrong: dict[str, str], *, needed: bool = False) -> Any:
    text = form.get(name, "").strip()
    if not text:
        if needed:
            wrong[name] = "Please fill this in."
        return None
    try:
        return typed(text)
    except ValueError as error:
        wrong[name] = str(error)
        return None


def _day(form: dict[str, str], name: str, wrong: dict[str, str], *, needed: bool = False) -> Any:
    text = form.get(name, "").strip()
    if not text and not needed:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        wrong[name] = "Enter a day such as 2026-11-30."
        return None
