"""The company that the figures at size are measured on: its books balance, and loading it leaves its whole trail."""

from collections import Counter
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest

from bench import company_load, stage
from bench.company_data import (
    BUSIEST,
    ITEMS_A_CHUNK,
    LOCATIONS,
    NULL,
    Chunk,
    Company,
    categories,
    gtin,
    leaves,
    locations,
)
from inventory_app.database import embedded
from inventory_app.operations.books import books_balance
from inventory_app.paths import DATABASE, SUPERUSER_ROLE
from inventory_app.unit_of_work import open_session
from tests.fixtures.environment import clean_environment

COMPANY = Company(2_000)


@pytest.fixture(scope="module")
def chunk() -> Chunk:
    return Chunk(COMPANY, 1)


def test_the_same_company_is_made_up_every_time(chunk):
    again, operation = Chunk(COMPANY, 1), uuid4()
    assert list(chunk.movements(3, operation)) == list(again.movements(3, operation))


def test_items_hold_what_their_movements_sum_up_to_and_never_less_than_nothing(chunk):
    held, worth = Counter[str](), Counter[str]()
    for turn in range(COMPANY.rounds):
        for row in chunk.movements(turn, uuid4()):
            _, item, sequence, _, quantity, _, value, *_ = row.split("\t")
            assert int(sequence) == turn + 1
            held[item] += Decimal(quantity)
            worth[item] += Decimal(value)
            assert held[item] >= 0
    rows = [row.split("\t") for row in chunk.catalogue()["inventory_item"]]
    assert {row[0]: Decimal(row[4]) for row in rows} == held
    assert len(rows) == ITEMS_A_CHUNK == len({tuple(row[1:3]) for row in rows})


def test_transfers_sum_to_nothing_and_reversals_undo_what_was_before(chunk):
    rounds = [[row.split("\t") for row in chunk.movements(turn, uuid4())] for turn in range(COMPANY.rounds)]
    kinds = Counter(row[3] for rows in rounds for row in rows)
    assert set(kinds) >= {"receipt", "issue", "adjustment", "transfer", "count", "reversal"}
    for rows in rounds:
        assert sum(Decimal(row[4]) for row in rows if row[3] == "transfer") == 0
    by_id = {row[0]: row for rows in rounds for row in rows}
    for row in by_id.values():
        if row[3] == "reversal":
            assert (Decimal(row[4]), Decimal(row[6])) == (-Decimal(by_id[row[12]][4]), -Decimal(by_id[row[12]][6]))
        else:
            assert row[12] == NULL


def test_barcodes_have_their_check_digit():
    assert gtin(638133393) == "4006381333931"


def test_places_and_categories_are_trees_whose_leaves_hold_things():
    assert len(locations(COMPANY)) == LOCATIONS - 1
    named = {int(row.split("\t")[0]): row.split("\t") for row in categories()}
    assert all(named[number][2].startswith(kind) and named[number][4] != NULL for number, kind in leaves())


@pytest.mark.long
def test_a_loaded_company_balances_and_is_in_the_trail(tmp_path, monkeypatch, configure):
    with embedded.throw_away(tmp_path / "data") as server:
        for name, value in clean_environment().items():
            monkeypatch.setenv(name, value)
        configure(DATABASE_URL=server.url(), MIGRATION_DATABASE_URL=server.url("inventory_owner"))
        company_load.load(server, COMPANY.items, processes=1)
        with open_session() as session:
            assert books_balance(session) == []
            engine = session.connection().engine
        engine.dispose()
        with psycopg.connect(stage.address(server, DATABASE, SUPERUSER_ROLE)) as connection:
            assert connection.execute(
                "SELECT (SELECT count(*) FROM stock_movement),"
                " (SELECT count(*) FROM audit_change WHERE table_name = 'stock_movement'),"
                " (SELECT count(*) FROM item_worth), (SELECT max(n) FROM (SELECT count(*) AS n FROM audit_change"
                " GROUP BY operation_id) per_operation)"
            ).fetchone() == (20_000 + BUSIEST, 20_000 + BUSIEST, 2_001, BUSIEST)
