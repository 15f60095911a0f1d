"""Every handler a client can call, as Reflex has registered it, and one honest payload for each operation's."""

import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from reflex_base.registry import RegistrationContext
from sqlmodel import Session

import inventory_app.pages
from inventory_app.context import acting_as, system_actor
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity
from inventory_app.models.catalog import Category, Location, Lot, ProductPrice, SupplierProduct, Unit
from inventory_app.models.payments import Payment, PaymentAllocation
from inventory_app.models.purchasing import PurchaseOrder, PurchaseOrderLine, SupplierInvoice
from inventory_app.models.stock import InventoryItem, ReasonCode, StockMovement
from inventory_app.models.suppliers import Supplier, SupplierContact
from inventory_app.models.totals import BooksCheck
from inventory_app.operations import _order_approval, invoices, periods, reservations, shipments, stock
from inventory_app.operations._invoice_fields import LineIn
from inventory_app.permissions import DEFAULT_ROLES, Permission, works_for_a_supplier
from inventory_app.states._action import Action
from inventory_app.states.accounts import AccountsState
from inventory_app.states.apply import ApplyState
from inventory_app.states.auth import AuthState
from inventory_app.states.bank_accounts import BankAccountsState
from inventory_app.states.books import BooksState
from inventory_app.states.bulk_changes import BulkChangeState
from inventory_app.states.bulk_roles import BulkRolesState
from inventory_app.states.documents import DocumentsState
from inventory_app.states.due import DueState, PayState
from inventory_app.states.inventory import InventoryState
from inventory_app.states.invoice_form import InvoiceFormState
from inventory_app.states.invoice_page import InvoicePageState
from inventory_app.states.lots import ProductLotsState
from inventory_app.states.orders import OrdersState, OrderState
from inventory_app.states.payments import PaymentState
from inventory_app.states.periods import PeriodsState
from inventory_app.states.portal import PortalCompanyState, PortalOrderState
from inventory_app.states.pricing import PlannedPriceState, PricingState
from inventory_app.states.product_page import ProductPageState
from inventory_app.states.products import ProductsState
from inventory_app.states.profile import ProfileState
from inventory_app.states.reasons import ReasonsState
from inventory_app.states.receipts import ReceiptState
from inventory_app.states.receiving import ReceiveState
from inventory_app.states.roles import RolesState
from inventory_app.states.sessions import PersonSessionsState
from inventory_app.states.shipments import ShipmentsState
from inventory_app.states.stock_entries import StockEntryState
from inventory_app.states.supplier_accounts import SupplierAccountsState
from inventory_app.states.supplier_contacts import SupplierContactsState
from inventory_app.states.supplier_page import SupplierPageState
from inventory_app.states.supplier_products import SupplierProductsState
from inventory_app.states.suppliers import SupplierState
from inventory_app.states.take_back import TakeBackState
from inventory_app.states.trees import CategoriesState, LocationsState
from inventory_app.states.units import UnitsState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import read, transact
from tests import factories
from tests.fixtures.authenticator import give_app
from tests.fixtures.server import PASSWORD, Person, Site
from tests.fixtures.tab import event_name
from tests.operations import payables
from tests.operations.ordered import Ordered, came, ordered

_T = TypeVar("_T")

# Importing the pages imports every State, and with it registers every handler.
PAGES = inventory_app.pages


@dataclass(frozen=True)
class Handler:
    """One entry of Reflex's registry."""

    name: str
    declared: Action | None

    @property
    def short(self) -> str:
        """The State and the handler, for people."""
        return self.name.rpartition("____")[2]


def registered() -> dict[str, Handler]:
    """Return everything a client can call by name, ours and the framework's; States of tests are left out."""
    found = RegistrationContext.get().event_handlers.items()
    handlers = [Handler(name, getattr(entry.handler.fn, "declared_action", None)) for name, entry in found]
    return {handler.name: handler for handler in handlers if ".tests___" not in handler.name}


def may(handler: Handler, roles: tuple[str, ...]) -> bool:
    """Tell whether somebody who is signed in with `roles` may call a declared handler."""
    declared = handler.declared
    assert declared
    held = frozenset[Permission]().union(*(DEFAULT_ROLES[role][1] for role in roles))
    if works_for_a_supplier(held) and declared.permission is None:
        # What has no permission is for all of us; people of suppliers look after their own account.
        return declared.public or declared.everybody
    return declared.public or declared.permission is None or declared.permission in held


def parts(everything: Sequence[_T], size: int = 60) -> list[Sequence[_T]]:
    """Divide what is to be sent: a tab sends only so many events at once."""
    return [everything[first : first + size] for first in range(0, len(everything), size)]


@dataclass(frozen=True)
class Things:
    """What the examples are about: made anew for each person who tries them."""

    first: int
    second: int
    location: int
    #: What the items are of, and a price that is planned for it.
    product: int
    planned_price: int
    supplier: int
    another_supplier: int
    third_supplier: int
    colleague: Person
    newcomer: Person
    leaver: Person
    #: People about whom one thing each is done, so that nobody's version has moved: see `EXAMPLES`.
    others: tuple[Person, ...]
    #: Somebody who was invited and has not come.
    invited: int
    #: Roles that nobody holds, one for each operation that changes one; the fourth is deactivated.
    roles: tuple[int, ...]
    #: Products without stock: one to correct, one to archive, one that is archived.
    products: tuple[int, ...]
    #: Branches where nothing is: one to correct, one to close.
    categories: tuple[int, ...]
    locations: tuple[int, ...]
    unit: str
    #: Of a product that is kept by lot: itself, a lot, a supplier's terms, a picture.
    by_lot: int
    lot: int
    terms: int
    document: int
    #: Two that can be paid, and a payment that can be taken back.
    invoices: tuple[int, ...]
    payment: int
    booked: "Booked"
    ordered: "OrderedThings"
    #: Somebody of a supplier who may use the portal, and somebody who may no longer.
    of_a_supplier: tuple[int, int]


@dataclass(frozen=True)
class Booked:
    """What was done with the items: each can be continued or taken back once."""

    #: Operations that can be taken back, and the movement of another.
    operations: tuple[str, ...]
    movement: int
    product: int
    sku: str
    reservation: int
    shipment: int
    #: Reasons of their own: one for each operation that changes one.
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class OrderedThings:
    """Orders that were placed: one to receive, one of which something goes back, and a receipt to take back."""

    open: Ordered
    came: Ordered
    receipt: int


def make_things(site: Site) -> Things:
    """Put a product at two places, two suppliers in the queue, and two people into the list."""
    factories.add(BooksCheck(started_at=now(), started_by="test", plan=[], seen_at=now(), finished_at=now()))
    product = factories.product(f"SKU-{secrets.token_hex(3)}".upper())
    first, second = (factories.item(product.id, quantity=100) for _ in range(2))
    suppliers = [factories.supplier(f"{secrets.token_hex(5)} Ltd", source="staff") for _ in range(3)]
    by_lot = factories.product(_word().upper(), lots_kept=True).id or 0
    lot = factories.add(Lot(product_id=by_lot, code=_word())).id or 0
    sold_by = {"supplier_id": suppliers[0].id or 0, "product_id": by_lot, "cost": Decimal(1), "currency": "USD"}
    terms = factories.add(SupplierProduct(**sold_by)).id or 0
    payables.account(suppliers[0].id or 0)
    invoices = tuple(payables.invoice(suppliers[0].id or 0, 20, _word()).id or 0 for _ in range(3))
    colleague = site.person("colleague", "accountant")
    give_app(colleague.id)
    factories.add(ExternalIdentity(user_id=colleague.id, issuer="https://id.example", subject=colleague.username))
    return Things(
        first.id or 0,
        second.id or 0,
        factories.location(f"L{secrets.token_hex(4)}".upper()).id or 0,
        product.id or 0,
        _planned_price(product.id or 0),
        suppliers[0].id or 0,
        suppliers[1].id or 0,
        suppliers[2].id or 0,
        colleague,
        site.person("newcomer", enabled=False),
        site.person("leaver", enabled=False),
        tuple(site.person("other", "employee") for _ in range(4)),
        factories.invited(f"ivy-{_word()}"),
        tuple(
            factories.role(f"{_word()} role", "inventory:view", active=active)
            for active in (True, True, True, False, True)
        ),
        tuple(factories.product(_word().upper(), active=active).id or 0 for active in (True, True, False)),
        tuple(factories.add(Category(code=_word(), name="Tools")).id or 0 for _ in range(2)),
        tuple(factories.location(_word().upper()).id or 0 for _ in range(2)),
        factories.add(Unit(code=_word(), name="Crate")).code,
        by_lot,
        lot,
        terms,
        factories.document("product", by_lot),
        invoices,
        _payment(invoices[2]),
        _booked(first, second.location_id, product.sku),
        _ordered(),
        (_of_a_supplier(suppliers[0].id, active=True), _of_a_supplier(suppliers[0].id, active=False)),
    )


def _ordered() -> OrderedThings:
    """Place orders of things that are not kept in stock, and let some of them come."""
    pallets = {"quantity": Decimal(100), "description": "Pallet"}
    with acting_as(system_actor("test")):
        waiting, here, wrong = (ordered(pallets) for _ in range(3))
        came(here, 50)
        return OrderedThings(waiting, here, came(wrong, 50).receipt_id)


def _payment(invoice_id: int) -> int:
    """Add a payment of 5 in cash that counts."""

    def build(session: Session) -> int:
        invoice = session.get_one(SupplierInvoice, invoice_id)
        paid = {"amount": Decimal(5), "currency": invoice.currency, "method": "cash", "paid_on": now().date()}
        made = Payment(number=_word(), key=_word(), supplier_id=invoice.supplier_id, posted_at=now(), **paid)
        invoice.paid = Decimal(5)
        session.add(made)
        session.flush()
        session.add(PaymentAllocation(payment_id=made.id or 0, invoice_id=invoice_id, amount=Decimal(5)))
        return made.id or 0

    return factories.arrange(build)


def _of_a_supplier(supplier_id: int | None, *, active: bool) -> int:
    return factories.supplier_person(f"sue-{_word()}", supplier_id or 0, active=active).id or 0


def _booked(item: InventoryItem, elsewhere: int, sku: str) -> Booked:
    item_id, product_id = item.id or 0, item.product_id
    taken = {"item_id": item_id, "quantity": Decimal(1)}
    with acting_as(system_actor("test")):
        operations = [transact(stock.issue_inventory, **taken).operation_id for _ in range(2)]
        reservation = transact(reservations.reserve, **taken, expires_at=now() + timedelta(hours=1))
        shipment = transact(
            shipments.send_shipment, from_item_id=item_id, to_location_id=elsewhere, quantity=Decimal(1)
        )
    movement = factories.arrange(
        lambda session: session.scalar(
            sa.select(StockMovement.id).where(StockMovement.operation_id == UUID(operations[1]))
        )
    )
    reasons = tuple(
        factories.add(ReasonCode(code=_word(), label=f"{_word()} reason", uses=["issue"], position=500 + place)).code
        for place in range(3)
    )
    kept, sent = reservation.reservation_id, shipment.shipment_id
    return Booked(tuple(operations), movement or 0, product_id, sku, kept, sent, reasons)


_DAYS, _COSTS = itertools.count(), itertools.count(1)


def _next_day() -> date:
    """Return a day of long ago, later than every one before."""
    return date(2001, 1, 1) + timedelta(days=next(_DAYS))


def _closed_last() -> int:
    with acting_as(system_actor("test")):
        transact(periods.close_period, closed_through=_next_day())
        return next(row.id for row in read(periods.list_periods).rows if row.last)


def _planned_price(product_id: int) -> int:
    planned = ProductPrice(
        product_id=product_id,
        valid_from=now() + timedelta(days=30),
        new_price=Decimal(12),
        currency="USD",
        status="planned",
    )
    return factories.add(planned).id or 0


def _word() -> str:
    return secrets.token_hex(5)


def _order(status: str = "draft", supplier: str = "approved", came: int = 0) -> dict[str, Any]:
    """Make an order of three things that stands so far; returns what a step with it is asked with."""

    def build(session: Session) -> int:
        seller = Supplier(name=f"{_word()} Ltd", status=supplier)
        place = session.scalars(sa.select(Location).order_by(Location.id).limit(1)).one()
        session.add(seller)
        session.flush()
        made = PurchaseOrder(supplier_id=seller.id or 0, location_id=place.id or 0, currency="USD", status=status)
        made.number = None if status == "draft" else f"PO-{_word()}"
        session.add(made)
        session.flush()
        three: dict[str, Any] = dict.fromkeys(("quantity", "receivable"), Decimal(3))
        three |= {"unit_cost": Decimal(1), "received": Decimal(came)}
        session.add(PurchaseOrderLine(order_id=made.id or 0, position=1, description="Repair", **three))
        session.flush()
        if status == "submitted":
            _order_approval.ask(session, made, 1)
        return made.id or 0

    return {"order_id": factories.arrange(build), "version": 1}


def _low(things: Things) -> dict[str, Any]:
    """Let something be low that a supplier has."""
    seller = factories.supplier(f"{_word()} Ltd", status="approved").id
    low = factories.product(_word().upper(), supplier_id=seller, reorder_point=Decimal(5), unit_cost=Decimal(1))
    factories.item(low.id, things.location, 0)
    return {"form": {"location_id": things.location}}


def _supplier(status: str = "approved") -> dict[str, Any]:
    """Make a supplier that stands so; returns what a step with it is asked with."""
    made = factories.supplier(f"{_word()} Ltd", status=status, approved_at=now())
    return {"supplier_id": made.id, "version": 1}


def _contact() -> dict[str, Any]:
    made = factories.add(SupplierContact(supplier_id=_supplier()["supplier_id"], name="Karl"))
    return {"contact_id": made.id, "version": 1}


def _account() -> dict[str, Any]:
    return {"account_id": payables.account(_supplier()["supplier_id"]).id, "version": 1}


def _invoice(things: Things) -> dict[str, Any]:
    line = {"description:1": "Freight", "quantity:1": "1", "unit_cost:1": "10", "order_line_id:1": "0"}
    head = {"supplier_id": f"{things.another_supplier}", "invoice_date": "2026-11-20", "gross": "10"}
    return head | line | {"number": _word(), "kind": "invoice"}


def _blocked(things: Things, *, differences: bool = False) -> dict[str, Any]:
    """Record an invoice that is blocked, and read it as whoever releases or voids it does."""
    with acting_as(system_actor("test")):
        line = LineIn("Freight", Decimal(1), Decimal(10))
        dated = {"invoice_date": date(2026, 11, 20), "gross": Decimal(10), "supplier_id": things.another_supplier}
        made = transact(invoices.record_invoice, number=_word(), lines=[line], **dated)
        seen = read(invoices.invoice_detail, invoice_id=made.invoice_id)
    form = {"invoice_id": made.invoice_id, "version": 1, "reason": "As agreed"}
    return form | ({"differences": seen.read} if seen and differences else {})


def _application(_: Things) -> dict[str, Any]:
    name = _word()
    given = {"name": f"{name} Ltd", "tax_id": f"GB{name}", "contact_name": "Carol", "email": f"carol@{name}.example"}
    return {"form": given | {"address": "1 Quay Street"}}


def _registration(_: Things) -> dict[str, Any]:
    name = f"dora-{_word()}"
    given = {"username": name, "full_name": "Dora", "email": f"{name}@example.com", "password": PASSWORD}
    return {"form": given}


def _invitation(_: Things) -> dict[str, Any]:
    name = f"ivy-{_word()}"
    given = {"username": name, "full_name": "Ivy", "email": f"{name}@example.com", "roles": ["employee"]}
    return {"form": given}


#: What each handler of an operation is called with, by the handler's name.
EXAMPLES: dict[str, Callable[[Things], dict[str, Any]]] = {
    event_name(handler): payload
    for handler, payload in (
        (AccountsState.invite, _invitation),
        (
            SupplierAccountsState.invite,
            lambda t: {
                "form": {key: value for key, value in _invitation(t)["form"].items() if key != "roles"}
                | {"supplier_id": t.supplier}
            },
        ),
        (SupplierAccountsState.end_access, lambda t: {"form": {"user_id": t.of_a_supplier[0], "reason": "Left them"}}),
        (SupplierAccountsState.give_back, lambda t: {"user_id": t.of_a_supplier[1]}),
        (PortalCompanyState.propose, lambda _: {"form": {"email": "sue@example.com"}}),
        (PortalCompanyState.withdraw, lambda _: {}),
        (
            PortalOrderState.confirm,
            lambda _: {"form": {"order_id": 1, "on": f"{now().date() + timedelta(days=9)}", "version": 1}},
        ),
        (BooksState.rebuild_books, lambda _: {"form": {"reason": "A disk was replaced"}}),
        (BooksState.begin_check, lambda _: {}),
        (
            AccountsState.edit,
            lambda t: {
                "form": {
                    "user_id": t.others[0].id,
                    "full_name": "Olga",
                    "email": f"{_word()}@example.com",
                    "version": 1,
                }
            },
        ),
        (AccountsState.make_link, lambda t: {"form": {"user_id": t.others[1].id, "reason": "Forgot it"}}),
        (AccountsState.withdraw, lambda t: {"user_id": t.invited}),
        (
            BulkRolesState.apply,
            lambda t: {"form": {"people": [[t.others[2].id, 1]], "mode": "add", "roles": ["auditor"]}},
        ),
        (PayState.process_payment, lambda t: {"form": {"invoice_id": t.invoices[0], "amount": "1.50"}}),
        (DueState.process_batch, lambda t: {"form": {"invoice_ids": [t.invoices[1]]}}),
        (
            PaymentState.void_payment,
            lambda t: {"form": {"payment_id": t.payment, "version": 1, "reason": "Paid twice"}},
        ),
        (ProfileState.update_profile, lambda _: {"form": {"full_name": "Ann Other", "version": 1}}),
        (ProfileState.update_email, lambda _: {"form": {"email": f"{_word()}@example.com", "version": 2}}),
        (
            UserMgmtState.update_user_email,
            lambda t: {"user_id": t.others[3].id, "new_email": f"{_word()}@example.com"},
        ),
        (ApplyState.apply_supplier, _application),
        (AuthState.register, _registration),
        (
            InventoryState.adjust_inventory,
            lambda t: {"form": {"item_id": t.first, "quantity": "3", "reason_code": "found"}},
        ),
        (
            InventoryState.bulk_update_inventory,
            lambda t: {"updates": [{"item_id": t.second, "quantity": "71"}], "reason_code": "counted"},
        ),
        (InventoryState.save_counts, lambda t: {"form": {f"q_{t.second}": "72", "reason_code": "counted"}}),
        (
            InventoryState.create_inventory_item,
            lambda t: {"form": {"sku": _word(), "name": "Bolt", "location_id": t.location, "quantity": "4"}},
        ),
        (
            InventoryState.transfer_inventory,
            lambda t: {"from_item_id": t.first, "to_item_id": t.second, "quantity": "2"},
        ),
        (
            InventoryState.submit_transfer,
            lambda t: {
                "form": {
                    "from_item_id": t.first,
                    "to_location_id": t.location,
                    "quantity": "2",
                    "reason_code": "relocated",
                }
            },
        ),
        (CategoriesState.create_category, lambda _: {"form": {"code": _word(), "name": "Tools"}}),
        (
            CategoriesState.update_category,
            lambda t: {"form": {"category_id": t.categories[0], "version": 1, "code": _word(), "name": "Drills"}},
        ),
        (
            CategoriesState.set_active,
            lambda t: {"category_id": t.categories[1], "version": 1, "active": False},
        ),
        (LocationsState.create_location, lambda _: {"form": {"code": _word(), "name": "Yard"}}),
        (
            LocationsState.update_location,
            lambda t: {"form": {"location_id": t.locations[0], "version": 1, "code": _word(), "name": "Yard"}},
        ),
        (LocationsState.set_active, lambda t: {"location_id": t.locations[1], "version": 1, "active": False}),
        (UnitsState.create_unit, lambda _: {"form": {"code": _word(), "name": "Box"}}),
        (
            UnitsState.update_unit,
            lambda t: {"form": {"code": t.unit, "name": "Big crate", "decimals": "1", "was": "Crate/0"}},
        ),
        (ProductLotsState.create_lot, lambda t: {"form": {"product_id": t.by_lot, "code": _word()}}),
        (ProductLotsState.update_lot, lambda t: {"form": {"lot_id": t.lot, "version": 1, "code": _word()}}),
        (
            SupplierProductsState.create_terms,
            lambda t: {"form": {"product_id": t.products[0], "supplier_id": t.another_supplier}},
        ),
        (
            SupplierProductsState.update_terms,
            lambda t: {"form": {"terms_id": t.terms, "version": 1, "lead_time_days": "3", "active": "on"}},
        ),
        (DocumentsState.remove_document, lambda t: {"document_id": t.document}),
        (InvoiceFormState.record, lambda t: {"form": _invoice(t)}),
        (InvoicePageState.release_invoice, lambda t: {"form": _blocked(t, differences=True)}),
        (InvoicePageState.void_invoice, lambda t: {"form": _blocked(t)}),
        (ProductsState.create_product, lambda _: {"form": {"sku": _word(), "name": "Bolt"}}),
        (
            ProductPageState.update_product,
            lambda t: {"form": {"product_id": t.products[0], "version": 1, "name": "Nut", "unit_code": "pcs"}},
        ),
        (ProductPageState.archive_product, lambda t: {"form": {"product_id": t.products[1], "version": 1}}),
        (ProductPageState.restore_product, lambda t: {"product_id": t.products[2], "version": 1}),
        (
            StockEntryState.receive_inventory,
            lambda t: {"form": {"item_id": t.first, "quantity": "2", "reason_code": "delivered"}},
        ),
        (
            StockEntryState.receive_product,
            lambda t: {
                "form": {
                    "sku": t.booked.sku,
                    "location_id": t.location,
                    "quantity": "2",
                    "reason_code": "delivered",
                }
            },
        ),
        (
            StockEntryState.issue_inventory,
            lambda t: {"form": {"item_id": t.first, "quantity": "2", "reason_code": "sold"}},
        ),
        (
            StockEntryState.send_shipment,
            lambda t: {"form": {"from_item_id": t.first, "to_location_id": t.location, "quantity": "2"}},
        ),
        (
            StockEntryState.reserve,
            lambda t: {
                "form": {
                    "item_id": t.first,
                    "quantity": "2",
                    "until": (now() + timedelta(days=3)).date().isoformat(),
                }
            },
        ),
        (
            StockEntryState.revalue_product,
            lambda t: {"form": {"product_id": t.booked.product, "unit_cost": f"{next(_COSTS)}", "note": "Market"}},
        ),
        (StockEntryState.release, lambda t: {"reservation_id": t.booked.reservation}),
        (ShipmentsState.accept_shipment, lambda t: {"form": {"shipment_id": t.booked.shipment, "accepted": "1"}}),
        (
            ReceiveState.receive_goods,
            lambda t: {"form": {"order_id": str(t.ordered.open.id), f"quantity:{t.ordered.open.lines[0]}": "1"}},
        ),
        (
            ReceiptState.return_goods,
            lambda t: {
                "form": {
                    "order_id": str(t.ordered.came.id),
                    f"quantity:{t.ordered.came.lines[0]}": "1",
                    "note": "Broken",
                }
            },
        ),
        (ReceiptState.correct_receipt, lambda t: {"form": {"receipt_id": t.ordered.receipt, "note": "Counted wrong"}}),
        (
            TakeBackState.take_back,
            lambda t: {"form": {"movement_id": t.booked.movement, "reason_code": "correction"}},
        ),
        (TakeBackState.undo, lambda t: {"operation_id": t.booked.operations[0]}),
        (PeriodsState.close_period, lambda _: {"form": {"closed_through": _next_day().isoformat()}}),
        (PeriodsState.reopen_period, lambda _: {"form": {"period_id": _closed_last(), "reason": "Forgot one"}}),
        (ReasonsState.add_reason, lambda _: {"form": {"label": f"{_word()} reason", "use:issue": "on"}}),
        (
            ReasonsState.change_reason,
            lambda t: {
                "form": {
                    "code": t.booked.reasons[0],
                    "version": 1,
                    "label": f"{_word()} reason",
                    "use:issue": "on",
                }
            },
        ),
        (ReasonsState.move_reason, lambda t: {"code": t.booked.reasons[1], "up": True}),
        (ReasonsState.switch_reason, lambda t: {"code": t.booked.reasons[2], "active": False}),
        (BulkChangeState.propose_prices, lambda t: {"form": {"how": "set", "value": "77", "product_ids": [t.product]}}),
        (
            BulkChangeState.propose_products,
            lambda t: {"form": {"field": "reorder_point", "value": "7", "product_ids": [t.product]}},
        ),
        (BulkChangeState.propose_quantities, lambda t: {"form": {"how": "by", "value": "1", "item_ids": [t.first]}}),
        (OrdersState.order_low_stock, _low),
        (OrderState.copy_order, lambda _: {"order_id": _order()["order_id"]}),
        (OrderState.submit_order, lambda _: {"form": _order()}),
        (OrderState.override_supplier, lambda _: {"form": _order(supplier="suspended") | {"reason": "The last parts"}}),
        (OrderState.revise_order, lambda _: {"form": _order("submitted") | {"reason": "A slip"}}),
        (OrderState.approve_order, lambda _: {"form": _order("submitted") | {"reason": "As agreed"}}),
        (OrderState.reject_order, lambda _: {"form": _order("submitted") | {"reason": "Too dear"}}),
        (OrderState.place_order, lambda _: {"form": _order("approved")}),
        (
            OrderState.give_up_rest,
            lambda _: {"form": _order("partially_received", came=1) | {"reason": "Out of stock"}},
        ),
        (OrderState.cancel_order, lambda _: {"form": _order("ordered") | {"reason": "Not needed"}}),
        (OrderState.close_order, lambda _: {"form": _order("received", came=3)}),
        (PlannedPriceState.cancel_planned, lambda t: {"price_id": t.planned_price}),
        (PricingState.save_price, lambda t: {"form": {"product_id": t.product, "new_price": "13"}}),
        (PricingState.update_pricing, lambda t: {"product_id": t.product, "new_price": "12.5", "reason": "Steel"}),
        (RolesState.create_role, lambda _: {"form": {"name": f"{_word()} role"}}),
        (RolesState.clone_role, lambda t: {"form": {"role_id": t.roles[0], "name": f"{_word()} copy"}}),
        (RolesState.edit_role, lambda t: {"form": {"role_id": t.roles[0], "version": 1, "name": f"{_word()} role"}}),
        (RolesState.set_permissions, lambda t: {"role_id": t.roles[1], "version": 1, "permissions": ["prices:view"]}),
        (RolesState.deactivate_role, lambda t: {"role_id": t.roles[2], "version": 1}),
        (RolesState.activate_role, lambda t: {"role_id": t.roles[3], "version": 1}),
        (RolesState.delete_role, lambda t: {"role_id": t.roles[4], "version": 1}),
        (SupplierState.create_supplier, lambda _: {"form": {"name": f"{_word()} Ltd"}}),
        (
            SupplierState.decide,
            lambda t: {"form": {"supplier_id": t.supplier, "version": 1, "decision": "rejected", "reason": "Too dear"}},
        ),
        (
            SupplierPageState.update_supplier,
            lambda t: {"form": {"supplier_id": t.third_supplier, "version": 1, "name": f"{_word()} Ltd"}},
        ),
        (SupplierPageState.agree_terms, lambda _: {"form": _supplier() | {"payment_days": "30"}}),
        (SupplierPageState.suspend_supplier, lambda _: {"form": _supplier() | {"reason": "Under inquiry"}}),
        (SupplierPageState.reinstate_supplier, lambda _: {"form": _supplier("suspended") | {"reason": "Cleared"}}),
        (SupplierPageState.ask_again, lambda _: {"form": _supplier()}),
        (
            SupplierContactsState.add_contact,
            lambda _: {"form": {"supplier_id": _supplier()["supplier_id"], "name": "Carol", "phone": "+49 30 1"}},
        ),
        (SupplierContactsState.update_contact, lambda _: {"form": _contact() | {"name": "Carol", "phone": "+49 30 1"}}),
        (
            BankAccountsState.add_bank_account,
            lambda _: {"form": _supplier() | {"holder": "Acme GmbH", "iban": payables.IBAN, "currency": "EUR"}},
        ),
        (BankAccountsState.retire_bank_account, lambda _: {"form": _account() | {"reason": "Closed"}}),
        (UserMgmtState.approve_supplier, lambda t: {"supplier_id": t.another_supplier}),
        (UserMgmtState.change_user_role, lambda t: {"user_id": t.colleague.id, "role_name": "auditor"}),
        (
            UserMgmtState.set_roles,
            lambda t: {"form": {"user_id": t.newcomer.id, "version": 1, "roles": ["employee"]}},
        ),
        (
            PersonSessionsState.end_session,
            lambda t: {"user_id": t.colleague.id, "session_id": t.colleague.actor.session_id},
        ),
        (
            PersonSessionsState.reset_factors,
            lambda t: {"form": {"user_id": t.colleague.id, "reason": "Lost the phone"}},
        ),
        (
            PersonSessionsState.disconnect,
            lambda t: {"form": {"user_id": t.colleague.id, "reason": "Left the company"}},
        ),
        (PersonSessionsState.end_all_sessions, lambda t: {"user_id": t.newcomer.id}),
        (UserMgmtState.deactivate_user, lambda t: {"user_id": t.colleague.id}),
        (
            UserMgmtState.erase_personal_data,
            lambda t: {"form": {"user_id": t.leaver.id, "reason": "Asked for by the person"}},
        ),
        (UserMgmtState.enable_user, lambda t: {"user_id": t.newcomer.id}),
    )
}

#: Operations that decide by the record they are given, and what that needs in the example.
DECIDED_INSIDE = {
    "documents.remove_document": Permission.PRODUCTS_MANAGE,
    # Only for an account that belongs to a supplier: no role is enough (tests/states/test_portal.py).
    "portal.confirm_delivery": None,
    "portal.propose_correction": None,
    "portal.withdraw_correction": None,
}

#: Handlers that stand for an operation and only ask for it: they open a dialog, or find no file to import or take back,
#: or nobody chosen to decide about.
_ASKING = ("open_", "import_", "undo_file", "decide_together")
ONLY_ASKING = frozenset(name for name in registered() if name.rpartition(".")[2].startswith(_ASKING))
