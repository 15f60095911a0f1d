"""Receiving at the dock: scan or choose an order, count what came, and book it."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import reflex as rx

from inventory_app.errors import Invalid, InvalidRows
from inventory_app.operations import receipts, receiving
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._numbers import typed
from inventory_app.operations._receipt_lines import Came
from inventory_app.operations.receipts import Awaited, ToReceive, Waiting
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, LongFormState, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.states.receipts import beside
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/receive"
_NOT_A_DAY = "Choose a day such as 2027-03-31."
_MOST_LOTS = 50


@dataclass(frozen=True, slots=True)
class Part:
    """What came of a line, or of one lot of it: `turn` grows when it was counted by a scan and not typed."""

    key: str
    first: bool
    line: Awaited
    quantity: str
    turn: int = 0


class ScanForm(Payload):
    """What a scanner or a person has typed."""

    code: Line


class ScanState(FormState, rx.State):
    """What was scanned, and the orders that wait for it."""

    said: str = ""
    product: str = ""
    orders: list[Waiting] = []

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def load(self) -> None:
        """Begin anew."""
        self.said, self.product, self.orders = "", "", []
        self._new_form()

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def scan(self, form: ScanForm) -> Any:
        """Find the orders that wait for what was scanned; the only one is opened at once."""
        if not form.code:
            raise Invalid(fields={"code": "Scan a barcode, or type it, a SKU or the number of an order."})
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(receipts.waiting_for, text=form.code)
        self.errors = {}
        self.product, self.orders = found.product, found.orders
        if len(found.orders) == 1:
            return rx.redirect(found.orders[0].href)
        if not found.orders:
            self.said = (
                f"No open order waits for {found.product}."
                if found.product
                else "No product has this barcode or SKU, and no open order this number."
            )
            return None
        self.said = f"{len(found.orders)} open orders wait for {found.product}. Choose the one on the delivery note."
        return None


class ReceiveState(LongFormState, rx.State):
    """What comes for the order the address names: a part for each line, and more where several lots came."""

    order: ToReceive | None = None
    parts: list[Part] = []
    #: What the last scan has counted, or why it has not.
    said: str = ""
    scan_turn: int = 0

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def load(self) -> None:
        """Show what of the order can be received; what led here by a scan is counted."""
        path = self.router.url.path.rstrip("/").removesuffix(PATH)
        asked = _view.number({"id": path.rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(receipts.order_to_receive, order_id=asked) if asked else None
        self.order, self.loading = found, False
        known = {line.line_id: line for line in found.lines} if found else {}
        if not self._begin(self.router.url.path + str(self.router.url.query_parameters)):
            # What was counted so far still counts.
            self.parts = [
                replace(part, line=known[part.line.line_id]) for part in self.parts if part.line.line_id in known
            ]
            return
        self.said = ""
        self.parts = [Part(str(line.line_id), first=True, line=line, quantity="") for line in known.values()]
        if product_id := _view.number(self.router.url.query_parameters, "product"):
            self._count(product_id)

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def keep(self, key: Line, quantity: Line) -> None:
        """Remember what was typed, so that a scan counts on from there."""
        self.parts = [replace(part, quantity=quantity) if part.key == key else part for part in self.parts]

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def scan(self, form: ScanForm) -> None:
        """Count one more of what was scanned."""
        if not form.code or self.order is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(receipts.waiting_for, text=form.code)
        self.scan_turn += 1
        if not found.product_id:
            self.said = "No product has this barcode or SKU."
        elif not self._count(found.product_id):
            self.said = f"{found.product} is not waited for in {self.order.number}."

    def _count(self, product_id: int) -> bool:
        """Count one more of the first part of a product that is not complete, else of its first one."""
        of_product = [part for part in self.parts if part.line.product_id == product_id]
        if not of_product:
            return False
        waiting = [part for part in of_product if _number(part.quantity) < Decimal(part.line.open)]
        chosen = (waiting or of_product)[0]
        counted = f"{(_number(chosen.quantity) + 1).normalize():f}"
        self.parts = [
            replace(part, quantity=counted, turn=part.turn + 1) if part.key == chosen.key else part
            for part in self.parts
        ]
        self.said = f"{chosen.line.description}: {counted} of {chosen.line.open_said} {chosen.line.unit}"
        return True

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def everything_came(self) -> None:
        """Fill in what is waited for."""
        self.parts = [
            replace(part, quantity=part.line.open, turn=part.turn + 1) if part.first and part.line.open != "0" else part
            for part in self.parts
        ]

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def another_lot(self, line_id: Id) -> None:
        """Make room for one more lot of a line."""
        of_line = [part for part in self.parts if part.line.line_id == line_id]
        if not of_line or len(of_line) >= _MOST_LOTS:
            return
        last = of_line[-1]
        added = Part(f"{line_id}-{len(of_line)}", first=False, line=last.line, quantity="")
        at = self.parts.index(last) + 1
        self.parts = [*self.parts[:at], added, *self.parts[at:]]

    @rx.event
    @action(receiving.receive_goods)
    async def receive_goods(self, form: dict[str, Note]) -> Any:
        """Book what the form says came of each part; what is left empty did not come."""
        order_id = _view.number(form, "order_id") or 0
        asked, keys, wrong = list[Came](), dict[int, str](), dict[str, str]()
        for name, value in form.items():
            what, _, key = name.partition(":")
            if what != "quantity" or not value or not (line_id := _view.number({"id": key.partition("-")[0]}, "id")):
                continue
            try:
                quantity = typed(value)
            except ValueError as error:
                wrong[name] = str(error)
                continue
            try:
                expires = date.fromisoformat(day) if (day := form.get(f"expires:{key}", "")) else None
            except ValueError:
                wrong[f"expires:{key}"] = _NOT_A_DAY
                continue
            place = _view.number(form, f"place:{key}")
            asked.append(Came(line_id, quantity, place, form.get(f"lot:{key}", ""), expires))
            keys[len(asked)] = key
        if wrong:
            raise Invalid(fields=wrong)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            try:
                done = await in_transaction(
                    receiving.receive_goods,
                    order_id=order_id,
                    lines=asked,
                    location_id=_view.number(form, "location_id"),
                    delivery_note=form.get("delivery_note", ""),
                    note=form.get("note", ""),
                    idempotency_key=form.get("idempotency_key") or None,
                )
            except InvalidRows as error:
                raise Invalid(fields=beside(error, keys)) from error
        self._saved()
        lines = f"{done.lines} line{'' if done.lines == 1 else 's'}"
        return [
            rx.redirect(f"/receipts/{done.receipt_id}"),
            _toast.success(f"{done.number}: {lines} received for {done.order_number}"),
        ]


def _number(text: str) -> Decimal:
    """Return what stands in a field so far, 0 where that is no quantity."""
    try:
        found = typed(text) if text.strip() else Decimal(0)
    except ValueError:
        return Decimal(0)
    return found if found.is_finite() and 0 <= found < LARGEST else Decimal(0)
