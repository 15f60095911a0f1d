"""What is the same for everybody is found once, and never older than this process's last commit."""

import time
from collections.abc import Callable

import pytest
from sqlmodel import Session

from inventory_app.context import acting_as, generate_operation_id, system_actor
from inventory_app.operations import _remembered, catalog, items
from inventory_app.operations._remembered import Remembered
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import begin_as, item, location
from tests.operations.shelf import adjust, shelf
from tests.operations.trial import anybody_signed_in


@pytest.fixture
def as_ann(ann):
    with acting_as(ann):
        yield ann


@pytest.fixture
def counted(database) -> tuple[Remembered[int], list[int]]:
    """Return an answer that counts how often it was looked for."""
    asked: list[int] = []

    def find(_: Session) -> int:
        asked.append(1)
        return len(asked)

    return Remembered(find), asked


def ask(remembered: Remembered[int]) -> int:
    with open_session() as session:
        return remembered(session)


def test_it_is_found_once_until_an_operation_commits(counted, as_ann):
    remembered, asked = counted
    assert [ask(remembered) for _ in range(3)] == [1, 1, 1]
    transact(anybody_signed_in)
    assert [ask(remembered) for _ in range(2)] == [2, 2]
    assert len(asked) == 2


def test_it_is_found_again_after_a_while_for_what_other_processes_do(counted, monkeypatch):
    remembered, _ = counted
    assert ask(remembered) == 1
    later = time.monotonic() + _remembered.SECONDS
    monkeypatch.setattr(_remembered.time, "monotonic", lambda: later)
    assert ask(remembered) == 2


def test_what_was_found_while_somebody_committed_is_not_kept(as_ann):
    meanwhile: list[Callable[[], object]] = [lambda: transact(anybody_signed_in)]
    remembered = Remembered(lambda _: meanwhile.pop()() if meanwhile else "fresh")
    with open_session() as session:
        remembered(session)
        assert remembered(session) == "fresh"


def test_a_refused_operation_leaves_it(counted, as_ann):
    remembered, _ = counted
    assert ask(remembered) == 1
    with pytest.raises(Exception, match="does not exist"):
        adjust(999_999, 1)
    assert ask(remembered) == 1


def test_each_database_has_its_own(database, another_database_of_the_process):
    remembered = Remembered(lambda session: str(session.connection().engine.url))
    with open_session() as session:
        mine = remembered(session)
    with another_database_of_the_process() as session:
        assert remembered(session) != mine


@pytest.fixture
def another_database_of_the_process(server, template):
    """Return how to open a session on a second database."""
    import sqlalchemy as sa

    from inventory_app.paths import APP_ROLE

    name = f"other_{generate_operation_id().hex[-8:]}"
    server.create_database(name, template=template)
    engine = sa.create_engine(server.url(APP_ROLE, name))
    yield lambda: Session(engine)
    engine.dispose()
    server.drop_database(name)


def test_ones_own_change_is_in_the_figures_at_once(as_ann):
    bolt = shelf(here="10", there="0")
    assert read(items.summarize).out == 1
    adjust(bolt.here, -10)
    assert read(items.summarize).out == 2
    item(bolt.product_id, location("WEST").id)
    assert read(items.summarize).items == 3


def test_what_another_process_commits_is_in_the_figures_after_a_moment(as_ann, database, monkeypatch):
    bolt = shelf(here="10", there="0")
    assert read(items.summarize).out == 1
    with database.as_app() as connection:
        connection.execute(
            "SELECT audit_begin_as(%s, 'test', 'succeeded', 'system', 'system:test', NULL, NULL, NULL, NULL, NULL,"
            " NULL)",
            [generate_operation_id()],
        )
        connection.execute("UPDATE location SET name = 'Elsewhere' WHERE id = %s", [bolt.here_location])
        connection.execute(
            "INSERT INTO inventory_item (product_id, location_id, quantity, sequence, changed_at, changed_by)"
            " SELECT %s, id, 0, 0, now(), '' FROM location WHERE code = 'MAIN'",
            [bolt.product_id],
        )
    later = time.monotonic() + _remembered.SECONDS
    monkeypatch.setattr(_remembered.time, "monotonic", lambda: later)
    with acting_as(system_actor("test")):
        assert read(items.summarize).out == 2


def test_a_dear_answer_is_given_as_it_was_and_found_anew_beside(as_ann, monkeypatch):
    found = iter(range(10))
    remembered = Remembered(lambda _: next(found), dear=lambda _: True)
    monkeypatch.setattr(_remembered, "_PAUSES", 0)
    assert ask(remembered) == 0
    transact(anybody_signed_in)
    assert ask(remembered) == 0, "nobody waits for it"
    remembered.settle()
    assert [ask(remembered) for _ in range(2)] == [1, 1]


def test_a_dear_answer_is_not_found_more_often_than_it_may_cost(as_ann, monkeypatch):
    found = iter(range(10))
    remembered = Remembered(lambda _: next(found), dear=lambda _: True)
    monkeypatch.setattr(_remembered, "_PAUSES", 10**9)
    assert ask(remembered) == 0
    for _ in range(3):
        transact(anybody_signed_in)
        assert ask(remembered) == 0
        remembered.settle()
    assert next(found) == 1, "nobody looked"


def test_a_dear_answer_that_could_not_be_found_stays_and_is_tried_again(as_ann, monkeypatch, caplog):
    answers: list[Callable[[], str]] = [lambda: "first", lambda: {}["missing"], lambda: "second"]
    remembered = Remembered(lambda _: answers.pop(0)(), dear=lambda _: True)
    monkeypatch.setattr(_remembered, "_PAUSES", 0)
    assert ask(remembered) == "first"
    for expected in ("first", "first"):
        transact(anybody_signed_in)
        assert ask(remembered) == expected
        remembered.settle()
    assert ask(remembered) == "second"


def test_an_answer_with_a_mark_is_found_again_only_when_the_mark_changes(as_ann):
    marks, found = ["one"], iter(range(10))
    remembered = Remembered(lambda _: next(found), mark=lambda _: marks[-1])
    assert ask(remembered) == 0
    transact(anybody_signed_in)
    assert ask(remembered) == 0
    marks.append("two")
    transact(anybody_signed_in)
    assert ask(remembered) == 1


def test_the_mark_of_the_catalogue_changes_with_its_places_and_not_with_stock(as_ann, database):
    bolt = shelf(here="10", there="0")

    def mark():
        with open_session() as session:
            return catalog.catalogue_mark(session)

    before = mark()
    adjust(bolt.here, -1)
    assert mark() == before
    location("WEST")
    after = mark()
    assert after != before
    with database.as_app() as connection:
        begin_as(connection)
        connection.execute("UPDATE location SET name = 'Elsewhere' WHERE code = 'WEST'")
    assert mark() != after
