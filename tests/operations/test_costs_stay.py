"""Costs and prices reach nobody without `prices:view`: planted numbers are looked for in every answer there is."""

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from inventory_app import operations
from inventory_app.context import Actor, acting_as
from inventory_app.errors import AppError
from inventory_app.models._base import now
from inventory_app.models.catalog import ProductPrice
from inventory_app.operations import home, items, orders, stock, trail
from inventory_app.operations._item_list import LIST
from inventory_app.operations._lists import View
from inventory_app.operations._operation import QUERIES
from inventory_app.operations._order_lines import LineInput
from inventory_app.operations.orders import Head
from inventory_app.operations.roles import Change
from inventory_app.permissions import DEFAULT_ROLES, Permission
from inventory_app.unit_of_work import read, transact
from tests import factories
from tests.factories import arrange, person, role
from tests.operations import payables
from tests.operations.ordered import came, ordered

for module in pkgutil.iter_modules(operations.__path__):
    importlib.import_module(f"{operations.__name__}.{module.name}")

COST, PRICE, BEFORE, QUANTITY = Decimal("8642097.53"), Decimal("9753108.64"), Decimal("7531908.42"), 3
FOUND = 2
#: What gives them away, in whatever form: the digits before the point of each, of what the stock is worth and of what
#: is owed.
WORTH = [COST * FOUND, COST * QUANTITY, COST * (QUANTITY + FOUND), COST + PRICE]
TELLS = [str(int(number)) for number in (COST, PRICE, BEFORE, *WORTH)]


def tells(answer: object) -> list[str]:
    """Return which of the planted numbers an answer holds, with or without separators."""
    text = re.sub(r"(?<=\d)[ ,._'\u202f\u00a0](?=\d)", "", str(answer))
    return [tell for tell in TELLS if tell in text]


@dataclass(frozen=True)
class Planted:
    """What the queries are asked about."""

    product: int
    item: int
    supplier: int
    user: int
    order: int
    #: An order of which something has come, and the receipt of it.
    came: int
    receipt: int
    operations: tuple[str, ...]
    #: One that is open, and one whose payment waits in a batch.
    invoices: tuple[int, int]


@pytest.fixture
def planted(ada: Actor, trail_ids: Callable[[], tuple[str, ...]]) -> Planted:
    """A product that costs what nothing else does, with a movement and a price that changed; all of it in the trail."""
    acme = factories.supplier("Acme")
    product = factories.product("CANARY", unit_cost=COST, unit_price=PRICE, supplier_id=acme.id)
    item = factories.item(product.id, quantity=QUANTITY)
    arrange(lambda s: _price_was(s, product.id or 0))
    place = item.location_id
    payables.account(acme.id or 0)
    bills = {"R-1": COST, "R-2": PRICE}
    due, paid = (payables.invoice(acme.id or 0, gross, number).id or 0 for number, gross in bills.items())
    payables.batch(ada, paid)
    with acting_as(ada):
        line = LineInput(Decimal(QUANTITY), product.id, unit_cost=COST)
        order = transact(orders.create_order, head=Head(acme.id or 0, place), lines=[line]).order_id
        transact(stock.adjust_inventory, item_id=item.id, quantity=Decimal(FOUND), reason_code="found")
        line = {"quantity": Decimal(QUANTITY), "product_id": factories.product("CANARY-2").id, "unit_cost": COST}
        placed = ordered(line, supplier_id=acme.id)
        receipt = came(placed, FOUND).receipt_id
    ids = (product.id or 0, item.id or 0, acme.id or 0, ada.id or 0, order, placed.id, receipt)
    return Planted(*ids, trail_ids(), (due, paid))


def _price_was(session: Session, product_id: int) -> None:
    session.add(ProductPrice(product_id=product_id, old_price=BEFORE, new_price=PRICE, currency="USD", reason="Dearer"))


@pytest.fixture
def trail_ids(observer: Any) -> Callable[[], tuple[str, ...]]:
    return lambda: tuple(str(row[0]) for row in observer.execute("SELECT id FROM audit_operation ORDER BY xid"))


#: How each query that needs arguments is asked, as often as it takes to see everything of it.
ASKED: dict[str, Callable[[Planted], list[dict[str, Any]]]] = {
    "pictures.picture": lambda p: [{"user_id": p.user, "sha256": "0" * 64}],
    "users.one_user": lambda p: [{"user_id": p.user}],
    "approvals.approval_detail": lambda p: [{"approval_id": one} for one in (1, 2)],
    "approvals.roles_waiting": lambda p: [{"user_id": p.user}],
    "bulk_roles.preview_roles": lambda p: [{"user_ids": [p.user], "mode": "add", "roles": ["employee"]}],
    "single_sign_on.difference": lambda p: [{"user_id": p.user, "groups": ["staff"]}],
    "devices.sessions_of": lambda p: [{"user_id": p.user}],
    "devices.number_of": lambda p: [{"username": "ada"}],
    "explain.person": lambda p: [{"user_id": p.user}],
    "explain.holdings": lambda p: [{"user_id": p.user}],
    "explain.who_has": lambda p: [{"permission": "prices:view"}],
    "explain.count_who_has": lambda p: [{"permission": "prices:view"}],
    "explain.why_not": lambda p: [{"user_id": p.user, "permission": "suppliers:approve", "supplier_id": p.supplier}],
    "explain.why_nobody": lambda p: [{"permission": "suppliers:approve", "supplier_id": p.supplier}],
    "explain.subject_name": lambda p: [{"supplier_id": p.supplier}],
    "explain.invoice_name": lambda p: [{"invoice_id": p.invoices[0]}],
    "payment_views.batch_detail": lambda p: [{"batch_id": 1}],
    "due_views.invoice_to_pay": lambda p: [{"invoice_id": one} for one in p.invoices],
    "due_views.list_due": lambda p: [{"view": View(sort=key)} for key in ("", "open", "gross")],
    "payment_views.list_payments": lambda p: [{"view": View(sort=key)} for key in ("", "amount")],
    "due_views.matching_due": lambda p: [{"view": View(), "most": 10}],
    "payment_views.payment_detail": lambda p: [{"payment_id": 1}],
    "due_views.preview_batch": lambda p: [{"invoice_ids": list(p.invoices)}],
    "statements.statement": lambda p: [{"supplier_id": p.supplier}],
    "finding.find_anything": lambda p: [{"text": "canary"}, {"text": "a"}],
    "items.list_items": lambda p: [
        {"view": View(sort=column.key, descending=down)} for column in LIST.columns.values() for down in (False, True)
    ],
    "items.overview": lambda p: [{"view": View()}],
    "items.count_items": lambda p: [{"view": View()}],
    "items.matching_items": lambda p: [{"view": View(), "most": 10}],
    "users.matching_users": lambda p: [{"view": View(), "most": 10}],
    "items.get_items": lambda p: [{"item_ids": [p.item]}],
    "items.item_place": lambda p: [{"item_id": p.item}],
    "items.transfer_targets": lambda p: [{"item_id": p.item}],
    "as_of.everything_as_of": lambda p: [{"at": now()}],
    "as_of.item_as_of": lambda p: [{"item_id": p.item, "at": now()}],
    "as_of.location_as_of": lambda p: [{"location_id": 1, "at": now()}],
    "as_of.places_as_of": lambda p: [{"at": now()}],
    "as_of.product_as_of": lambda p: [{"product_id": p.product, "at": now()}],
    "books.check_part": lambda p: [{"check_id": 1}],
    "change_sets.change_set_detail": lambda p: [{"change_set_id": 1}],
    "change_sets.list_change_sets": lambda p: [{"view": View()}],
    "change_sets.products_of_items": lambda p: [{"item_ids": [p.item]}],
    "documents.document_content": lambda p: [{"document_id": 1, "sha256": "0" * 64}],
    "documents.documents_of": lambda p: [{"subject_type": "product", "subject_id": p.product}],
    "exports.may_still": lambda p: [{"needs": frozenset[str]()}],
    "shipments.list_shipments": lambda p: [{"view": View()}],
    "exports.prepare_export": lambda p: [{"name": "inventory", "view": View()}],
    "import_views.differences_of": lambda p: [{"run_id": 1}],
    "import_views.faults_of": lambda p: [{"run_id": 1}],
    "import_runs.may_check": lambda p: [{"run_id": 1}],
    "import_runs.remembered_columns": lambda p: [{"kind": "products", "header": ("sku",)}],
    "import_views.run_of": lambda p: [{"run_id": 1}],
    "item_page.item_page": lambda p: [{"item_id": p.item}],
    "invoices.invoice_detail": lambda p: [{"invoice_id": one} for one in p.invoices],
    "invoices.list_invoices": lambda p: [{"view": View(sort=key)} for key in ("", "gross", "open")],
    "invoices.match_of_order": lambda p: [{"order_id": one} for one in (p.order, p.came)],
    "invoices.paper_to_record": lambda p: [{"order_id": p.came}, {"invoice_id": p.invoices[0]}],
    "lots.list_lots": lambda p: [{"view": View()}],
    "lots.lot_to_edit": lambda p: [{"lot_id": 1}],
    "lots.lots_of": lambda p: [{"product_id": p.product, "zone": "UTC"}],
    "movements.list_movements": lambda p: [{"view": View()}],
    "orders.list_orders": lambda p: [{"view": View(sort=key)} for key in ("", "total")],
    "orders.look_up_product": lambda p: [{"supplier_id": p.supplier, "text": "canary"}],
    "orders.order_detail": lambda p: [{"order_id": p.order}],
    "orders.order_form": lambda p: [{"order_id": p.order}],
    "orders.order_paper": lambda p: [{"order_id": p.order}],
    "portal.my_order": lambda p: [{"order_id": p.came}],
    "portal.my_order_paper": lambda p: [{"order_id": p.came}],
    "pricing.list_prices": lambda p: [{"view": View()}],
    "pricing.matching_products": lambda p: [{"view": View(), "most": 10}],
    "pricing.price_history": lambda p: [{"product_id": p.product}],
    "products.find_by_barcode": lambda p: [{"text": "4006381333931"}],
    "products.list_products": lambda p: [
        {"view": View(sort=key, descending=down)} for key in ("", "cost", "price") for down in (False, True)
    ],
    "products.product_detail": lambda p: [{"product_id": p.product}],
    "products.product_to_edit": lambda p: [{"product_id": p.product}],
    "views.kept_views": lambda p: [{"page": "/inventory"}],
    "receipts.list_receipts": lambda p: [{"view": View()}],
    "receipts.order_to_receive": lambda p: [{"order_id": p.came}],
    "receipts.receipt_page": lambda p: [{"receipt_id": p.receipt}],
    "receipts.to_send_back": lambda p: [{"receipt_id": p.receipt}],
    "receipts.waiting_for": lambda p: [{"text": "canary"}],
    "reorder.list_low": lambda p: [{"view": View()}],
    "reservations.reservations_of": lambda p: [{"item_id": p.item}],
    "reversals.takeable": lambda p: [{"movement_id": 1}],
    "valuation.worth_of": lambda p: [{"item_id": p.item}],
    "roles.role_detail": lambda p: [{"role_id": 1}],
    "roles.role_holders": lambda p: [{"role_id": 1}],
    "roles.preview_permissions": lambda p: [{"role_id": 2, "permissions": ["inventory:view"]}],
    "roles.preview_changes": lambda p: [{"changes": [Change(2, 1, ["audit:view"], [])]}],
    "supplier_accounts.accounts_of": lambda p: [{"supplier_id": p.supplier}],
    "suppliers.supplier_detail": lambda p: [{"supplier_id": p.supplier}],
    "bank_accounts.bank_accounts": lambda p: [{"supplier_id": p.supplier}],
    "scorecard.scorecard": lambda p: [{"supplier_id": p.supplier}],
    "supplier_bulk.preview_decisions": lambda p: [{"chosen": [(p.supplier, 1)], "approving": True}],
    "supplier_contacts.contacts": lambda p: [{"supplier_id": p.supplier}],
    "suppliers.terms_to_edit": lambda p: [{"supplier_id": p.supplier}],
    "suppliers.supplier_to_edit": lambda p: [{"supplier_id": p.supplier}],
    "suppliers.list_suppliers": lambda p: [{"view": View()}],
    "trail.operation_detail": lambda p: [{"operation_id": id_} for id_ in p.operations],
    "trail.record_history": lambda p: [
        {"table": table, "pk": str(pk)}
        for table, pk in (
            ("product", p.product),
            ("inventory_item", p.item),
            ("stock_movement", 1),
            ("product_price", 1),
            ("payment", 1),
            ("payment_batch", 1),
            ("supplier_invoice", p.invoices[0]),
        )
    ],
}
#: What a sign-in or a link is asked about before there is anybody: nothing of it is about stock.
BEFORE_ANYBODY = {name for name, query in QUERIES.items() if query.spec.public}
#: Where whoever may see them finds them: the search itself is proved by these.
SHOWS = {
    "items.list_items",
    "items.overview",
    "items.get_items",
    "orders.order_detail",
    "orders.order_form",
    "trail.operation_detail",
    "trail.record_history",
}
SHOWS |= {f"payment_views.{name}" for name in ("batch_detail", "list_payments", "payment_detail")}
SHOWS |= {f"due_views.{name}" for name in ("invoice_to_pay", "list_due", "preview_batch")}
SHOWS |= {"statements.ageing", "statements.statement"}
SHOWS |= {"approvals.approval_detail"}


def answers(planted: Planted) -> dict[str, list[object]]:
    """Ask every query as whoever acts; those that are refused answer nothing."""
    found: dict[str, list[object]] = {}
    for name, query in QUERIES.items():
        if name in BEFORE_ANYBODY:
            continue
        for arguments in ASKED.get(name, lambda _: [{}])(planted):
            try:
                found.setdefault(name, []).append(read(query, **arguments))
            except AppError as error:
                found.setdefault(name, []).append(f"{type(error).__name__}: {error} {error.fields}")
    return found


def refused(answer: object) -> bool:
    return str(answer).startswith("NotAllowed")


def leaks(found: dict[str, list[object]]) -> dict[str, list[str]]:
    return {name: seen for name, given in found.items() if (seen := tells([*given]))}


def test_whoever_may_see_them_finds_them_in_every_place_that_shows_them(ada, planted):
    with acting_as(ada):
        found = answers(planted)
    shown = leaks(found)
    assert shown.keys() >= SHOWS
    everywhere = {tell for seen in shown.values() for tell in seen}
    assert everywhere == set(TELLS), "each of the planted numbers is to be seen somewhere"
    # The portal is for people of suppliers alone, whatever else somebody holds.
    assert {n.partition(".")[0] for n, given in found.items() if any(map(refused, given))} == {"portal"}


@pytest.mark.parametrize("name", DEFAULT_ROLES)
def test_no_answer_of_any_query_holds_them_without_the_permission(planted, name):
    """As each role but for this permission: `admin` without it may do everything else."""
    role("without", *(DEFAULT_ROLES[name][1] - {Permission.PRICES_VIEW}))
    with acting_as(person("wanda", "without")):
        found = answers(planted)
    assert leaks(found) == {}
    asked = {query for query, given in found.items() if not all(map(refused, given))}
    may = DEFAULT_ROLES[name][1]
    assert ("items.list_items" in asked) == (Permission.INVENTORY_VIEW in may)
    assert ("trail.operation_detail" in asked) == (Permission.AUDIT_VIEW in may)


def test_somebody_without_any_role_finds_nothing(bob, planted):
    with acting_as(bob):
        assert leaks(answers(planted)) == {}


@pytest.mark.parametrize("number", ["8642097.53", "8642097", "9753108.64", "7531908.42"])
def test_the_trail_does_not_answer_by_what_it_finds_either(planted, number):
    """A search that finds more where the guess is right would say the cost without showing it."""
    role("without", *(set(Permission) - {Permission.PRICES_VIEW}))
    wrong = str(Decimal(number) + 1)
    with acting_as(person("wanda", "without")):
        right, other = (len(read(trail.list_operations, search=guess).rows) for guess in (number, wrong))
        assert right == other


def test_neither_order_nor_filter_of_the_list_says_what_costs_more(ada, planted):
    """Asked for what is worth more than half of it and more than twice of it: with the permission one is found."""
    factories.item(factories.product("CHEAP", unit_cost=Decimal("0.01")).id, quantity=1)
    role("without", *(set(Permission) - {Permission.PRICES_VIEW}))
    worth = COST * (QUANTITY + FOUND)
    views = [View(filters={"value": f"{bound}.."}) for bound in (worth / 2, worth * 2)]
    sorts = [View(sort=key, descending=down) for key in ("value", "unit_cost") for down in (False, True)]

    def seen(view: View) -> tuple[list[str], int, int]:
        rows = [row.sku for row in read(items.list_items, view=view).rows]
        found = read(items.matching_items, view=view, most=10)
        return rows, read(items.count_items, view=view), len(found)

    with acting_as(ada):
        assert [seen(view) for view in views] == [(["CANARY"], 1, 1), ([], 0, 0)]
        assert seen(sorts[0]) != seen(sorts[1])
    with acting_as(person("wanda", "without")):
        usual = seen(View())
        assert [seen(view) for view in views] == [usual, usual]
        assert seen(sorts[0]) == seen(sorts[2])
        assert seen(sorts[1]) == seen(sorts[3])
        assert seen(sorts[0])[0] == usual[0]


def test_every_query_with_arguments_is_asked_for_something():
    needs = {name for name, query in QUERIES.items() if name not in BEFORE_ANYBODY and _needs_arguments(query)}
    assert needs <= set(ASKED) <= set(QUERIES)
    assert home.home.spec.name in QUERIES


def _needs_arguments(query: Any) -> bool:
    import inspect

    parameters = list(inspect.signature(query).parameters.values())[1:]
    return any(parameter.default is inspect.Parameter.empty for parameter in parameters)
