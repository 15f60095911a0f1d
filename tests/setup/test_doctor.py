"""`inventory doctor`: every part is looked at, what is wrong is a line and the exit status, and nothing is changed."""

import pytest

from inventory_app.database import embedded
from inventory_app.paths import OWNER_ROLE, SUPERUSER_ROLE, cluster_of


def lines(answer):
    assert "Traceback" not in answer.complained
    return [line.strip() for line in answer.said.splitlines()]


def line(answer, name):
    (found,) = [line for line in lines(answer) if line.split(maxsplit=1)[1].startswith(f"{name}: ")]
    return found


def test_before_the_first_start_it_names_what_is_not_made_yet_and_makes_nothing(inventory):
    answer = inventory("doctor")
    assert answer.status == 0
    assert line(answer, "database").startswith("ok    database: not made yet")
    assert line(answer, "data folder") == f"ok    data folder: {inventory.data_dir}, which the first start makes"
    assert [said for said in lines(answer) if not said.startswith("ok ")] == []
    assert not inventory.data_dir.exists()


def test_a_database_that_runs_is_well_and_says_how_far_it_is_migrated(inventory):
    assert inventory("database", "start").status == 0
    empty = inventory("doctor")
    assert (empty.status, line(empty, "database")) == (
        0,
        "ok    database: answers, schema empty, as inventory_app, which owns nothing",
    )
    assert inventory("migrate").status == 0
    before = sorted((file.name, file.stat().st_mtime_ns) for file in inventory.data_dir.glob("*.json"))
    done = inventory("doctor")
    assert (done.status, line(done, "database")) == (
        0,
        "ok    database: answers, schema current, as inventory_app, which owns nothing",
    )
    assert "MiB free" in line(done, "data folder")
    assert sorted((file.name, file.stat().st_mtime_ns) for file in inventory.data_dir.glob("*.json")) == before


def test_it_says_when_the_application_owns_its_tables(inventory, server, new_database):
    name = new_database()
    one = inventory("doctor", DATABASE_URL=server.url(OWNER_ROLE, name))
    assert one.status == 0
    assert "could change the record: set MIGRATION_DATABASE_URL" in line(one, "database")
    two = inventory(
        "doctor", DATABASE_URL=server.url("inventory_app", name), MIGRATION_DATABASE_URL=server.url(OWNER_ROLE, name)
    )
    assert line(two, "database") == "ok    database: answers, schema empty, as inventory_app, which owns nothing"
    assert not [said for said in lines(two) if "PostgreSQL:" in said]


def test_a_server_that_does_not_answer_is_said_without_its_password(inventory):
    answer = inventory("doctor", DATABASE_URL="postgres://ann:secret-word@127.0.0.1:1/shop")
    assert answer.status == 1
    assert line(answer, "database").startswith("WRONG database: The database that DATABASE_URL names cannot be reached")
    assert "secret-word" not in answer.said + answer.complained


def test_a_database_that_was_never_made_or_was_stopped_is_as_it_should_be(inventory):
    answer = inventory("doctor")
    assert (answer.status, line(answer, "database")[:26]) == (0, "ok    database: not made y")
    assert inventory("database", "start").status == 0
    assert inventory("migrate").status == 0
    answer = inventory("doctor")
    assert answer.status == 0
    assert line(answer, "database").endswith("as inventory_app, which owns nothing")
    assert inventory("database", "stop").status == 0
    answer = inventory("doctor")
    assert (answer.status, answer.complained) == (0, "")
    assert line(answer, "database").startswith("ok    database: stopped, as it should be")


def test_a_database_that_died_is_wrong(inventory):
    assert inventory("database", "start").status == 0
    assert inventory("database", "stop").status == 0
    # What a server leaves behind when it is killed; the number is nobody's.
    (cluster_of(inventory.data_dir).data / "postmaster.pid").write_text("999999999\n")
    answer = inventory("doctor")
    assert answer.status == 1
    assert line(answer, "database").startswith("WRONG database: The embedded database is not running")


@pytest.mark.parametrize(
    ("role", "said"),
    [(OWNER_ROLE, "owns the tables and could change the record"), (SUPERUSER_ROLE, "is a superuser")],
)
def test_a_role_that_could_switch_the_capture_off_is_noted(inventory, role, said):
    with embedded.throw_away() as server:
        owner = {"MIGRATION_DATABASE_URL": server.url(OWNER_ROLE)}
        assert inventory("migrate", DATABASE_URL=server.url(), **owner).status == 0
        answer = inventory("doctor", DATABASE_URL=server.url(role), **owner)
    assert answer.status == 0
    assert line(answer, "database").startswith("note  database: ")
    assert f"{role} {said}" in line(answer, "database")
