"""What a supplier reads of our papers: plain words for where they stand, and nothing of how we got there."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from inventory_app.models.payments import Payment, PaymentStatus
from inventory_app.models.purchasing import InvoiceKind, InvoiceStatus, OrderStatus, PurchaseOrder, SupplierInvoice
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations._money import said


@dataclass(frozen=True, slots=True)
class Words:
    """Where something stands: a word with its tone for a badge, and a sentence."""

    word: str
    tone: str
    sentence: str


_SUPPLIER = {
    SupplierStatus.PENDING: Words("Being checked", "warn", "We are looking at your company's data."),
    SupplierStatus.APPROVED: Words("Approved", "ok", "We order from you."),
    SupplierStatus.REJECTED: Words("Not approved", "bad", "We do not order from you."),
    SupplierStatus.SUSPENDED: Words(
        "Suspended", "bad", "We do not order from you for the time being. What was ordered and invoiced stays here."
    ),
}
_ORDER = {
    OrderStatus.PARTIALLY_RECEIVED: Words("Delivered in part", "accent", "Some of it has arrived."),
    OrderStatus.RECEIVED: Words("Delivered", "ok", "Everything has arrived."),
    OrderStatus.CLOSED: Words("Closed", "neutral", "Nothing more is waited for."),
    OrderStatus.CANCELLED: Words("Cancelled", "bad", "Please do not deliver it."),
}
_TO_CONFIRM = Words("Please confirm", "warn", "Please say on which day you will deliver.")
_CHECKED = Words(
    "Being checked", "warn", "We compare it with the order and with what has arrived before it can be paid."
)
_VOID = Words("Cancelled", "neutral", "We have cancelled it: nothing is paid for it.")
_SET_OFF = Words("Set off", "ok", "It has been set off against your invoices.")
_TO_SET_OFF = Words("Agreed", "accent", "It is set off against your next invoices.")
_NOTHING_TO_PAY = Words("Agreed", "ok", "There is nothing to be paid.")


def day(on: date | None) -> str:
    """Write a day as people do; empty when there is none."""
    return f"{on:%-d %b %Y}" if on else ""


def number(quantity: Decimal) -> str:
    """Write a quantity without zeros at its end."""
    return f"{quantity.normalize():,f}"


def of_supplier(supplier: Supplier) -> Words:
    """Say where a supplier stands."""
    return _SUPPLIER[SupplierStatus(supplier.status)]


def of_order(order: PurchaseOrder) -> Words:
    """Say where an order stands that was placed."""
    known = _ORDER.get(OrderStatus(order.status))
    if known:
        return known
    if order.confirmed_on is None:
        return _TO_CONFIRM
    return Words("Confirmed", "accent", f"You have promised it for {day(order.confirmed_on)}.")


def of_invoice(invoice: SupplierInvoice) -> Words:
    """Say whether an invoice or credit note is agreed and paid; not what speaks against it, nor who agreed."""
    if invoice.status == InvoiceStatus.VOID:
        return _VOID
    if invoice.status == InvoiceStatus.BLOCKED:
        return _CHECKED
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return _SET_OFF if invoice.paid == invoice.gross else _TO_SET_OFF
    return _agreed(invoice)


def _agreed(invoice: SupplierInvoice) -> Words:
    if invoice.gross == 0:
        return _NOTHING_TO_PAY
    if invoice.paid == invoice.gross:
        return Words("Paid", "ok", "It is paid in full.")
    if invoice.paid:
        paid = f"{said(invoice.paid)} of {said(invoice.gross, invoice.currency)}"
        return Words("Paid in part", "accent", f"{paid} is paid, and the rest is due on {day(invoice.due_on)}.")
    return Words("Agreed", "accent", f"It is due on {day(invoice.due_on)}.")


def of_payment(payment: Payment) -> Words:
    """Say whether a payment stands."""
    if payment.status == PaymentStatus.VOID:
        return Words("Taken back", "bad", "It did not reach you or was wrong: what it was for is open again.")
    return Words("Paid", "ok", "It has been paid.")
