"""`inventory doctor`: every part is looked at, what is wrong is a line and the exit status, and nothing is changed."""

from inventory_app.paths import OWNER_ROLE


def lines(answer):
    assert "Traceback" not in answer.complained
    return [line.strip() for line in answer.said.splitlines()]


def line(answer, name):
    (found,) = [line for line in lines(answer) if line.split(maxsplit=1)[1].startswith(f"{name}: ")]
    return found


def test_before_the_first_start_it_names_what_does_not_run_and_makes_nothing(inventory):
    answer = inventory("doctor")
    assert answer.status == 1
    assert line(answer, "database").startswith("WRONG database: The embedded database is not running")
    assert line(answer, "data folder") == f"ok    data folder: {inventory.data_dir}, which the first start makes"
    assert [said for said in lines(answer) if not said.startswith(("ok ", "WRONG database"))] == []
    assert not inventory.data_dir.exists()


def test_a_database_that_runs_is_well_and_says_how_far_it_is_migrated(inventory):
    assert inventory("database", "start").status == 0
    empty = inventory("doctor")
    assert (empty.status, line(empty, "database")) == (0, "ok    database: answers, schema empty")
    assert inventory("migrate").status == 0
    before = sorted((file.name, file.stat().st_mtime_ns) for file in inventory.data_dir.glob("*.json"))
    done = inventory("doctor")
    assert (done.status, line(done, "database")) == (0, "ok    database: answers, schema current")
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
    assert line(two, "database") == "ok    database: answers, schema empty"
    assert not [said for said in lines(two) if "PostgreSQL:" in said]


def test_a_server_that_does_not_answer_is_said_without_its_password(inventory):
    answer = inventory("doctor", DATABASE_URL="postgres://ann:secret-word@127.0.0.1:1/shop")
    assert answer.status == 1
    assert line(answer, "database").startswith("WRONG database: The database that DATABASE_URL names cannot be reached")
    assert "secret-word" not in answer.said + answer.complained
