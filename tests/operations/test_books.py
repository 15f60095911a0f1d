"""The books: what the owner of the tables changes beside the ledger is found, named, and put right where it can be."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest

from inventory_app import jobs
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound
from inventory_app.operations import as_of, books
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import person
from tests.operations.shelf import adjust, issue, refusal, shelf, transfer


@pytest.fixture
def ledger(ann):
    """Return a product at two places with a few movements, booked by Ann."""
    found = shelf(here="10", there="5")
    with acting_as(ann):
        adjust(found.here, 3)
        issue(found.here, 2)
        transfer(found.here, found.there, 4)
        adjust(found.here, 1)
    return found


def tamper(database, statement: str, *values: object) -> None:
    """Do what nobody may: as the owner, with every trigger of the table off."""
    table = statement.split()[2 if statement.startswith("DELETE") else 1]
    with database.as_superuser() as connection:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        connection.execute(statement, values)
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def checked() -> books.Check:
    """Check the books to the end, as the job does."""
    with acting_as(system_actor("jobs")):
        check_id = transact(books.begin_check)
        while jobs.check_next(check_id):
            pass
        return read(books.last_check)


def movements(database, item_id: int):
    with database.as_owner() as connection:
        return connection.execute(
            "SELECT id, sequence, operation_id, recorded_at, quantity FROM stock_movement WHERE item_id = %s"
            " ORDER BY sequence",
            [item_id],
        ).fetchall()


def test_books_that_nobody_touched_balance(database, ledger):
    found = checked()
    assert (found.faults, found.shown, found.done) == (0, [], found.total)
    assert found.movements == "7"
    assert found.finished_at
    assert found.started_by == "", "the daily one, nobody's"


def test_an_auditor_sees_and_checks_the_books_and_does_not_rebuild_them(ledger):
    with acting_as(person("eva", "auditor")):
        check_id = transact(books.begin_check)
        assert read(books.last_check).id == check_id
        refusal(NotAllowed, transact, books.rebuild_books, check_id=check_id, reason="To see whether I may")
    with acting_as(person("emil", "employee")):
        refusal(NotAllowed, transact, books.begin_check)
        refusal(NotAllowed, read, books.last_check)


def test_a_movement_that_was_changed_is_named_with_its_operation_and_what_it_was(database, ledger):
    _, _, third, *_ = movements(database, ledger.here)
    tamper(database, "UPDATE stock_movement SET quantity = -1 WHERE id = %s", third[0])
    first = checked().shown[0]
    assert (first.kind, first.sequence, first.operation_id) == ("item", "3", str(third[2]))
    assert first.at == third[3].isoformat()
    assert first.said == "It was recorded as -2, it now says -1."
    assert first.href == f"/inventory/{ledger.here}"
    assert (first.says, first.sum) == ("8", "9")


def test_a_movement_that_was_taken_out_is_named_by_the_one_after_it(database, ledger):
    _, second, third, *_ = movements(database, ledger.here)
    tamper(database, "DELETE FROM stock_movement WHERE id = %s", second[0])
    first = checked().shown[0]
    assert (first.sequence, first.operation_id) == ("3", str(third[2]))
    assert first.said == "Movement 2 is missing before this one."


def test_a_movement_that_was_slipped_in_is_in_no_record(database, ledger):
    with database.as_superuser() as connection:
        connection.execute("ALTER TABLE stock_movement DISABLE TRIGGER USER")
        connection.execute(
            "INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, operation_id,"
            " occurred_at, recorded_at) VALUES (%s, 6, 'receipt', 5, 0, 0, gen_random_uuid(), now(), now())",
            [ledger.here],
        )
    first = checked().shown[0]
    assert (first.sequence, first.said) == ("6", "This movement is in no record of the trail.")


def test_an_item_that_was_changed_beside_its_movements_is_told_from_a_wrong_movement(database, ledger):
    tamper(database, "UPDATE inventory_item SET quantity = 100 WHERE id = %s", ledger.here)
    first = checked().shown[0]
    assert first.said == (
        "It says 100, its movements come to 8: "
        "the movements are as they were recorded, the item was changed beside them."
    )


def test_half_of_a_transfer_that_was_changed_is_a_transfer_that_comes_to_something(database, ledger):
    sent = movements(database, ledger.here)[3]
    tamper(database, "UPDATE stock_movement SET quantity = -5 WHERE id = %s", sent[0])
    kinds = {row.kind: row for row in checked().shown}
    assert kinds["transfer"].operation_id == str(sent[2])
    assert {"item", "product"} <= kinds.keys()


AS_APPLICATION = """
WITH asked AS (SELECT * FROM unnest(%(items)s::bigint[], %(quantities)s::numeric[]) AS a(item_id, quantity)),
changed AS (
  UPDATE inventory_item i SET quantity = i.quantity + a.quantity, sequence = i.sequence + 1
    FROM asked a WHERE i.id = a.item_id RETURNING i.id, i.sequence, a.quantity)
INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, operation_id, occurred_at, recorded_at,
                            reverses)
SELECT id, sequence, %(kind)s, quantity, 0, quantity, %(operation)s, now(), now(), %(reverses)s FROM changed
"""


def book_as_application(database, kind, items, quantities, reverses=None):
    """Book beside every rule, as whoever has stolen the application's role could."""
    operation = uuid4()
    with database.as_app() as connection:
        connection.execute(
            "SELECT audit_begin_as(%s, 'stock.transfer_inventory', 'succeeded', 'cli', 'cli:thief',"
            " NULL, NULL, NULL, NULL, NULL, NULL)",
            [operation],
        )
        given = {"items": items, "quantities": quantities, "kind": kind, "operation": operation, "reverses": reverses}
        connection.execute(AS_APPLICATION, given)
        connection.commit()
    return str(operation)


def test_a_transfer_that_made_one_product_of_another_is_found(database, ledger):
    other = shelf("Nut")
    booked = book_as_application(database, "transfer", [ledger.here, other.here], [-5, 5])
    found = checked().shown
    assert {(row.kind, row.operation_id, row.said) for row in found} == {
        ("transfer", booked, "What was moved away and what arrived are not the same.")
    }
    assert {row.sum for row in found} == {"-5", "5"}


def test_a_counter_entry_that_is_not_what_it_takes_back_is_found(database, ledger):
    _, adjusted, *_ = movements(database, ledger.here)
    booked = book_as_application(database, "reversal", [ledger.here], [-1], adjusted[0])
    (first,) = checked().shown
    assert (first.kind, first.operation_id, first.sum) == ("transfer", booked, "2")
    assert first.said == "What was taken back is not what had been booked."


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE product_stock SET quantity = quantity + 1", "product"),
        ("UPDATE product_stock SET value = value + 1", "product"),
        ("UPDATE product_stock SET reorder_at = 77", "product"),
        ("DELETE FROM product_stock", "product"),
        ("UPDATE item_worth SET quantity = quantity + 1", "worth"),
        ("DELETE FROM item_worth", "worth"),
        ("UPDATE inventory_item SET quantity = quantity + 1", "item"),
        ("UPDATE inventory_item SET sequence = sequence + 1", "item"),
        ("UPDATE stock_total SET value = value + 1", "total"),
        ("DELETE FROM stock_total WHERE kind = 'transfer'", "total"),
    ],
)
def test_whatever_is_kept_beside_the_ledger_is_found_and_put_right(database, ledger, trail, statement, kind):
    with database.as_app() as connection:
        connection.execute("SELECT audit_fix_horizon()")
        connection.commit()
        assert connection.execute("SELECT audit_sum_days(5)").fetchone() == (5,)
    tamper(database, statement)
    before = movements(database, ledger.here), movements(database, ledger.there)
    found = checked()
    assert kind in {row.kind for row in found.shown}
    with acting_as(person("rita", "manager")):
        transact(books.rebuild_books, check_id=found.id, reason="Somebody was at the tables")
    assert checked().faults == 0
    assert (movements(database, ledger.here), movements(database, ledger.there)) == before
    deed = next(one for one in reversed(trail.operations()) if one.name == "books.rebuild_books")
    assert (deed.actor_name, deed.reason) == ("rita", "Somebody was at the tables")


def test_what_was_booked_since_the_check_is_kept_by_a_rebuild(database, ledger, ann):
    tamper(database, "UPDATE inventory_item SET quantity = quantity + 50 WHERE id = %s", ledger.here)
    found = checked()
    with acting_as(ann):
        adjust(ledger.here, 2)
        assert transact(books.rebuild_books, check_id=found.id, reason="Wrong").items == 1
        assert transact(books.rebuild_books, check_id=found.id, reason="Again").items == 0
    assert checked().faults == 0
    moment = datetime.now(UTC) + timedelta(minutes=1)
    with acting_as(ann):
        assert read(as_of.item_as_of, item_id=ledger.here, at=moment).quantity == Decimal(10)


def test_movements_that_come_to_less_than_nothing_are_not_written_over_the_item(database, ledger, ann):
    first = movements(database, ledger.here)[0]
    tamper(database, "UPDATE stock_movement SET quantity = 1 WHERE id = %s", first[0])
    found = checked()
    with acting_as(ann):
        refused = refusal(Conflict, transact, books.rebuild_books, check_id=found.id, reason="Wrong")
    assert "come to -1" in str(refused)


def test_a_rebuild_wants_a_reason_a_finished_check_and_the_permission(database, ledger, ann):
    with acting_as(ann):
        check_id = transact(books.begin_check)
        assert transact(books.begin_check) == check_id, "the check that is under way"
        refusal(Conflict, transact, books.rebuild_books, check_id=check_id, reason="Too early")
        while jobs.check_next(check_id):
            pass
        assert read(books.last_check).started_by == "Ann"
        refusal(Invalid, transact, books.rebuild_books, check_id=check_id, reason=" ")
    with acting_as(person("eve", "employee")):
        refusal(NotAllowed, transact, books.rebuild_books, check_id=check_id, reason="Mine")
        refusal(NotAllowed, read, books.last_check)


def test_a_part_that_two_have_checked_is_put_down_once(database, ledger, ann):
    with acting_as(ann):
        check_id = transact(books.begin_check)
        number, found = read(books.check_part, check_id=check_id)
        for _ in range(2):
            with open_session() as session:
                books.note_part(session, check_id=check_id, number=number, found=found)
                session.commit()
        seen = read(books.last_check)
    assert (seen.done, seen.movements) == (1, "7")


def test_the_job_checks_once_a_day_and_ends_what_somebody_left(database, ledger, ann):
    with acting_as(ann):
        left = transact(books.begin_check)
    with acting_as(system_actor("jobs")):
        jobs.check_books()
        assert not read(books.last_check).finished_at, "somebody may still be at it"
        with database.as_owner() as connection:
            connection.execute("UPDATE books_check SET seen_at = now() - interval '2 minutes'")
        jobs.check_books()
        done = read(books.last_check)
        assert (done.id, bool(done.finished_at)) == (left, True)
        jobs.check_books()
        assert read(books.last_check).id == left, "checked today"
        with database.as_owner() as connection:
            connection.execute("UPDATE books_check SET seen_at = now() - interval '25 hours'")
        jobs.check_books()
        assert read(books.last_check).id > left


def test_a_value_that_was_rounded_is_a_note_and_no_fault(database, ledger):
    tamper(database, "UPDATE product SET unit_cost = unit_cost + 0.01")
    with database.as_superuser() as connection:
        connection.execute("UPDATE item_worth SET unit_cost = unit_cost + 0.01")
    found = checked()
    assert found.faults == 0
    assert "1 product is not the quantity times today's unit cost" in found.note


def test_the_application_cannot_write_what_a_rebuild_writes(database):
    with database.as_app() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("UPDATE product_stock SET quantity = 0")


def test_a_movement_that_was_given_to_another_item_is_named(database, ledger):
    *_, fifth = movements(database, ledger.here)
    tamper(database, "UPDATE stock_movement SET item_id = %s, sequence = 3 WHERE id = %s", ledger.there, fifth[0])
    said = {row.href: row.said for row in checked().shown if row.kind == "item"}
    assert said[f"/inventory/{ledger.there}"] == "It was recorded for another item."
    assert said[f"/inventory/{ledger.here}"] == "It counts 5 movements and has 4: the last ones are missing."


def test_an_item_that_counts_its_movements_wrongly_says_so(database, ledger):
    tamper(database, "UPDATE inventory_item SET sequence = sequence - 1 WHERE id = %s", ledger.here)
    assert checked().shown[0].said == "It counts 4 movements and has 5."


def test_a_part_is_checked_of_a_check_that_is_there_and_not_ended(database, ledger, ann):
    found = checked()
    with acting_as(ann):
        refusal(NotFound, read, books.check_part, check_id=999_999)
        assert read(books.check_part, check_id=found.id) == (found.total, books.Found())


def test_a_rebuild_says_what_it_put_right():
    assert books.Rebuilt(0, 0, 0).said == "There was nothing to put right"
    assert books.Rebuilt(1, 2, 3).said == "Put right: 1 items, 2 products, 3 sums of the past"
