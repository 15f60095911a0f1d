"""Papers of a supplier for tests, one of each kind, with what is ours alone marked by words that must never go out."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from inventory_app.models.catalog import Location
from inventory_app.models.payments import Payment, PaymentAllocation, SupplierBankAccount
from inventory_app.models.purchasing import (
    GoodsReceipt,
    GoodsReceiptLine,
    PurchaseOrder,
    PurchaseOrderLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.models.suppliers import SupplierContact
from inventory_app.models.users import LocalUser, UserInfo
from tests.factories import arrange, supplier

#: In every note, reason and name of ours; in nothing that a supplier is told.
OURS = "zzours"


@dataclass(frozen=True)
class Papers:
    """One supplier with one of everything, by id; `mark` is in every text that only this supplier may read."""

    mark: str
    supplier: int
    order: int
    line: int
    draft: int
    receipt: int
    invoice: int
    blocked: int
    payment: int
    waiting: int
    account: int

    @property
    def ids(self) -> dict[str, int]:
        """Return what an attacker would try, by the name of an argument."""
        return {
            "supplier_id": self.supplier,
            "order_id": self.order,
            "invoice_id": self.invoice,
            "receipt_id": self.receipt,
            "payment_id": self.payment,
            "account_id": self.account,
        }


def order_of(supplier_id: int, location_id: int, number: str | None, **columns: Any) -> PurchaseOrder:
    """Return an order that was placed, unless `columns` say otherwise."""
    placed = {"status": "ordered", "expected_on": date(2026, 4, 1)}
    placed |= dict.fromkeys(("approved_at", "ordered_at"), datetime(2026, 3, 2, tzinfo=UTC))
    return PurchaseOrder(
        number=number,
        supplier_id=supplier_id,
        location_id=location_id,
        currency="EUR",
        note=f"{OURS} note",
        override_reason=f"{OURS} override",
        **(placed | columns),
    )


def papers(mark: str, *, status: str = "approved", supplier_id: int = 0) -> Papers:
    """Make a supplier called after `mark`, or take one; with an order, a draft, a receipt, invoices and payments."""
    made = {"status": status, "email": f"{mark}@example.com", "decision_reason": f"{OURS} decided"}
    ident = supplier_id or supplier(mark.title(), **made).id or 0

    def build(session: Session) -> Papers:
        place = Location(code=f"D{mark.upper()}", name="Dock")
        session.add(place)
        session.flush()
        place_id = place.id or 0
        user = LocalUser(username=f"{OURS}.{mark}", password_hash="!", enabled=False)  # nobody signs in
        session.add(user)
        session.flush()
        clerk = user.id
        session.add(UserInfo(user_id=clerk or 0, email=f"{mark}@{OURS}.com", full_name=f"{OURS} {mark}"))

        def keep(row: Any) -> int:
            session.add(row)
            session.flush()
            return row.id

        keep(SupplierContact(supplier_id=ident, name=f"{mark} contact", email=f"c@{mark}.com", note=f"{OURS} contact"))
        account = keep(
            SupplierBankAccount(
                supplier_id=ident,
                holder=mark,
                iban=f"DE89370400440532{ident:06d}",
                currency="EUR",
                status="released",
                reason=f"{OURS} released",
                released_by=clerk,
            )
        )
        order = keep(
            order_of(
                ident,
                place_id,
                f"PO-{mark}",
                message=f"{mark} message",
                total=Decimal(100),
                payment_days=30,
                created_by=clerk,
                ordered_by=clerk,
            )
        )
        line = keep(
            PurchaseOrderLine(
                order_id=order,
                position=1,
                description=f"{mark} bolts",
                quantity=Decimal(10),
                unit_cost=Decimal(10),
                receivable=Decimal("11.5"),
                received=Decimal(4),
                given_up=Decimal(1),
                purchase_unit="pcs",
                supplier_sku=f"{mark}-1",
            )
        )
        draft = keep(
            order_of(ident, place_id, None, status="draft", ordered_at=None, approved_at=None, message=f"{OURS} draft")
        )
        receipt = keep(
            GoodsReceipt(
                number=f"GR-{mark}",
                order_id=order,
                location_id=place_id,
                delivery_note=f"{mark} delivery",
                note=f"{OURS} receipt",
            )
        )
        session.add(
            GoodsReceiptLine(
                receipt_id=receipt, position=1, order_line_id=line, quantity=Decimal(4), unit_cost=Decimal("77.77")
            )
        )
        invoice = keep(_invoice(ident, order, f"INV-{mark}", status="released", paid=Decimal(40), released_by=clerk))
        session.add(
            SupplierInvoiceLine(
                invoice_id=invoice,
                position=1,
                order_line_id=line,
                description=f"{mark} bolts",
                quantity=Decimal(10),
                unit_cost=Decimal(10),
                net=Decimal(100),
                tax=Decimal(0),
            )
        )
        blocked = keep(_invoice(ident, None, f"BLK-{mark}", status="blocked"))
        payment = keep(_payment(ident, account, f"PAY-{mark}", reference=f"{mark} reference"))
        session.add(PaymentAllocation(payment_id=payment, invoice_id=invoice, amount=Decimal(40)))
        waiting = keep(_payment(ident, account, f"{OURS}-WAIT-{mark}", status="waiting"))
        session.flush()
        return Papers(mark, ident, order, line, draft, receipt, invoice, blocked, payment, waiting, account)

    return arrange(build)


def _invoice(supplier_id: int, order_id: int | None, number: str, **columns: Any) -> SupplierInvoice:
    return SupplierInvoice(
        supplier_id=supplier_id,
        order_id=order_id,
        number=number,
        invoice_date=date(2026, 3, 10),
        due_on=date(2026, 4, 9),
        currency="EUR",
        net=Decimal(100),
        tax=Decimal(0),
        gross=Decimal(100),
        note=f"{OURS} invoice",
        release_reason=f"{OURS} release",
        **columns,
    )


def _payment(supplier_id: int, account: int, number: str, **columns: Any) -> Payment:
    return Payment(
        number=number,
        supplier_id=supplier_id,
        bank_account_id=account,
        amount=Decimal(40),
        currency="EUR",
        paid_on=date(2026, 3, 20),
        key=number,
        note=f"{OURS} payment",
        **columns,
    )
