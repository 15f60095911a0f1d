"""What is due, and what a payment would be: rows made for who looks; amounts need `prices:view`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import AppError
from inventory_app.models._base import now
from inventory_app.models.payments import SupplierBankAccount
from inventory_app.models.purchasing import InvoiceKind, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _chain, _matching
from inventory_app.operations import _payment_holds as holds
from inventory_app.operations import _payment_rules as rules
from inventory_app.operations._lists import View
from inventory_app.operations._money import in_base, said
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import Page
from inventory_app.operations._payment_list import DUE, WHENS
from inventory_app.operations._supplier_rules import listed
from inventory_app.operations.payment_views import choices, day_text, grouped, shown
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings


@dataclass(frozen=True, slots=True)
class DueRow:
    """An invoice or credit note that can be paid or set off."""

    id: int
    number: str
    supplier_id: int
    supplier: str
    kind: str
    date: str
    due: str
    #: "12 days late", empty when it is not.
    late: str
    gross: str
    open: str
    #: All that is open waits in a payment already.
    waits: bool
    #: Why payments to its supplier are held, if they are.
    held: str


@dataclass(frozen=True, slots=True)
class DueListing:
    """A page of what is due; `counts` are of the tabs."""

    view: View
    page: Page[DueRow]
    count: int
    everything: int
    counts: dict[str, int]
    suppliers: list[tuple[str, str]]
    currencies: list[tuple[str, str]]


@query(Permission.PAYMENTS_VIEW)
def list_due(session: Session, *, view: View) -> DueListing:
    """Return a page of what can be paid and is not, by the day it is due."""
    allowed = DUE.allowed(view, current_viewer(session).permissions)
    page, count = DUE.listed(session, allowed)
    statement = sa.select(SupplierInvoice, Supplier).join(
        Supplier, col(Supplier.id) == col(SupplierInvoice.supplier_id)
    )
    waiting, today = rules.waiting_for(session, page.rows), now().date()
    rows = {
        one.id: _due_row(session, one, supplier, waiting.get(one.id, Decimal(0)), today)
        for one, supplier in session.execute(statement.where(col(SupplierInvoice.id).in_(page.rows)))
    }
    counts = {when: DUE.count(session, View(filters={"when": when})) for when in WHENS}
    suppliers, currencies = choices(session, col(SupplierInvoice.supplier_id), col(SupplierInvoice.currency))
    everything = DUE.count(session, View())
    shown_rows = page.of([rows[id_] for id_ in page.rows])
    return DueListing(allowed, shown_rows, count, everything, counts, suppliers, currencies)


@query(Permission.PAYMENTS_VIEW)
def matching_due(session: Session, *, view: View, most: int) -> list[int]:
    """Return the ids of at most so many invoices of a view of what is due, over all its pages."""
    return DUE.ids(session, DUE.allowed(view, current_viewer(session).permissions), most)


def _due_row(session: Session, one: SupplierInvoice, supplier: Supplier, waits: Decimal, today: date) -> DueRow:
    late = (today - one.due_on).days
    return DueRow(
        id=one.id or 0,
        number=one.number,
        supplier_id=one.supplier_id,
        supplier=supplier.name,
        kind=one.kind,
        date=day_text(one.invoice_date),
        due=day_text(one.due_on),
        late="" if late <= 0 else f"{late:,} {'day' if late == 1 else 'days'} late",
        gross=shown(session, one.gross, one.currency),
        open=shown(session, one.gross - one.paid - waits, one.currency),
        waits=one.gross - one.paid == waits,
        held=holds.why_held(session, supplier),
    )


@dataclass(frozen=True, slots=True)
class ToPay:
    """An invoice that is about to be paid: what the form begins with, and why this person cannot, if so."""

    invoice_id: int
    number: str
    supplier: str
    open: str
    #: The plain number, for the form.
    amount: str
    currency: str
    #: What one of the currency was worth when it was recorded; empty for the base currency.
    rate: str
    base: str
    #: The released accounts to choose from, the usual one first; `account_id` is what the form begins with.
    accounts: list[tuple[str, str]]
    account_id: str
    credits: list[tuple[int, str, str]]
    #: Why payments to the supplier are held, if they are.
    held: str
    why_not: str
    who_can: str


@query(Permission.PAYMENTS_PROCESS)
def invoice_to_pay(session: Session, *, invoice_id: int) -> ToPay | None:
    """Return what paying an invoice would be; None when there is none, or when amounts may not be seen."""
    invoice = session.get(SupplierInvoice, invoice_id)
    viewer = current_viewer(session)
    if invoice is None or Permission.PRICES_VIEW not in viewer.permissions:
        return None
    supplier = session.get_one(Supplier, invoice.supplier_id)
    accounts = rules.released_accounts(session, invoice.supplier_id, invoice.currency)
    left = invoice.gross - invoice.paid - rules.waiting_for(session, [invoice_id]).get(invoice_id, Decimal(0))
    why, who = payer_of(session, invoice_id, viewer.user_id)
    base = get_settings().currency
    return ToPay(
        invoice_id=invoice_id,
        number=invoice.number,
        supplier=supplier.name,
        open=said(left, invoice.currency),
        amount=f"{left:.2f}",
        currency=invoice.currency,
        rate="" if invoice.currency == base else f"{invoice.rate.normalize():f}",
        base=base,
        accounts=[(str(one.id), _choice(one, viewer.user_id)) for one in accounts],
        account_id=str(rules.offered_account(session, invoice.supplier_id, invoice.currency, viewer.user_id) or ""),
        credits=_credits(session, invoice),
        held=holds.why_held(session, supplier),
        why_not=why,
        who_can=who,
    )


def _choice(account: SupplierBankAccount, user_id: int | None) -> str:
    # By whom matters: whoever released an account does not pay to it.
    mine = ", released by you" if user_id is not None and account.released_by == user_id else ""
    bank = f", {account.bank}" if account.bank else ""
    return f"{account.holder}, {grouped(account.iban)}{bank}{mine}"


def _credits(session: Session, invoice: SupplierInvoice) -> list[tuple[int, str, str]]:
    """Return the credit notes that could be set off against an invoice."""
    statement = (
        select(SupplierInvoice)
        .where(
            SupplierInvoice.supplier_id == invoice.supplier_id,
            SupplierInvoice.currency == invoice.currency,
            SupplierInvoice.kind == InvoiceKind.CREDIT_NOTE,
            _matching.PAYABLE,
            col(SupplierInvoice.paid) != col(SupplierInvoice.gross),
        )
        .order_by(col(SupplierInvoice.invoice_date), col(SupplierInvoice.id))
    )
    found = session.exec(statement).all()
    waiting = rules.waiting_for(session, [one.id or 0 for one in found])
    left = [(one, one.gross - one.paid - waiting.get(one.id or 0, Decimal(0))) for one in found]
    return [(one.id or 0, one.number, said(-rest, one.currency)) for one, rest in left if rest]


def payer_of(session: Session, invoice_id: int, user_id: int | None) -> tuple[str, str]:
    """Return why a person cannot pay an invoice, empty when they can, and who can instead."""
    invoice = session.get_one(SupplierInvoice, invoice_id)
    account = rules.offered_account(session, invoice.supplier_id, invoice.currency, user_id)
    had = _chain.parts(session, [invoice_id], [account] if account else [])
    refusal = _chain.refusal(session, had, user_id)
    if refusal is None:
        return "", ""
    able = _chain.who_can_pay(session, had)
    return str(refusal), f"{listed(able)} can." if able else "Nobody else may pay it now."


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """What one supplier would get, and why it cannot."""

    supplier_id: int
    supplier: str
    invoices: str
    amount: str
    account: str
    fault: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a batch would be; `fault` says why it cannot be made as it is."""

    rows: list[PreviewRow] = field(default_factory=list)
    currency: str = ""
    total: str = ""
    rate: str = ""
    base: str = ""
    fault: str = ""
    waits: bool = False


@query(Permission.PAYMENTS_PROCESS)
def preview_batch(session: Session, *, invoice_ids: list[int]) -> Preview:
    """Show by supplier what a batch of these invoices would pay, and what stands in its way."""
    if Permission.PRICES_VIEW not in current_viewer(session).permissions:
        return Preview(fault="Paying shows amounts, which you may not see. Ask an administrator.")
    known = session.exec(select(SupplierInvoice).where(col(SupplierInvoice.id).in_(invoice_ids))).all()
    currencies = sorted({one.currency for one in known})
    if not known:
        return Preview(fault="Choose an invoice to pay.")
    if len(currencies) > 1:
        return Preview(fault=f"These invoices are in {listed(currencies)}. A batch is in one currency: narrow it down.")
    currency, base = currencies[0], get_settings().currency
    waiting = rules.waiting_for(session, invoice_ids)
    names = _names(session, known)
    accounts = rules.usual_accounts(session, names, currency)
    rows: list[PreviewRow] = []
    total = counted = Decimal(0)
    for supplier_id, name in sorted(names.items(), key=lambda one: one[1].casefold()):
        mine = [one for one in known if one.supplier_id == supplier_id]
        left = [one.gross - one.paid - waiting.get(one.id or 0, Decimal(0)) for one in mine]
        amount = max(sum(left, Decimal(0)), Decimal(0))
        account = session.get(SupplierBankAccount, accounts[supplier_id]) if supplier_id in accounts else None
        total += amount
        counted += sum((in_base(one.paid, one.rate) for one in mine if one.kind == InvoiceKind.INVOICE), Decimal(0))
        rows.append(
            PreviewRow(
                supplier_id,
                name,
                ", ".join(one.number for one in mine),
                said(amount, currency),
                f"{account.holder}, {grouped(account.iban)}" if account else "",
                _fault(session, mine, left, account),
            )
        )
    worth = max(one.rate for one in known)
    rate = "" if currency == base else f"{worth.normalize():f}"
    waits = rules.must_wait(counted + in_base(total, worth))
    return Preview(rows, currency, said(total, currency), rate, base, waits=waits)


def _names(session: Session, invoices: Iterable[SupplierInvoice]) -> dict[int, str]:
    ids = {one.supplier_id for one in invoices}
    named = sa.select(col(Supplier.id), col(Supplier.name)).where(col(Supplier.id).in_(ids))
    return {row.id: row.name for row in session.execute(named)}


def _fault(
    session: Session, mine: Sequence[SupplierInvoice], left: Sequence[Decimal], account: SupplierBankAccount | None
) -> str:
    """Say why a supplier's part of a batch cannot be paid; empty when it can."""
    if 0 in left:
        return "Something of this is paid or waits already. Reload the list."
    if sum(left) <= 0:
        return "The credit notes come to as much as the invoices, or more. Settle them by themselves."
    if held := holds.why_not_together(session, session.get_one(Supplier, mine[0].supplier_id)):
        return str(held)
    if account is None:
        return "There is no released bank account in this currency."
    ids = [one.id or 0 for one in mine]
    refusal: AppError | None = _chain.why_not_pay(session, ids, current_viewer(session).user_id, [account.id or 0])
    return str(refusal or "")
