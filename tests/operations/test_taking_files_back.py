"""Taking a file of stock back: what is kept back stays, no value is left of nothing, and the average follows."""

from decimal import Decimal

import pytest

from inventory_app import importing, staging
from inventory_app.context import acting_as
from inventory_app.errors import Conflict, InsufficientStock
from inventory_app.operations import import_views
from inventory_app.unit_of_work import read
from tests.factories import person
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked
from tests.operations.shelf import Ledger, issue, receive, refusal, reserve, shelf, transfer


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger, configure, tmp_path):
    """Let Ann do it, and look at the books afterwards."""
    configure(INVENTORY_DATA_DIR=str(tmp_path))
    with acting_as(ann):
        yield ann
    ledger.balances()


def bring_in(*rows):
    """Import what was counted, as (sku, location, quantity); returns the run."""
    key, path = staging.new_file()
    path.write_text("\n".join(["sku,location,quantity", *(",".join(row) for row in rows)]))
    run_id = importing.take("stock", key, "stock.csv")
    columns = {one.field: one.column for one in read(import_views.run_of, run_id=run_id).choices if one.column >= 0}
    importing.check(run_id, columns, "update").result()
    importing.apply(run_id).result()
    assert read(import_views.run_of, run_id=run_id).status == "applied"
    return run_id


def test_what_is_reserved_since_is_not_taken_out(ledger):
    bolt = shelf()
    run = bring_in(("BOLT", "BOLT-N", "30"))
    reserve(bolt.here, 25)
    error = refusal(InsufficientStock, importing.undo, run, "the wrong file")
    assert str(error) == "Only 5 pcs of Bolt are available at Bolt north (25 pcs more are reserved); you asked for 20."
    assert ledger.quantities(bolt.here) == [30]


def test_the_average_follows_what_is_left(ledger):
    bolt = shelf(here="10", there="10", unit_cost=Decimal(2))
    run = bring_in(("BOLT", "BOLT-N", "30"))
    receive(20, item_id=bolt.there, unit_cost=Decimal(5))
    importing.undo(run, "the wrong file")
    assert ledger.worth(bolt.product_id) == (40, 140)
    assert ledger.cost(bolt.product_id) == Decimal("3.5")
    assert {m.kind for m in ledger.movements(bolt.here)[-1:]} == {"reversal"}


def test_where_nothing_is_left_no_value_is_left_either(ledger):
    bolt = shelf(here="0", there="5", unit_cost=Decimal(2))
    run = bring_in(("BOLT", "BOLT-N", "10"))
    receive(5, item_id=bolt.there, unit_cost=Decimal(8))
    issue(bolt.there, 10)
    importing.undo(run, "the wrong file")
    assert ledger.worth(bolt.product_id) == (0, 0)
    last = ledger.movements(bolt.here)[-1]
    assert (last.kind, last.quantity, last.value, last.reference_type) == ("revaluation", 0, -15, "nothing left")


def test_what_would_leave_less_than_nothing_is_refused(ledger):
    bolt = shelf(here="0", there="1", unit_cost=Decimal(10))
    run = bring_in(("BOLT", "BOLT-N", "10"))
    receive(100, item_id=bolt.there, unit_cost=Decimal(0))
    issue(bolt.there, 100)
    error = refusal(Conflict, importing.undo, run, "the wrong file")
    assert str(error) == "What is left of Bolt would be worth less than nothing. Set its cost first."
    assert ledger.quantities(bolt.here) == [10]


@pytest.mark.parametrize("then", ["taken back", "reserved"])
def test_who_comes_second_waits_and_looks_again(then, ledger, observer):
    bolt = shelf()
    run = bring_in(("BOLT", "BOLT-N", "30"))

    def take_out():
        return importing.undo(run, "the wrong file")

    def keep_back():
        return reserve(bolt.here, 25)

    first, second = (take_out, keep_back) if then == "reserved" else (keep_back, take_out)
    with Side(first, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(person("nancy", "manager")), Side(second) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert isinstance(other.error(), InsufficientStock)


def test_what_was_moved_since_is_not_taken_out(ledger):
    bolt = shelf()
    run = bring_in(("BOLT", "BOLT-N", "30"))
    transfer(bolt.here, bolt.there, 25)
    assert "1 item was moved since this file came in" in str(refusal(Conflict, importing.undo, run, "the wrong file"))
