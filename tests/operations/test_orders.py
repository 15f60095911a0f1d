"""Purchase orders: from the draft to their end, who may take which step, and what is refused with which words."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.catalog import Product, SupplierProduct
from inventory_app.models.purchasing import PurchaseOrder, SupplierInvoice, SupplierInvoiceLine
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import approvals, orders
from inventory_app.operations._order_lines import LineInput
from inventory_app.unit_of_work import transact
from tests.factories import add, arrange, item, location, person, product, role, supplier
from tests.operations.buying import (
    change,
    day,
    edit,
    head,
    known,
    lines,
    market,
    ordered,
    receive,
    shown,
    step,
    tea,
    terms,
    words,
    write,
)


@pytest.fixture
def shop(database):
    return market()


@pytest.fixture
def nancy(database):
    return person("nancy", "manager")


@pytest.fixture
def mona(database):
    return person("mona", "manager")


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let Ann do it."""
    with acting_as(ann):
        yield ann


def suppliers_status(shop, status, **values):
    def build(session):
        found = session.get_one(Supplier, shop.supplier)
        found.status = status
        for name, value in values.items():
            setattr(found, name, value)

    arrange(build)


def faults(refused) -> dict[str, str]:
    return refused.value.fields


# Writing


def test_a_draft_takes_costs_packs_and_days_from_the_suppliers_terms(shop, ann):
    made = write(shop, tea(shop, 36, tax_percent=Decimal(20)), words())
    order = known(made.order_id)
    today = now().date()
    assert (made.called, made.supplier, order.number, order.status) == ("The draft", "Acme", None, "draft")
    assert (order.total, order.currency, order.rate, order.payment_days) == (Decimal(170), "USD", 1, 30)
    assert (order.created_by, order.expected_on) == (ann.id, today + timedelta(days=5))
    first, second = lines(made.order_id)
    assert (first.unit_cost, first.pack_size, first.purchase_unit, first.supplier_sku) == (
        Decimal("2.50"),
        12,
        "box",
        "T-1",
    )
    assert (first.description, first.expected_on, first.tax_percent) == ("Tea", today + timedelta(days=5), 20)
    assert (second.product_id, second.description, second.unit_cost, second.expected_on) == (None, "Repair", 80, None)


def test_a_product_is_named_by_its_sku_or_its_barcode(shop):
    made = write(
        shop,
        LineInput(Decimal(1), sku=" nuts ", unit_cost=Decimal(1)),
        LineInput(Decimal(1), sku="4006381-333931", unit_cost=Decimal(1), description="Nuts, salted"),
    )
    assert [(one.product_id, one.description) for one in lines(made.order_id)] == [
        (shop.nuts, "Nuts"),
        (shop.nuts, "Nuts, salted"),
    ]


def test_everything_wrong_with_the_lines_is_said_at_once(shop):
    arrange(lambda s: setattr(s.get_one(Product, shop.nuts), "active", False))
    over = now().date() - timedelta(days=1)
    late = now().date() + timedelta(days=6000)
    with pytest.raises(Invalid) as refused:
        write(
            shop,
            tea(shop, 12),
            tea(shop, 30),
            LineInput(Decimal(0), sku="NONE", unit_cost=Decimal(-1), tax_percent=Decimal(101), expected_on=over),
            LineInput(Decimal("1.5"), shop.nuts, unit_cost=Decimal("0.00001"), tax_percent=Decimal("0.001")),
            LineInput(Decimal("NaN"), description="", unit_cost=Decimal(1), expected_on=late),
            LineInput(Decimal(9999), description="Gold", unit_cost=Decimal(9000000000)),
            LineInput(Decimal(1), description="Gift"),
        )
    assert faults(refused) == {
        "quantity:1": "Acme delivers no less than 24 pcs. Order 24.",
        "quantity:2": "Acme delivers packs of 12 pcs. Order 36.",
        "sku:3": "There is no product of this SKU. Leave it empty to order something else in words.",
        "quantity:3": "Enter more than 0.",
        "unit_cost:3": "Enter 0 or more.",
        "tax_percent:3": "Enter 0 to 100.",
        "expected_on:3": "Choose today or a later day.",
        "sku:4": "Nuts is archived. Restore it first.",
        "quantity:4": "pcs are counted with whole numbers only.",
        "unit_cost:4": "Use at most 4 decimals.",
        "tax_percent:4": "Use at most 2 decimals.",
        "sku:5": "Choose a product, or describe what is ordered.",
        "quantity:5": "This number is too large.",
        "expected_on:5": "Choose a day within the next ten years.",
        "unit_cost:6": "This amount is too large.",
        "unit_cost:7": "Enter what one of them costs: no cost is agreed.",
    }


def test_everything_wrong_above_the_lines_is_said_at_once(shop):
    with pytest.raises(Invalid) as refused:
        write(
            replace(shop, place=0),
            currency="usd1",
            payment_days=400,
            expected_on=now().date() - timedelta(days=1),
            note="x" * 2001,
        )
    assert set(faults(refused)) == {"location_id", "currency", "payment_days", "expected_on", "note"}
    with pytest.raises(Invalid) as refused:
        write(replace(shop, supplier=0))
    assert set(faults(refused)) == {"supplier"}


def test_an_order_holds_so_many_lines_and_no_more(shop):
    assert len(lines(write(shop, *[words()] * 500).order_id)) == 500
    with pytest.raises(Invalid, match="at most 500 lines"):
        write(shop, *[words()] * 501)


def test_costs_are_named_only_by_who_sees_them(shop):
    role("buyer", "orders:create", "orders:view")
    with acting_as(person("bea", "buyer")):
        made = write(shop)
        assert lines(made.order_id)[0].unit_cost == Decimal("2.50")
        with pytest.raises(NotAllowed, match="See costs and prices"):
            write(shop, words())
        found = shown(made.order_id)
        assert (found.total, found.lines[0].unit_cost, found.lines[0].amount, found.sees_prices) == ("", "", "", False)
        assert found.supplier_href == ""
        assert found.invoices == []
    assert shown(made.order_id).total == "60.00 USD"


def test_a_foreign_currency_needs_its_rate_and_turns_agreed_costs_into_it(shop):
    with pytest.raises(Invalid) as refused:
        write(shop, currency="EUR")
    assert faults(refused) == {"rate": "Enter what 1 EUR is worth in USD."}
    made = write(shop, currency="eur", rate=Decimal("1.25"))
    assert (known(made.order_id).total, lines(made.order_id)[0].unit_cost) == (Decimal(48), Decimal(2))
    gbp = product("CUP", name="Cup").id or 0
    terms(shop.supplier, gbp, currency="GBP", pack_size=Decimal(1), minimum_quantity=Decimal(0))
    with pytest.raises(Invalid) as refused:
        write(shop, LineInput(Decimal(1), gbp))
    assert set(faults(refused)) == {"unit_cost:1"}


def test_terms_that_do_not_count_any_more_are_not_asked(shop):
    arrange(lambda s: s.execute(sa.update(SupplierProduct).values(active=False)))
    with pytest.raises(Invalid) as refused:
        write(shop)
    assert set(faults(refused)) == {"unit_cost:1"}


def test_what_is_asked_twice_is_one_order(shop, observer):
    first, second = write(shop, key="k1"), write(shop, key="k1")
    assert first == second
    assert observer.execute("SELECT count(*) FROM purchase_order").fetchone() == (1,)


def test_a_draft_is_written_anew_in_the_version_that_was_read(shop, trail, nancy):
    made = write(shop, tea(shop), words())
    first, second = lines(made.order_id)
    with acting_as(nancy):
        edit(shop, made.order_id, replace(words("Repair, large"), line_id=second.id), tea(shop, 48), note="soon")
    order, kept = known(made.order_id), lines(made.order_id)
    assert (order.version, order.last_edited_by, order.note, order.total) == (2, nancy.id, "soon", Decimal(200))
    assert [(one.id == second.id, one.position, one.description) for one in kept] == [
        (True, 2, "Repair, large"),
        (False, 3, "Tea"),
    ]
    gone = [one for one in trail.changes("*", "purchase_order_line") if one.kind == "delete"]
    assert [one.pk for one in gone] == [str(first.id)]
    with pytest.raises(Stale, match=r"^The draft was changed after you opened it"):
        transact(orders.update_order, order_id=made.order_id, version=1, head=head(shop), lines=[])
    with pytest.raises(NotFound):
        transact(orders.update_order, order_id=999, version=1, head=head(shop), lines=[])


def test_a_line_keeps_its_cost_and_its_day_when_others_change(shop):
    made = write(shop, replace(tea(shop), unit_cost=Decimal(2)))
    (line,) = lines(made.order_id)
    arrange(lambda s: s.execute(sa.text("UPDATE purchase_order_line SET expected_on = '2020-01-01'")))
    again = replace(tea(shop, 36), line_id=line.id, expected_on=day("2020-01-01"))
    edit(shop, made.order_id, again, again)
    first, second = lines(made.order_id)
    assert (first.id, first.unit_cost, first.expected_on) == (line.id, 2, day("2020-01-01"))
    assert (second.id != line.id, second.unit_cost) == (True, 2)


def test_another_supplier_takes_away_what_was_let_for_the_first(shop, ada):
    other = supplier("Other", status="approved").id or 0
    suppliers_status(shop, "pending")
    made = write(shop)
    with acting_as(ada):
        step(orders.override_supplier, made.order_id, reason="sample")
    edit(shop, made.order_id, tea(shop), note="same supplier")
    assert known(made.order_id).override_reason == "sample"
    edit(replace(shop, supplier=other), made.order_id, words())
    assert (known(made.order_id).override_reason, known(made.order_id).overridden_by) == (None, None)


def test_a_copy_has_the_lines_at_the_costs_of_today(shop, observer):
    first = write(
        shop, replace(tea(shop), unit_cost=Decimal(9)), words(), LineInput(Decimal(1), shop.nuts, unit_cost=Decimal(4))
    )
    arrange(lambda s: setattr(s.get_one(Product, shop.nuts), "active", False))
    arrange(lambda s: s.execute(sa.text("UPDATE supplier_product SET minimum_quantity = 48")))
    made = transact(orders.copy_order, order_id=first.order_id)
    assert made.left_out == ("Nuts is archived.",)
    assert [(one.quantity, one.unit_cost, one.description) for one in lines(made.order_id)] == [
        (48, Decimal("2.50"), "Tea"),
        (1, 80, "Repair"),
    ]
    found = shown(made.order_id)
    assert (found.copied_from, found.copied_href) == ("a draft", f"/orders/{first.order_id}")
    with pytest.raises(NotFound):
        transact(orders.copy_order, order_id=999)


def test_a_copy_in_a_foreign_currency_has_the_newest_rate(shop):
    first = write(shop, currency="EUR", rate=Decimal(2))
    write(shop, currency="EUR", rate=Decimal("2.5"))
    made = transact(orders.copy_order, order_id=first.order_id)
    assert known(made.order_id).rate == Decimal("2.5")


# From low stock


def low(shop):
    arrange(lambda s: s.execute(sa.text("UPDATE product SET reorder_point = 30, reorder_quantity = 20")))
    other = supplier("Zeta", status="approved").id or 0
    arrange(lambda s: setattr(s.get_one(Product, shop.nuts), "supplier_id", other))
    for one in (shop.tea, shop.nuts):
        item(one, shop.place, 10)
    return other


def test_low_stock_becomes_one_draft_for_each_supplier(shop):
    other = low(shop)
    lone, old = product("LONE", reorder_point=5).id or 0, product("OLD", active=False, supplier_id=other).id or 0
    full = product("FULL", supplier_id=other).id or 0
    for one in (lone, old):
        item(one, shop.place, 1)
    item(full, shop.place, 7)
    found = [shop.tea, shop.nuts, lone, old, full]
    made = transact(orders.order_low_stock, product_ids=found, location_id=shop.place)
    assert [one.supplier for one in made] == ["Acme", "Zeta"]
    assert made[0].left_out == (
        "Of Full there is enough.",
        "Lone has no preferred supplier.",
        "Old is archived.",
    )
    (line,) = lines(made[0].order_id)
    assert (line.quantity, line.unit_cost) == (24, Decimal("2.50"))
    (line,) = lines(made[1].order_id)
    assert (line.product_id, line.quantity, line.unit_cost) == (shop.nuts, 20, 3)
    with pytest.raises(Conflict, match=r"There is nothing to order. Lone has no preferred supplier."):
        transact(orders.order_low_stock, product_ids=[lone], location_id=shop.place)


def test_a_supplier_in_a_foreign_currency_is_ordered_from_at_the_newest_rate(shop):
    low(shop)
    suppliers_status(shop, "approved", currency="EUR")
    with pytest.raises(Conflict, match="Acme is paid in EUR, and no order says yet what that is worth in USD"):
        transact(orders.order_low_stock, product_ids=[shop.tea], location_id=shop.place)
    write(shop, rate=Decimal("1.25"))
    (made,) = transact(orders.order_low_stock, product_ids=[shop.tea], location_id=shop.place)
    assert (known(made.order_id).rate, lines(made.order_id)[0].unit_cost) == (Decimal("1.25"), 2)


# Submitting and agreeing


def test_a_small_order_is_approved_at_once_and_has_the_next_number(shop, ann):
    year = now().year
    for number in (1, 2):
        done = step(orders.submit_order, write(shop).order_id)
        assert (done.called, done.status) == (f"PO-{year}-{number:04d}", "approved")
        assert done.said == "Orders of this amount need nobody's approval: it can be sent."
    order = known(done.order_id)
    assert (order.submitted_by, order.approved_at, order.version) == (ann.id, order.submitted_at, 2)
    with pytest.raises(Conflict, match=f"PO-{year}-0002 has been submitted already: it is approved"):
        step(orders.submit_order, done.order_id)


def test_nothing_is_submitted_without_lines(shop):
    made = transact(orders.create_order, head=head(shop), lines=[])
    with pytest.raises(Conflict, match="Nothing stands on this order"):
        step(orders.submit_order, made.order_id)


@pytest.mark.parametrize(("cost", "people"), [("999.99", 0), ("1000", 1), ("9999", 1), ("10000", 2)])
def test_so_many_must_agree_as_its_amount_asks_for(shop, nancy, mona, cost, people):
    made = write(shop, words(cost=cost))
    done = step(orders.submit_order, made.order_id)
    assert done.status == ("submitted" if people else "approved")
    agreeing = [nancy, mona][:people]
    for number, who in enumerate(agreeing, 1):
        with acting_as(who):
            done = step(orders.approve_order, made.order_id, reason="fine")
        assert done.said == ("It can be sent." if number == people else "1 of 2 have agreed.")
    assert known(made.order_id).status == "approved"
    assert shown(made.order_id).rule == (
        f"{people} of {people} needed" if people else "nobody has to agree to this amount"
    )


def test_the_amount_counts_in_the_base_currency(shop):
    made = write(shop, words(cost="600"), currency="EUR", rate=Decimal(2))
    assert step(orders.submit_order, made.order_id).status == "submitted"


def test_nobody_agrees_who_created_edited_or_submitted_it(shop, ann, nancy, mona):
    made = write(shop, words(cost="2000"))
    with acting_as(nancy):
        edit(shop, made.order_id, words(cost="3000"))
    edit(shop, made.order_id, words(cost="4000"))
    otto = person("otto", "manager")
    with acting_as(otto):
        step(orders.submit_order, made.order_id)
        with pytest.raises(NotAllowed, match="You submitted this order, so somebody else must approve it"):
            step(orders.approve_order, made.order_id)
    with pytest.raises(NotAllowed, match="You created this order"):
        step(orders.approve_order, made.order_id)
    with acting_as(nancy), pytest.raises(NotAllowed, match="You edited this order"):
        step(orders.approve_order, made.order_id)
    assert shown(made.order_id).can_agree == "Mona"
    with acting_as(mona):
        done = step(orders.approve_order, made.order_id)
        with pytest.raises(AlreadyDecided, match="Mona approved this"):
            step(orders.approve_order, made.order_id)
    assert done.status == "approved"


def test_what_was_read_is_what_is_agreed_to(shop, nancy):
    made = write(shop, words(cost="2000"))
    step(orders.submit_order, made.order_id)
    with acting_as(nancy), pytest.raises(Stale):
        step(orders.approve_order, made.order_id, version=1)


def test_a_rejected_order_is_a_draft_again_and_keeps_its_number(shop, nancy):
    made = write(shop, words(cost="2000"))
    called = step(orders.submit_order, made.order_id).called
    with acting_as(nancy):
        with pytest.raises(Invalid):
            step(orders.reject_order, made.order_id, reason="")
        done = step(orders.reject_order, made.order_id, reason="too dear")
    assert (done.status, done.said, done.called) == ("draft", "It is a draft again.", called)
    edit(shop, made.order_id, words(cost="500"))
    assert step(orders.submit_order, made.order_id).called == called


def test_only_a_submitted_order_can_be_decided_about(shop, nancy):
    made = write(shop)
    with acting_as(nancy):
        with pytest.raises(Conflict, match="Nobody has to agree to this order"):
            step(orders.approve_order, made.order_id)
        with pytest.raises(NotFound):
            transact(orders.approve_order, order_id=999, version=1)
        assert shown(made.order_id).doing.approve == "It does not wait for approval."


def test_it_stands_among_the_approvals_with_its_amount_for_who_may_see_that(shop, nancy, mona):
    from inventory_app.unit_of_work import read

    made = write(shop, words(cost="2000"), expected_on=now().date())
    suppliers_status(shop, "suspended")
    with acting_as(person("ada", "admin")):
        step(orders.override_supplier, made.order_id, reason="last time")
    done = step(orders.submit_order, made.order_id)
    with acting_as(nancy):
        (row,) = read(approvals.waiting_for_me).rows
        found = read(approvals.approval_detail, approval_id=row.id)
    assert found.title == f"{done.called} for Acme"
    told = dict(found.details)
    assert (told["Net"], told["Although the supplier is not approved"]) == ("2,000.00 USD", "last time")
    role("decider", "orders:approve", "orders:view")
    with acting_as(person("dan", "decider")):
        (row,) = read(approvals.waiting_for_me).rows
        assert "Net" not in dict(read(approvals.approval_detail, approval_id=row.id).details)


def test_whoever_submitted_it_can_withdraw_that(shop):
    made = write(shop, words(cost="2000"))
    step(orders.submit_order, made.order_id)
    from inventory_app.unit_of_work import read

    (row,) = read(approvals.asked_by_me).rows
    transact(approvals.withdraw, approval_id=row.id)
    assert known(made.order_id).status == "draft"


def test_a_submitted_order_is_changed_only_as_a_draft_and_agreed_to_anew(shop, nancy):
    made = write(shop, words(cost="2000"))
    with pytest.raises(Conflict, match="It is a draft already"):
        step(orders.revise_order, made.order_id)
    step(orders.submit_order, made.order_id)
    with pytest.raises(Conflict, match=r"has been submitted. Take it back to a draft first"):
        edit(shop, made.order_id, words())
    assert step(orders.revise_order, made.order_id, reason="typo").said == "It is a draft again and keeps its number."
    with acting_as(nancy), pytest.raises(AlreadyDecided, match="withdrawn, or asked for anew"):
        step(orders.approve_order, made.order_id)
    step(orders.submit_order, made.order_id)
    with acting_as(nancy):
        step(orders.approve_order, made.order_id)
    step(orders.revise_order, made.order_id)
    assert (known(made.order_id).status, known(made.order_id).approved_at) == ("draft", None)
    change(made.order_id, status="ordered")
    with pytest.raises(Conflict, match="is ordered, so it cannot go back"):
        step(orders.revise_order, made.order_id)
    with pytest.raises(Conflict, match="is ordered: what was ordered does not change any more"):
        edit(shop, made.order_id, words())


# The supplier


def test_only_an_approved_supplier_is_ordered_from(shop):
    made = write(shop)
    for status, said in (
        ("pending", "Acme waits for a decision"),
        ("rejected", "Acme was rejected"),
        ("suspended", "The system suspended Acme"),
    ):
        suppliers_status(shop, status)
        with pytest.raises(Conflict, match=said):
            step(orders.submit_order, made.order_id)
    suppliers_status(shop, "approved", valid_until=now().date() - timedelta(days=1))
    with pytest.raises(Conflict, match="The approval of Acme ended on"):
        step(orders.submit_order, made.order_id)
    suppliers_status(shop, "approved", valid_until=now().date())
    assert step(orders.submit_order, made.order_id).status == "approved"


def test_a_supplier_that_was_suspended_since_is_not_ordered_from_unless_somebody_lets_it(shop, ada):
    made = write(shop)
    step(orders.submit_order, made.order_id)
    with acting_as(ada), pytest.raises(Conflict, match="The supplier is approved, so this is not needed"):
        step(orders.override_supplier, made.order_id, reason="x")
    suppliers_status(shop, "suspended")
    with pytest.raises(Conflict, match="suspended Acme"):
        step(orders.place_order, made.order_id)
    with pytest.raises(NotAllowed):
        step(orders.override_supplier, made.order_id, reason="urgent")
    with acting_as(system_actor("night")), pytest.raises(NotAllowed):
        step(orders.override_supplier, made.order_id, reason="urgent")
    with acting_as(ada):
        with pytest.raises(Invalid) as refused:
            step(orders.override_supplier, made.order_id, reason=" ")
        assert set(faults(refused)) == {"reason"}
        step(orders.override_supplier, made.order_id, reason="the last parts")
        with pytest.raises(Conflict, match="Somebody let it already"):
            step(orders.override_supplier, made.order_id, reason="x")
    found = shown(made.order_id)
    assert (found.override, found.override_by) == ("the last parts", "Ada")
    assert [one.did for one in found.agreed] == ["created it", "let it go to this supplier"]
    step(orders.place_order, made.order_id)
    with acting_as(ada), pytest.raises(Conflict, match="there is nothing to let any more"):
        step(orders.override_supplier, made.order_id, reason="x")


# Ordering and what follows


def test_an_ordered_order_can_be_received_up_to_the_tolerance(shop, nancy, configure, ann):
    configure(INVENTORY_OVER_RECEIPT_PERCENT="2.5")
    made = write(shop, tea(shop, 24), words(quantity=3))
    with pytest.raises(Conflict, match="Submit the draft first"):
        step(orders.place_order, made.order_id)
    step(orders.submit_order, made.order_id)
    done = step(orders.place_order, made.order_id)
    order = known(made.order_id)
    assert (done.status, order.ordered_by, order.ordered_at is not None) == ("ordered", ann.id, True)
    assert [one.receivable for one in lines(made.order_id)] == [Decimal("24.600"), Decimal("3.075")]
    with pytest.raises(Conflict, match="cannot be ordered: it is ordered"):
        step(orders.place_order, made.order_id)


def test_nothing_is_ordered_before_it_is_approved(shop):
    made = write(shop, words(cost="2000"))
    step(orders.submit_order, made.order_id)
    with pytest.raises(Conflict, match="waits for approval"):
        step(orders.place_order, made.order_id)


def test_the_rest_is_given_up_line_by_line_or_at_once(shop, nancy):
    order_id = ordered(shop, nancy, tea(shop, 48), words(quantity=3))
    with pytest.raises(Conflict, match=r"Nothing of PO-.* has come. Cancel it instead"):
        step(orders.give_up_rest, order_id, reason="late")
    receive(order_id, 12)
    with pytest.raises(Invalid) as refused:
        step(orders.give_up_rest, order_id)
    assert set(faults(refused)) == {"reason"}
    with pytest.raises(Conflict, match="Nothing is waited for on these lines"):
        step(orders.give_up_rest, order_id, reason="late", line_ids=[999])
    first, second = lines(order_id)
    done = step(orders.give_up_rest, order_id, reason="late", line_ids=[second.id])
    assert (done.status, done.said) == ("partially_received", "1 of 2 lines are not waited for any more.")
    assert shown(order_id).still_to_come == "36 of Tea"
    done = step(orders.give_up_rest, order_id, reason="late")
    assert done.status == "received"
    first, second = lines(order_id)
    assert (first.given_up, first.receivable, second.given_up, second.receivable) == (36, 12, 3, 0)
    with pytest.raises(Conflict, match="Nothing is waited for"):
        step(orders.give_up_rest, order_id, reason="again")
    assert step(orders.close_order, order_id).status == "closed"


def test_closing_is_for_what_is_complete(shop, nancy):
    order_id = ordered(shop, nancy)
    with pytest.raises(Conflict, match=r"is not complete. Give up the rest first"):
        step(orders.close_order, order_id)
    receive(order_id, 24, status="received")
    step(orders.close_order, order_id)
    with pytest.raises(Conflict, match="cannot be closed: it is closed"):
        step(orders.close_order, order_id)
    with pytest.raises(Conflict, match=r"is closed, so there is nothing to cancel|came for"):
        step(orders.cancel_order, order_id, reason="x")
    found = shown(order_id)
    assert [one.state for one in found.steps] == ["done"] * 6


def test_a_draft_is_cancelled_without_a_reason_and_never_had_a_number(shop):
    made = write(shop)
    done = step(orders.cancel_order, made.order_id)
    assert (done.status, known(made.order_id).number) == ("cancelled", None)
    with pytest.raises(Conflict, match="was cancelled already"):
        step(orders.cancel_order, made.order_id)
    assert [(one.label, one.state) for one in shown(made.order_id).steps] == [("Draft", "done"), ("Cancelled", "now")]


def test_cancelling_says_what_it_means_for_stock_and_keeps_the_number(shop, nancy):
    order_id = ordered(shop, nancy)
    with pytest.raises(Invalid):
        step(orders.cancel_order, order_id)
    done = step(orders.cancel_order, order_id, reason="not needed")
    assert done.said == "Nothing of it has come, so stock stays as it is. Tell the supplier: it was sent to them."
    order = known(order_id)
    assert (order.number is not None, order.cancel_reason, lines(order_id)[0].receivable) == (True, "not needed", 0)
    assert [one.label for one in shown(order_id).steps] == ["Draft", "Submitted", "Approved", "Ordered", "Cancelled"]


def test_cancelling_ends_what_others_were_asked(shop, nancy):
    made = write(shop, words(cost="2000"))
    step(orders.submit_order, made.order_id)
    done = step(orders.cancel_order, made.order_id, reason="not needed")
    assert done.said == "Nothing of it has come, so stock stays as it is."
    with acting_as(nancy), pytest.raises(AlreadyDecided):
        step(orders.approve_order, made.order_id)


def test_what_has_come_or_been_invoiced_is_not_cancelled(shop, nancy):
    order_id = ordered(shop, nancy, tea(shop), words())
    receive(order_id, 12)
    with pytest.raises(Conflict, match=r"^12 of Tea came for PO-.* and stay in stock. Give up the rest"):
        step(orders.cancel_order, order_id, reason="x")
    receive(order_id, 12, 1)
    with pytest.raises(Conflict, match="12 of Tea and 1 more lines came"):
        step(orders.cancel_order, order_id, reason="x")
    receive(order_id, 0, 0)
    today = now().date()
    money = {"net": Decimal(80), "tax": Decimal(0), "gross": Decimal(80)}
    paper = add(
        SupplierInvoice(
            supplier_id=shop.supplier, number="R-7", invoice_date=today, due_on=today, currency="USD", **money
        )
    )
    add(
        SupplierInvoiceLine(
            invoice_id=paper.id,
            position=1,
            order_line_id=lines(order_id)[1].id,
            description="Repair",
            quantity=Decimal(1),
            unit_cost=Decimal(80),
            net=Decimal(80),
            tax=Decimal(0),
        )
    )
    with pytest.raises(Conflict, match="Invoice R-7 has been recorded"):
        step(orders.cancel_order, order_id, reason="x")
    arrange(lambda s: setattr(s.get_one(SupplierInvoice, paper.id), "status", "void"))
    assert step(orders.cancel_order, order_id, reason="x").status == "cancelled"


def test_a_received_order_is_not_cancelled(shop, nancy):
    order_id = ordered(shop, nancy)
    change(order_id, status="closed")
    with pytest.raises(Conflict, match="is closed, so there is nothing to cancel"):
        step(orders.cancel_order, order_id, reason="x")


def test_every_step_names_the_version_it_was_read_in(shop, nancy):
    order_id = ordered(shop, nancy)
    for operation, more in (
        (orders.submit_order, {}),
        (orders.revise_order, {}),
        (orders.place_order, {}),
        (orders.give_up_rest, {"reason": "x"}),
        (orders.cancel_order, {"reason": "x"}),
        (orders.close_order, {}),
    ):
        with pytest.raises(Stale, match=r"^PO-.* was changed after you opened it"):
            step(operation, order_id, version=1, **more)
        with pytest.raises(NotFound):
            transact(operation, order_id=999, version=1, **more)


def test_a_location_that_is_closed_takes_no_goods(shop):
    closed = location("OLD", active=False).id or 0
    with pytest.raises(Invalid) as refused:
        write(replace(shop, place=closed))
    assert set(faults(refused)) == {"location_id"}


def test_a_draft_can_be_without_anybody(shop):
    with acting_as(system_actor("night")):
        made = write(shop)
    assert known(made.order_id).created_by is None
    assert shown(made.order_id).agreed[0].name == "An import"
    assert arrange(lambda s: s.get_one(PurchaseOrder, made.order_id).version) == 1
