"""Lists as files: what is in each, in which order, for whom, and that no cell of it runs."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from inventory_app.context import acting_as
from inventory_app.errors import Invalid, NotAllowed, NotFound, NotSignedIn
from inventory_app.http.exports import _pieces
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, ApprovalDecision
from inventory_app.models.catalog import Category, Location, Lot, PriceStatus, Product, ProductPrice, SupplierProduct
from inventory_app.models.lists import ChangeSet
from inventory_app.models.purchasing import GoodsReceipt, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from inventory_app.models.stock import Reservation, StockMovement
from inventory_app.models.users import AuthSession, Role, UserInfo
from inventory_app.operations import (
    _approval_list,
    categories,
    exports,
    locations,
    movements,
    reorder,
    stock,
    trail,
    views,
)
from inventory_app.operations._approvals import KINDS
from inventory_app.operations._export_cells import safe_cell
from inventory_app.operations._export_lists import EXPORTS
from inventory_app.operations._lists import View
from inventory_app.permissions import Permission
from inventory_app.states.lots import LotsState
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import add, arrange, item, location, person, product, role, supplier
from tests.operations import papers
from tests.operations.payables import account, batch, invoice
from tests.operations.shelf import accept, adjust, issue, lot_shelf, send, shelf, transfer

EVERYTHING = tuple(str(one) for one in Permission)
#: What no file may hold for who does not see costs.
COST, PRICE = Decimal("9871.4321"), Decimal("12345.6789")
RUNS = ("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x")


def file_of(name, suffix=None, **asked):
    """Return header and rows of a file, as whoever acts gets it."""
    with open_session() as session:
        view = asked.pop("view", None) or View(**asked)
        prepared = exports.prepare_export(session, name=name, view=view)
        text = b"".join(_pieces(session, prepared)).decode()
    header, *rows = csv.reader(io.StringIO(text))
    assert len(header) == len(prepared.numeric)
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def whole(name):
    """Ask for every column of a list."""
    return tuple(EXPORTS[name].listing.columns)


@pytest.fixture
def ann(database):
    """Return Ann, who may everything here."""
    return person("ann", "admin")


@pytest.fixture
def company(ann):
    """Let there be something in every list; costs are numbers that are nowhere else."""
    with acting_as(ann):
        bolt, milk = shelf(), lot_shelf()
        sent = send(bolt.here, bolt.there_location, 2)
        send(milk.one, milk.there_location, 1)
        accept(sent.shipment_id, 1)
        issue(bolt.here, 3)
        adjust(bolt.there, 2)
        transfer(bolt.here, bolt.there, 1)
        acme = supplier("Acme", status="approved")
        account(acme.id or 0)
        batch(ann, invoice(acme.id or 0, 30, "R-2").id or 0)
        invoice(acme.id or 0, COST, "R-1")
        top = add(Category(code="TOP", name="Top"))
        add(Category(code="IN", name="Inside", parent_id=top.id))

        def more(session):
            made = session.get_one(Product, bolt.product_id)
            made.category_id, made.supplier_id = top.id, acme.id
            made.unit_cost, made.unit_price, made.reorder_point = COST, PRICE, Decimal(100)
            session.add(
                ProductPrice(
                    product_id=bolt.product_id,
                    new_price=PRICE + 1,
                    currency="USD",
                    reason="dear",
                    status=PriceStatus.PLANNED,
                    valid_from=now() + timedelta(days=9),
                )
            )
            session.add(ProductPrice(product_id=bolt.product_id, old_price=Decimal(0), new_price=PRICE, currency="USD"))
            ordered = {"supplier_id": acme.id, "location_id": bolt.there_location, "currency": "USD", "total": COST}
            told = {"number": "PO-2026-0001", "expected_on": now().date(), "override_reason": "sample"}
            order = PurchaseOrder(**ordered, **told)
            session.add(order)
            session.flush()
            came = {"order_id": order.id, "location_id": bolt.there_location, "recorded_by": ann.id}
            receipt = GoodsReceipt(number="GR-2026-0001", delivery_note="D-1", note="wet", **came)
            line = PurchaseOrderLine(
                order_id=order.id, position=1, description="Bolt", quantity=Decimal(1), unit_cost=COST, receivable=1
            )
            session.add_all([receipt, line])
            session.flush()
            booked = session.exec(select(StockMovement).where(StockMovement.item_id == bolt.here)).first()
            by = {"quantity": Decimal(1), "unit_cost": COST, "item_id": bolt.here, "movement_id": booked.id}
            session.add(GoodsReceiptLine(receipt_id=receipt.id, order_line_id=line.id, position=1, **by))
            session.add(ChangeSet(kind="prices", title="Spring", reason="season", row_count=1, created_by=ann.id))
            asked = Approval(
                kind="supplier",
                subject_id=acme.id,
                permission="suppliers:approve",
                required=2,
                requested_by=ann.id,
                reason="needed soon",
            )
            session.add(asked)
            session.flush()
            who = {"user_id": ann.id, "authority_id": ann.id}
            session.add(ApprovalDecision(approval_id=asked.id, verdict="approve", reason="known for years", **who))

        arrange(more)
        placed = papers.order(acme.id, papers.Want(1, COST, received=1))
        papers.record("SB-1", papers.line(placed.lines[0], 1, COST), gross=round(COST, 2), order_id=placed.id)
        yield bolt


def test_every_column_of_every_list_says_what_stands_in_the_file(company):
    for name, export in EXPORTS.items():
        header, rows = file_of(name, columns=whole(name))
        assert rows, name
        assert len(set(header)) == len(header), (name, header)
        assert {one.label for one in export.also} <= set(header)
        for column in header:
            assert (
                name == "trail"
                or any(row[column] for row in rows)
                or column
                in (
                    "Lot",
                    "Note",
                    "Reference",
                    "Tax id",
                    "Contact",
                    "Terms",
                    "Email",
                    "Phone",
                    "City",
                    "Country",
                    "Barcode",
                    "Last seen",
                    "Why",
                    "Lost",
                    "Good until",
                    "Category",
                    "Supplier",
                    "Reason",
                    "Value",
                    "Lasts (days)",
                    "Closed",
                )
            ), (name, column)


def test_every_list_is_exported_in_every_order_with_as_many_rows_as_it_has(company):
    for name, export in EXPORTS.items():
        listing = export.listing
        with open_session() as session:
            # A query says who asks.
            exports.prepare_export(session, name=name, view=View())
            count = listing.count(session, View())
        for key, column in listing.columns.items():
            if column.by is not None:
                forth = file_of(name, sort=key)[1]
                assert len(forth) == count > 0, (name, key)
                assert file_of(name, sort=key, descending=True)[1] == forth[::-1], (name, key)


def test_a_file_holds_what_is_searched_and_filtered(company):
    assert [row["Product"] for row in file_of("products", search="milk")[1]] == ["Milk"]
    assert [row["Product"] for row in file_of("inventory", search="mlik", columns=("product",))[1]] == ["Milk"] * 3, (
        "what is spelt alike"
    )
    assert [row["Status"] for row in file_of("people", filters={"tab": "waiting"})[1]] == []
    header, rows = file_of(
        "shipments", filters={"status": "accepted"}, columns=("number", "product", "lost", "arrived")
    )
    assert header == ["Shipment", "Product", "Lost", "Arrived", "Unit", "Accepted by", "Note"]
    assert [(row["Product"], row["Lost"], row["Accepted by"]) for row in rows] == [("Bolt", "1.000", "ann")]
    assert int(rows[0]["Shipment"]) > 0
    assert rows[0]["Arrived"].endswith("Z")


def test_a_file_holds_what_is_spelt_alike_where_nothing_is_called_as_it_was_searched(company):
    _, rows = file_of("suppliers", view=View(search="Acem"))
    assert ["Acme" in row.values() for row in rows] == [True]


def test_movements_are_exported_as_the_page_shows_them(company):
    lines = read(movements.list_movements, view=View(size=100)).page.rows
    _, rows = file_of("movements", columns=whole("movements"))
    assert len(rows) == len(lines) > 10
    for line, row in zip(lines, rows, strict=True):
        assert (row["SKU"], row["Location"], row["By"], row["Record"]) == (
            line.sku,
            line.location,
            line.who,
            line.operation_id,
        )
        assert Decimal(row["Balance"]) == Decimal(line.balance.replace(",", ""))
        assert row["Reason"] == line.reason
        assert row["What happened"].split(" ")[0] == line.what.split(" ")[0].rstrip(":")


def test_the_record_behind_a_movement_is_for_who_sees_the_trail(company):
    role("stock", "inventory:view", "inventory:export")
    with acting_as(person("emma", "stock")):
        header, _ = file_of("movements", columns=whole("movements"))
    assert not {"Record", "Value"} & set(header)


def test_what_to_reorder_is_exported_as_it_is_suggested(company, ann):
    def more(session):
        acme = session.scalar(sa.select(col(Product.supplier_id)).where(col(Product.id) == company.product_id))
        session.add(
            SupplierProduct(
                supplier_id=acme,
                product_id=company.product_id,
                cost=COST,
                currency="USD",
                pack_size=Decimal(12),
                lead_time_days=30,
                minimum_quantity=Decimal(24),
            )
        )
        session.add(
            Reservation(
                item_id=company.there, quantity=Decimal(2), expires_at=now() + timedelta(days=1), created_by="ann"
            )
        )
        for number in range(12):
            made = Product(
                sku=f"R{number}",
                name=f"R{number}",
                currency="USD",
                search="r",
                unit_code="kg",
                reorder_point=Decimal(number) / 7 + 1,
                reorder_quantity=Decimal(number % 3),
            )
            session.add(made)

    arrange(more)
    shown = read(reorder.list_low, view=View(size=100)).page.rows
    _, rows = file_of("reorder", columns=whole("reorder"))
    assert len(rows) == len(shown) == 13
    for line, row in zip(shown, rows, strict=True):
        assert Decimal(row["Order"]) == Decimal(line.suggested.replace(",", "")), row
        assert Decimal(row["Available"]) == Decimal(line.available.replace(",", "").replace("−", "-"))
        assert row["Lasts (days)"] == ("" if line.days == "not used" else line.days.split(" ")[0].replace(",", ""))
        assert (row["Product"], row["Unit"]) == (line.product, line.unit)
    (bolt,) = [row for row in rows if row["Product"] == "Bolt"]
    assert Decimal(bolt["Order"]) % 12 == 0
    assert bolt["Lasts (days)"]


def test_trees_are_exported_as_their_pages_show_them(company, ann):
    for name in ("b", "A", "ä"):
        add(Category(code=name, name=name, parent_id=None))
        add(Location(code=name, name=name, parent_id=company.here_location))
    for list_name, tree in (("categories", categories.category_tree), ("locations", locations.location_tree)):
        shown = read(tree)
        rows = file_of(list_name)[1]
        assert [(row["Code"], row["Path"]) for row in rows] == [(one.code, one.path) for one in shown]
        assert [row["In use"] for row in rows] == ["yes" if one.active else "no" for one in shown]
        counted = [int(row["Products" if list_name == "categories" else "Items there"]) for row in rows]
        assert counted == [getattr(one, "products", None) or getattr(one, "kept", 0) for one in shown]
    role("catalogue", "products:view", "inventory:export")
    with acting_as(person("emma", "catalogue")):
        assert "Items there" not in file_of("locations")[0]


def test_prices_come_with_what_is_planned_and_their_margin(company):
    _, rows = file_of("prices", columns=whole("prices"), search="bolt")
    (row,) = rows
    assert row["Margin (%)"] == "20.0"
    assert Decimal(row["New price"]) == PRICE + 1
    assert row["New price from"] > row["Price since"]
    _, (planned,) = file_of("planned")
    assert (planned["SKU"], planned["Why"], Decimal(planned["Now"])) == ("BOLT", "dear", PRICE)


def test_people_come_with_their_roles(company):
    both = person("carla", "manager", "auditor")
    _, rows = file_of("people", search="carla")
    assert [(row["Username"], row["Roles"], row["Status"]) for row in rows] == [("carla", "auditor, manager", "active")]
    assert both.name == "carla"


def test_requests_are_exported_as_each_reader_sees_them(company, ann):
    view = EXPORTS["approvals"].listing.read
    (row,) = [row for row in file_of("approvals")[1] if row["Kind"] == "Supplier"]
    assert (row["About"], row["Asked for by"], row["Status"]) == ("Acme", "Ann", "Waiting")
    assert (row["Decided by"], row["Reasons of decisions"]) == ("Ann", "known for years")
    for asked in ({"view": "asked"}, {"view": "decided"}, {"view": "nonsense"}, {"kind": "supplier"}, {"q": "acm"}):
        assert row in file_of("approvals", view=view(asked))[1], asked
    assert file_of("approvals", view=view({"kind": "payment"}))[1] == []
    role("takes", "inventory:export")
    with acting_as(person("emma", "takes")):
        for shown in ("", "waiting", "decided", "asked"):
            assert file_of("approvals", view=view({"view": shown}))[1] == [], shown
    role("decides", "inventory:export", "suppliers:approve")
    with acting_as(person("dora", "decides")):
        assert row in file_of("approvals")[1]
        assert file_of("approvals", view=view({"view": "asked"}))[1] == []


def test_what_a_request_is_about_is_said_of_every_kind():
    assert KINDS.keys() == _approval_list._BY_KIND.keys()  # a new kind is forgotten nowhere


def test_the_trail_is_exported_as_it_is_searched_with_reasons_in_words(company, ann):
    with acting_as(ann):
        view = EXPORTS["trail"].listing.read({"q": "operation:stock.adjust_inventory", "dir": "desc"})
        _, rows = file_of("trail", view=view)
        found = read(trail.list_operations, search="operation:stock.adjust_inventory").rows
        assert [row["Record"] for row in rows] == [one.id for one in found]
        assert {row["Operation"] for row in rows} == {"stock.adjust_inventory"}
        assert rows[0]["Reason"].startswith("Found")
        assert rows[0]["Changes"] == "2"
        assert (rows[0]["Account"], rows[0]["Outcome"]) == ("ann", "succeeded")
        with pytest.raises(Invalid, match="There is no “actr:” here"):
            file_of("trail", search="actr:ann")
        with pytest.raises(Invalid):
            transact(stock.adjust_inventory, item_id=company.here, quantity=Decimal(0), reason_code="found")
        _, refused = file_of("trail", search="outcome:failed")
        assert refused[-1]["Refused because"].startswith("Invalid")


def test_the_trail_needs_a_permission_of_its_own(company):
    role("looks", "audit:view", "inventory:export")
    with acting_as(person("emma", "looks")):
        with pytest.raises(NotAllowed):
            file_of("trail")
        with pytest.raises(NotAllowed, match="Export the audit trail"):
            transact(exports.export_list, name="trail", what="Trail")


def test_without_its_permissions_nobody_gets_a_list(company):
    for name, export in EXPORTS.items():
        for missing in {export.listing.permission, export.permission}:
            made = f"{name}-{missing}"
            role(made, *(one for one in EVERYTHING if one != missing))
            with acting_as(person(made.replace(":", "-"), made)):
                with pytest.raises(NotAllowed):
                    file_of(name)
                with pytest.raises(NotAllowed, match="This needs the permission"):
                    transact(exports.export_list, name=name, what=name)


def test_costs_leave_with_nobody_who_may_not_see_them(company):
    role("costless", *(one for one in EVERYTHING if one != Permission.PRICES_VIEW))
    told = ("9871", "12345", "9,871", "12,345")
    assert any(any(one in str(file_of(name, columns=whole(name))) for one in told) for name in EXPORTS)
    with acting_as(person("emma", "costless")):
        for name, export in EXPORTS.items():
            if export.listing.permission == Permission.PRICES_VIEW:
                with pytest.raises(NotAllowed):
                    file_of(name, columns=whole(name))
                continue
            plain = file_of(name, columns=whole(name))
            assert not any(one in str(plain) for one in told), name
            dear = [key for key, one in export.listing.columns.items() if one.permission == Permission.PRICES_VIEW]
            for key in dear:
                assert export.listing.columns[key].label not in plain[0], (name, key)
                # Neither by name, nor by an order, nor by a filter that would tell as much.
                asked = {"columns": key, "sort": key, "dir": "desc", key: "9000.."}
                forged = file_of(name, view=export.listing.read(asked))
                assert forged == file_of(name, view=export.listing.read({"columns": key, "dir": "desc"})), (name, key)
                assert not any(one in str(forged) for one in told), (name, key)


@pytest.mark.parametrize("evil", RUNS)
def test_no_text_of_any_list_runs_in_a_spreadsheet(evil, ann):
    with acting_as(ann):
        top = add(Category(code=evil[:9], name=evil))
        place = location(evil[:9], name=evil).id
        acme = supplier(
            evil, tax_id=evil, contact_name=evil, payment_terms=evil, email=evil, phone=evil, city=evil, country=evil
        )
        made = product(
            f"X{ord(evil[0])}",
            name=evil,
            category_id=top.id,
            supplier_id=acme.id,
            barcode=evil,
            reorder_point=Decimal(9),
            lots_kept=False,
        )
        kept = item(made.id, place, 5)
        sent = send(kept.id, location("GOAL", name=evil).id, 1, note=f"x{evil}")
        accept(sent.shipment_id)

        def more(session):
            session.add(Lot(product_id=made.id, code=evil, note=evil))
            ordered = {"supplier_id": acme.id, "location_id": place, "currency": "USD", "number": evil}
            session.add(PurchaseOrder(**ordered, override_reason=evil))
            session.add(ChangeSet(kind="prices", title=evil, reason=evil, row_count=1, created_by=ann.id))
            session.add(
                ProductPrice(
                    product_id=made.id,
                    new_price=Decimal(2),
                    currency="USD",
                    reason=evil,
                    status=PriceStatus.PLANNED,
                    valid_from=now() + timedelta(days=9),
                )
            )
            session.execute(sa.update(Role).where(col(Role.name) == "manager").values(name=evil))
            info = session.get_one(UserInfo, ann.id)
            info.full_name, info.email = evil, evil
            session.execute(sa.text("UPDATE shipment SET note = :evil, sent_by = :evil"), {"evil": evil})

        arrange(more)
        with pytest.raises(NotFound):
            transact(exports.export_list, name="none", what=evil)
        met = 0
        for name in EXPORTS:
            header, rows = file_of(name, columns=whole(name))
            for row in rows:
                for column in header:
                    text = row[column]
                    met += text == f"'{evil}"
                    assert safe_cell(text) == text, (name, column, text)
        assert met > 20


@given(st.text(max_size=6))
def test_a_safe_cell_is_a_number_or_begins_with_nothing_that_runs(text):
    cell = safe_cell(text)
    assert cell in (text, f"'{text}")
    if cell[:1] in tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"):
        float(cell)


def test_a_view_of_somebody_else_is_nothing_to_a_file(company):
    with acting_as(person("carla", "admin")):
        private = transact(views.save_view, page=LotsState._path, name="Mine", view={"q": "nothing"})
    asked = EXPORTS["lots"].listing.read({"saved": str(private)})
    assert len(file_of("lots", view=asked)[1]) == 2, "only what the address says counts, not what it came from"


def test_days_are_those_of_the_reader(company):
    arrange(lambda session: session.execute(sa.update(Lot).values(expires_on=now().date())))
    expired = {"view": "expired"}
    assert file_of("lots", view=View(filters=expired))[1] == []
    ahead = now().astimezone().utcoffset() is not None and View(filters={"view": "soon"}, zone="Pacific/Kiritimati")
    behind = replace(ahead, zone="Etc/GMT+12")
    # Between the two it is always tomorrow somewhere: what is good until today has expired there, or is still good.
    assert len(file_of("lots", view=behind)[1]) == 2
    assert len(file_of("lots", view=ahead)[1]) + len(file_of("lots", view=replace(ahead, filters=expired))[1]) == 2


def test_what_a_file_needs_is_asked_again(company, ann):
    def needs(**asked):
        with open_session() as session:
            return exports.prepare_export(session, name="inventory", view=View(**asked)).needs

    plain, dear = needs(columns=("sku",)), needs(columns=("sku", "value"))
    assert plain == {Permission.INVENTORY_VIEW, Permission.INVENTORY_EXPORT}
    assert dear == needs(columns=("sku",), sort="value") == plain | {Permission.PRICES_VIEW}
    assert dear == needs(columns=("sku",), filters={"value": "1.."})
    read(exports.may_still, needs=dear)
    role("taker", "inventory:view", "inventory:export")
    with acting_as(person("emma", "taker")):
        read(exports.may_still, needs=plain)
        with pytest.raises(NotAllowed):
            read(exports.may_still, needs=dear)
    arrange(lambda session: setattr(session.get_one(AuthSession, ann.session_id), "revoked_at", now()))
    with pytest.raises(NotSignedIn):
        read(exports.may_still, needs=plain)
