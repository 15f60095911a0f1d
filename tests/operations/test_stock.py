"""Stock: what each change does to items and ledger, and what is refused in which words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from reflex.model import get_engine

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, InsufficientStock, Invalid, NotAllowed, NotFound
from inventory_app.models.catalog import Location, Product
from inventory_app.operations import stock
from inventory_app.unit_of_work import transact
from tests.factories import arrange, location, person, product
from tests.operations.shelf import Ledger, adjust, issue, refusal, shelf, transfer

GONE = "This item does not exist (any more). Reload the page."
ONE_GONE = "One of the two items does not exist (any more). Reload the page."
ALREADY_THERE = "Choose another place: this is where it already is."
TOO_LARGE = "This number is too large."


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger):
    """Let Ann do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()


def close(location_id):
    arrange(lambda session: setattr(session.get_one(Location, location_id), "active", False))


def statements(act):
    """Return the first words of the statements that are sent meanwhile."""
    sent = list[str]()
    listener = (get_engine(), "before_cursor_execute", lambda *args: sent.append(args[2].split()[0]))
    sa.event.listen(*listener)
    try:
        act()
    finally:
        sa.event.remove(*listener)
    return sent


def test_a_transfer_moves_and_says_what_it_moved(ledger):
    bolt = shelf()
    done = transfer(bolt.here, bolt.there, "4")
    assert (done.quantity, done.product, done.from_location, done.to_location) == (
        "4 pcs",
        "Bolt",
        "Bolt north",
        "Bolt south",
    )
    assert ledger.quantities(bolt.here, bolt.there) == [6, 9]


def test_the_two_movements_of_a_transfer_sum_to_zero_and_name_their_operation(ledger, trail, as_ann):
    bolt = shelf(unit_cost=Decimal("0.3333"), unit_code="kg")
    before = datetime.now(UTC)
    transfer(bolt.here, bolt.there, "1.005", reason_code="replenish", note="for the shop")
    out, back = ledger.movements(bolt.here, bolt.there)[-2:]
    assert (out.item_id, out.quantity, out.value) == (bolt.here, Decimal("-1.005"), Decimal("-0.3350"))
    assert (back.item_id, back.quantity, back.value) == (bolt.there, Decimal("1.005"), Decimal("0.3350"))
    for movement in (out, back):
        assert (movement.kind, movement.sequence, movement.unit_cost) == ("transfer", 2, Decimal("0.3333"))
        assert (movement.reason_code, movement.note) == ("replenish", "for the shop")
        assert (movement.reference_type, movement.reference, movement.reverses) == (None, None, None)
        assert movement.operation_id == trail.last().id
        for at in (movement.occurred_at, movement.recorded_at):
            assert before - timedelta(seconds=5) < at < datetime.now(UTC)
    here, last = ledger.item(bolt.here), trail.last(name="stock.transfer_inventory")
    assert (here.sequence, here.changed_by, here.changed_at) == (2, as_ann.name, out.occurred_at)
    assert (last.outcome, last.reason, last.actor_name) == ("succeeded", "replenish: for the shop", "ann")
    assert sorted(c.table for c in trail.changes(last.id)) == ["inventory_item"] * 2 + ["stock_movement"] * 2


def test_a_transfer_without_reason_or_note_records_none(ledger):
    bolt = shelf()
    transfer(bolt.here, bolt.there)
    assert {(m.reason_code, m.note) for m in ledger.movements()[-2:]} == {(None, None)}


def test_all_of_it_can_be_moved(ledger):
    bolt = shelf(here="3", there="0")
    transfer(bolt.here, bolt.there, "3")
    assert ledger.quantities(bolt.here, bolt.there) == [0, 3]


def test_a_transfer_to_a_location_finds_the_item_there_or_makes_it(ledger, trail):
    bolt = shelf()
    assert transfer(bolt.here, None, 2, to_location_id=bolt.there_location).to_location == "Bolt south"
    assert ledger.quantities(bolt.here, bolt.there) == [8, 7]
    west = location("WEST", name="West")
    assert transfer(bolt.here, None, 3, to_location_id=west.id).to_location == "West"
    made = ledger.movements()[-1].item_id
    assert made not in (bolt.here, bolt.there)
    new = ledger.item(made)
    assert (new.product_id, new.location_id, new.quantity, new.sequence, new.changed_by) == (
        bolt.product_id,
        west.id,
        3,
        1,
        "ann",
    )
    assert [c.kind for c in trail.changes(table="inventory_item")] == ["insert", "update", "update"]


def test_a_refused_transfer_leaves_nothing_but_its_record(ledger, trail):
    bolt = shelf()
    movements = ledger.movements()
    error = refusal(InsufficientStock, transfer, bolt.here, bolt.there, 11)
    assert str(error) == error.fields["quantity"]
    assert str(error) == "Only 10 pcs of Bolt are available at Bolt north; you asked for 11."
    assert ledger.movements() == movements
    assert ledger.quantities(bolt.here, bolt.there) == [10, 5]
    last = trail.last()
    assert (last.name, last.outcome, last.error_class, last.detail) == (
        "stock.transfer_inventory",
        "failed",
        "InsufficientStock",
        f"{error} (from_item_id {bolt.here}, to_item_id {bolt.there}, quantity 11)",
    )


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        ("0", "Enter more than 0."),
        ("-1", "Enter more than 0."),
        ("1.5", "pcs are counted with whole numbers only."),
        ("100000000000", TOO_LARGE),
        ("1E+1000000", TOO_LARGE),
        ("Infinity", TOO_LARGE),
        ("NaN", TOO_LARGE),
        ("sNaN", TOO_LARGE),
    ],
)
def test_a_quantity_that_cannot_be_moved(quantity, sentence):
    bolt = shelf()
    assert refusal(Invalid, transfer, bolt.here, bolt.there, quantity).fields == {"quantity": sentence}


@pytest.mark.parametrize("quantity", ["1E+1000000", "-1E+1000000", "NaN", "sNaN", "-Infinity"])
def test_a_difference_that_is_no_quantity(quantity):
    assert refusal(Invalid, adjust, shelf().here, quantity).fields == {"quantity": TOO_LARGE}


def test_a_unit_says_how_finely_it_is_counted(ledger):
    flour = shelf("Flour", unit_code="kg", here="2.5")
    transfer(flour.here, flour.there, "0.125")
    assert ledger.quantities(flour.here, flour.there) == [Decimal("2.375"), Decimal("5.125")]
    error = refusal(Invalid, transfer, flour.here, flour.there, "0.0625")
    assert error.fields == {"quantity": "kg are counted with at most 3 decimals."}


def test_the_same_place_is_no_target():
    bolt = shelf()
    for where in ({"to_item_id": bolt.here}, {"to_item_id": None, "to_location_id": bolt.here_location}):
        error = refusal(Invalid, transfer, bolt.here, quantity=1, **where)
        assert (str(error), error.fields) == (ALREADY_THERE, {"to_location_id": ALREADY_THERE})


def test_items_that_do_not_exist():
    bolt = shelf()
    for pair in ((bolt.here, 999_999), (999_999, bolt.here), (999_999, 999_998)):
        assert str(refusal(NotFound, transfer, *pair)) == ONE_GONE
    assert str(refusal(NotFound, transfer, 999_999, None, to_location_id=bolt.there_location)) == GONE


@pytest.mark.parametrize("location_id", [None, 999_999])
def test_a_target_must_be_chosen(location_id):
    error = refusal(Invalid, transfer, shelf().here, None, to_location_id=location_id)
    assert error.fields == {"to_location_id": "Choose where it goes."}


def test_a_transfer_moves_one_product():
    bolt, nut = shelf(), shelf("Nut")
    sentence = "Bolt cannot become Nut: a transfer moves one product."
    error = refusal(Invalid, transfer, bolt.here, nut.here)
    assert (str(error), error.fields) == (sentence, {"to_location_id": sentence})


def test_a_closed_location_gives_and_takes_nothing():
    bolt = shelf()
    close(bolt.there_location)
    sentence = "Bolt south is closed. Choose a location that is in use."
    assert refusal(Invalid, transfer, bolt.here, bolt.there).fields == {"to_location_id": sentence}
    assert refusal(Invalid, transfer, bolt.here, None, to_location_id=bolt.there_location).fields == {
        "to_location_id": sentence
    }
    error = refusal(Invalid, transfer, bolt.there, bolt.here)
    assert (str(error), error.fields) == (sentence, {"from_item_id": sentence})


def test_the_first_rule_that_is_broken_speaks():
    bolt, nut = shelf(), shelf("Nut")
    close(bolt.here_location)
    assert "cannot become" in str(refusal(Invalid, transfer, bolt.here, nut.here, "99.5"))
    assert "is closed" in str(refusal(Invalid, transfer, bolt.here, bolt.there, "99.5"))
    assert "whole numbers" in refusal(Invalid, transfer, nut.here, nut.there, "99.5").fields["quantity"]
    assert "more than 0" in refusal(Invalid, transfer, 999_999, nut.there, -1).fields["quantity"]
    assert str(refusal(Invalid, transfer, 999_999, 999_999, -1)) == ALREADY_THERE


def test_no_item_grows_beyond_what_can_be_kept(ledger):
    bolt = shelf(here="99999999999", there="1", unit_cost=Decimal("0.01"))
    assert str(refusal(Invalid, transfer, bolt.here, bolt.there, "99999999999")) == "A number is too large."
    assert refusal(Invalid, adjust, bolt.here, 1).fields == {"quantity": TOO_LARGE}
    assert ledger.quantities(bolt.here, bolt.there) == [99_999_999_999, 1]


def test_who_may_not_is_refused_and_recorded(bob, trail):
    bolt = shelf()
    with acting_as(bob):
        for act in (lambda: transfer(bolt.here, bolt.there), lambda: adjust(bolt.here, 1), lambda: issue(bolt.here, 1)):
            refusal(NotAllowed, act)
    assert [o.outcome for o in trail.operations(actor_name="bob")] == ["denied"] * 3


def test_an_adjustment_says_what_was_and_what_is(ledger):
    bolt = shelf()
    done = adjust(bolt.here, "-4", "damaged", note="fell")
    assert (done.product, done.location, done.before, done.after) == ("Bolt", "Bolt north", "10 pcs", "6 pcs")
    assert adjust(bolt.here, "1994").after == "2,000 pcs"
    down, up = ledger.movements(bolt.here)[-2:]
    assert (down.kind, down.quantity, down.value, down.reason_code, down.note) == (
        "adjustment",
        -4,
        Decimal("-10.0000"),
        "damaged",
        "fell",
    )
    assert (up.quantity, up.sequence, up.reason_code, up.note) == (1994, 3, "found", None)


def test_an_issue_names_for_whom(ledger):
    bolt = shelf()
    done = issue(bolt.here, 4, reference_type="order", reference="SO-1", note="n")
    assert (done.before, done.after) == ("10 pcs", "6 pcs")
    found = ledger.movements(bolt.here)[-1]
    assert (found.kind, found.quantity, found.value, found.reason_code) == ("issue", -4, Decimal("-10.0000"), "sold")
    assert (found.reference_type, found.reference, found.note) == ("order", "SO-1", "n")


@pytest.mark.parametrize(
    ("act", "quantity", "sentence"),
    [
        (adjust, "0", "Enter how much to add (5) or take away (-5)."),
        (adjust, "0.5", "pcs are counted with whole numbers only."),
        (adjust, "-100000000000", TOO_LARGE),
        (issue, "0", "Enter more than 0."),
        (issue, "-2", "Enter more than 0."),
        (issue, "1.1", "pcs are counted with whole numbers only."),
    ],
)
def test_a_quantity_that_cannot_be_adjusted_or_issued(act, quantity, sentence):
    assert refusal(Invalid, act, shelf().here, quantity).fields == {"quantity": sentence}


@pytest.mark.parametrize(("act", "quantity"), [(adjust, -11), (issue, 11)])
def test_more_than_is_there_cannot_be_taken(act, quantity, ledger):
    bolt = shelf()
    error = refusal(InsufficientStock, act, bolt.here, quantity)
    assert str(error) == "Only 10 pcs of Bolt are available at Bolt north; you asked for 11."
    assert error.fields == {"quantity": str(error)}
    assert ledger.quantities(bolt.here) == [10]


@pytest.mark.parametrize("act", [adjust, issue])
def test_adjusting_and_issuing_need_an_item_a_place_in_use_and_a_reason(act):
    bolt = shelf()
    assert str(refusal(NotFound, act, 999_999, 1)) == GONE
    error = refusal(Invalid, act, bolt.here, 1, reason_code="because")
    assert error.fields == {"reason_code": "Choose a reason."}
    close(bolt.here_location)
    sentence = "Bolt north is closed. Choose a location that is in use."
    assert refusal(Invalid, act, bolt.here, 1).fields == {"item_id": sentence}


def create(**changes):
    fields = {"sku": "nut-1", "name": "Nut", "unit_cost": Decimal("0.25"), "quantity": Decimal(8)} | changes
    return transact(stock.create_inventory_item, **fields)


def test_a_cost_is_no_finer_than_it_is_kept(ledger):
    fields = refusal(Invalid, lambda: create(location_id=location("WEST").id, unit_cost=Decimal("0.00001"))).fields
    assert fields == {"unit_cost": "Use at most 4 decimals."}
    assert ledger.movements() == []


def test_a_new_product_comes_with_its_opening_stock(ledger, trail):
    west = location("WEST", name="West")
    made = create(location_id=west.id)
    assert (made.sku, made.product, made.location) == ("NUT-1", "Nut", "West")
    (opening,) = ledger.movements(made.item_id)
    assert (opening.kind, opening.quantity, opening.value, opening.reason_code, opening.sequence) == (
        "receipt",
        8,
        Decimal("2.0000"),
        "opening",
        1,
    )
    tables = sorted(c.table for c in trail.changes(trail.last().id))
    assert tables == ["inventory_item", "product", "product_price", "stock_movement"]


def everything(ledger, sku):
    """Return every column of what was made for a product, without keys and times, which differ each time."""
    return ledger.rows(
        "SELECT to_jsonb(p) - '{id,sku,search,created_at}'::text[] AS product,"
        " (SELECT jsonb_agg(to_jsonb(r) - '{id,product_id,valid_from}'::text[]) FROM product_price r"
        "   WHERE r.product_id = p.id) AS prices,"
        " (SELECT jsonb_agg(to_jsonb(i) - '{id,product_id,changed_at}'::text[]) FROM inventory_item i"
        "   WHERE i.product_id = p.id) AS items,"
        " (SELECT jsonb_agg(to_jsonb(m) - '{id,item_id,operation_id,occurred_at,recorded_at}'::text[])"
        "   FROM stock_movement m JOIN inventory_item i ON i.id = m.item_id WHERE i.product_id = p.id) AS movements"
        " FROM product p WHERE sku = %s",
        [sku],
    )[0]


@pytest.mark.parametrize("quantity", ["0", "8", "1.125"])
def test_both_ways_of_making_an_item_write_and_say_the_same(quantity, ledger, monkeypatch):
    west = location("WEST", name="West")
    fields = {"unit_code": "kg", "unit_price": Decimal("1.5"), "quantity": Decimal(quantity)}
    fields |= {"name": " Élan  ", "reorder_point": Decimal("0.5"), "reorder_quantity": Decimal(3)}
    said = []
    for sku in ("one", "two"):
        made = create(location_id=west.id, sku=f" {sku} ", **fields)
        said.append((made.product, made.location, ledger.quantities(made.item_id)))
        monkeypatch.setattr(stock, "open_with_stock", lambda *_, **__: None)
    assert said[0] == said[1]
    assert everything(ledger, "ONE") == everything(ledger, "TWO")


def test_an_item_that_may_be_made_is_made_in_one_statement():
    west = location("WEST", name="West")
    assert statements(lambda: create(location_id=west.id, unit_cost=Decimal(0))) == ["SELECT", "WITH"]
    # Whether somebody may set a cost is asked as well.
    assert statements(lambda: create(location_id=west.id, sku="NUT-2")) == ["SELECT", "SELECT", "WITH"]


def test_an_existing_product_is_put_at_one_more_place(ledger):
    west, known = location("WEST", name="West"), product("NUT", name="Nut")
    made = create(product_id=known.id, location_id=west.id, quantity=Decimal(0))
    assert made.product_id == known.id
    assert ledger.movements(made.item_id) == []
    sentence = "Nut is already kept at West. Adjust that item instead."
    error = refusal(Invalid, create, product_id=known.id, location_id=west.id)
    assert (str(error), error.fields) == (sentence, {"location_id": sentence})


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"location_id": 999_999}, {"location_id": "Choose a location that is in use."}),
        ({"product_id": 999_999}, {"product_id": "Choose a product that is in use."}),
        ({"quantity": Decimal(-1)}, {"quantity": "Enter 0 or more."}),
        ({"quantity": Decimal("0.5")}, {"quantity": "pcs are counted with whole numbers only."}),
        ({"quantity": Decimal(10) ** 12}, {"quantity": TOO_LARGE}),
        ({"sku": " "}, {"sku": "Enter an SKU of at most 40 characters."}),
        ({"unit_code": "stones"}, {"unit_code": "Choose a unit of the list."}),
        (
            {"name": " ", "unit_cost": Decimal(-1)},
            {"name": "Enter the product's name.", "unit_cost": "Enter 0 or more."},
        ),
    ],
)
def test_what_a_new_item_cannot_be(changes, fields, ledger):
    west = location("WEST", name="West")
    assert refusal(Invalid, create, **({"location_id": west.id} | changes)).fields == fields
    assert ledger.movements() == []


def test_what_is_not_in_use_takes_no_new_item():
    west, old = location("WEST", name="West"), product("OLD", active=False)
    error = refusal(Invalid, create, product_id=old.id, location_id=west.id)
    assert error.fields == {"product_id": "Choose a product that is in use."}
    arrange(lambda session: setattr(session.get_one(Product, old.id), "active", True))
    close(west.id)
    road = location("ROAD", kind="transit")
    for place in (west, road):
        for known in ({"product_id": old.id}, {"sku": "NEW", "name": "New"}):
            error = refusal(Invalid, create, location_id=place.id, **known)
            assert error.fields == {"location_id": "Choose a location that is in use."}


def test_an_sku_is_used_once():
    west = location("WEST", name="West")
    create(location_id=west.id)
    error = refusal(Invalid, create, location_id=west.id)
    assert error.fields == {"sku": "NUT-1 is Nut already. Receive it where it is now, or give another SKU."}
    arrange(lambda session: setattr(session.scalars(sa.select(Product)).one(), "active", False))
    error = refusal(Invalid, create, location_id=west.id)
    sentence = "NUT-1 is Nut already. It is archived: restore it, then receive it, or give another SKU."
    assert error.fields == {"sku": sentence}


def test_a_double_click_transfers_once(ledger):
    bolt = shelf()
    first, again = (transfer(bolt.here, bolt.there, 3, idempotency_key="k1") for _ in range(2))
    assert first == again
    assert ledger.quantities(bolt.here, bolt.there) == [7, 8]
    refusal_of_other = pytest.raises(Conflict, match="already sent with other values")
    with refusal_of_other:
        transfer(bolt.here, bolt.there, 4, idempotency_key="k1")


@pytest.mark.parametrize("target", ["item", "location"])
def test_a_transfer_that_may_be_made_is_made_in_one_statement(target):
    bolt = shelf()
    where = (
        {"to_item_id": bolt.there} if target == "item" else {"to_item_id": None, "to_location_id": bolt.there_location}
    )
    # What opens the operation, and what does it.
    assert statements(lambda: transfer(bolt.here, quantity=2, **where)) == ["SELECT", "WITH"]


def test_both_ways_of_a_transfer_write_and_say_the_same(ledger, monkeypatch):
    fields = [
        "kind",
        "quantity",
        "unit_cost",
        "value",
        "reason_code",
        "note",
        "reference_type",
        "reference",
        "sequence",
        "reverses",
    ]
    written = []
    for name in ("Flour", "Sugar"):
        kept = shelf(name, unit_code="kg", unit_cost=Decimal("0.3333"))
        said = transfer(kept.here, kept.there, "1.005", reason_code="replenish", note="n")
        rows = [[getattr(m, field) for field in fields] for m in ledger.movements(kept.here, kept.there)]
        left = [(one.quantity, one.changed_by) for one in said.items]
        words = (said.quantity, said.from_location.split()[1], said.to_location.split()[1], said.kept_in_use)
        written.append((rows, left, words, [ledger.item(id_).sequence for id_ in (kept.here, kept.there)]))
        monkeypatch.setattr(stock, "move", lambda *_, **__: None)
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("here", "there", "quantity", "kept"), [("5", "5", "4", True), ("5", "5", "5", False), ("5", "0", "4", False)]
)
@pytest.mark.parametrize("way", ["in one statement", "in steps"])
def test_a_transfer_tells_what_is_left_and_whether_a_place_was_or_became_empty(
    here, there, quantity, kept, way, monkeypatch, ledger
):
    if way == "in steps":
        monkeypatch.setattr(stock, "move", lambda *_, **__: None)
    bolt = shelf(here=here, there=there)
    done = transfer(bolt.here, bolt.there, quantity)
    assert done.kept_in_use is kept
    assert [(one.item_id, one.quantity) for one in done.items] == list(
        zip((bolt.here, bolt.there), ledger.quantities(bolt.here, bolt.there), strict=True)
    )
    assert [(one.changed_at, one.changed_by) for one in done.items] == [
        (row.changed_at, row.changed_by) for row in map(ledger.item, (bolt.here, bolt.there))
    ]


def test_a_machine_sets_prices_as_an_import_does(ledger):
    shed = location("SHED").id or 0
    with acting_as(system_actor("night")):
        made = create(location_id=shed)
    assert ledger.movements(made.item_id)[0].value == Decimal("2.0000")


@pytest.mark.parametrize("field", ["unit_cost", "unit_price"])
def test_who_may_not_see_prices_sets_none(field, ledger, trail):
    shed = location("SHED").id or 0
    fields = {"location_id": shed, "sku": "NUT-1", "name": "Nut", "quantity": Decimal(8)}
    with acting_as(person("eve", "employee")):
        with pytest.raises(NotAllowed, match="See costs and prices"):
            transact(stock.create_inventory_item, **fields, **{field: Decimal("0.25")})
        assert trail.last().outcome == "denied"
        assert ledger.movements() == []
        assert transact(stock.create_inventory_item, **fields, **{field: Decimal(0)}).sku == "NUT-1"
