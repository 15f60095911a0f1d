"""The embedded database dies while people work: it is started again, and they are told what is true."""

import signal

import psutil
import pytest
from reflex.model import get_engine

from inventory_app.database import embedded, keeper
from inventory_app.database.engine import CONNECTION_PARAMETERS
from inventory_app.database.keeper import Keeper
from inventory_app.errors import DatabaseUnavailable
from inventory_app.operator_error import OperatorError
from inventory_app.settings import get_settings
from inventory_app.states.inventory import InventoryState
from inventory_app.unit_of_work import open_session
from tests.factories import item
from tests.faults.installation import installation, kill_database
from tests.fixtures.tab import HYDRATE, Answer, Tab

SENTENCE = "The database cannot be reached. Nothing was changed; try again in a moment."


async def told(tab, handler, **payload) -> list[str]:
    """Send an event and return the first sentences that come back for it."""
    seen = len(tab.messages)
    await tab.send(handler, **payload)
    await tab.until(lambda: Answer(tab.messages[seen:]).said)
    return Answer(tab.messages[seen:]).said


async def test_it_is_started_again_and_meanwhile_everybody_reads_the_same_sentence(tmp_path):
    with installation(tmp_path) as site:
        ann, form = site.person("ann", "manager"), {"quantity": "-1", "reason_code": "sold"}
        form["item_id"] = item(quantity=5).id or 0
        visitor, stranger = site.signed_in(ann), site.visitor()
        asked_anew = Tab(site.signed_in(ann), "/inventory")
        assert stranger.get("/_health").json() == {"status": True, "db": True}
        async with Tab(visitor, "/inventory") as tab:
            # Held, so that the database is not back before everybody has asked.
            parent = psutil.Process(site.process.pid)
            parent.send_signal(signal.SIGSTOP)
            try:
                died = kill_database(site)
                site.wait_until(lambda: stranger.get("/_health").status_code == 503, "unwell")
                assert stranger.get("/_health").json() == {"status": False, "db": False, "sentence": SENTENCE}
                assert stranger.get("/ping").status_code == 200
                assert await told(tab, InventoryState.adjust_inventory, form=form) == [SENTENCE]
                # Nobody has seen this session yet: the guard itself has to ask who it is.
                await asked_anew.connect()
                assert await told(asked_anew, HYDRATE, vars={}, hashes=None) == [SENTENCE]
            finally:
                parent.send_signal(signal.SIGCONT)
            site.wait_until(lambda: stranger.get("/_health").status_code == 200, "well again")
            assert site.database.server.pid not in (None, died)
            assert [
                said.rpartition(" ")[0][-3:]
                for said in (await tab.call(InventoryState.adjust_inventory, form=form)).said
            ] == ["→ 4"]
        await asked_anew.close()
        assert "Something went wrong" not in site.log_text() + tab.text + asked_anew.text
        assert len(site.log_lines(event="database_died")) == len(site.log_lines(event="database_restarted")) == 1


def test_when_it_cannot_be_started_it_is_tried_again_with_longer_pauses(tmp_path, monkeypatch, log_lines):
    """A folder that is not there any more, and comes back."""
    monkeypatch.setattr(keeper, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "_FIRST_PAUSE_SECONDS", 0.01)
    data_dir = tmp_path / "data"
    with embedded.throw_away(data_dir) as server:
        control = server.cluster.data / "global" / "pg_control"
        away = control.rename(control.with_name("away"))
        psutil.Process(server.pid).kill()
        watching = Keeper(server)
        watching.start()
        try:
            failures = lambda: [line for line in log_lines if line["event"] == "database_not_restarted"]  # noqa: E731
            while len(failures()) < 3:
                watching._stopping.wait(0.01)
            away.rename(control)
            while server.pid is None or not any(line["event"] == "database_restarted" for line in log_lines):
                watching._stopping.wait(0.01)
        finally:
            watching.stop()
        pauses = [line["next_try_seconds"] for line in failures()]
        assert pauses == sorted(set(pauses))
        assert pauses[1] == 2 * pauses[0]
        assert {line["log_level"] for line in failures()} == {"critical"}


def test_a_keeper_that_was_stopped_starts_nothing(tmp_path):
    with embedded.throw_away(tmp_path / "data") as server:
        watching = Keeper(server)
        watching.start()
        watching.stop()
        postmaster = psutil.Process(server.pid)
        postmaster.kill()
        psutil.wait_procs([postmaster])
        assert not watching._thread.is_alive()
        assert server.pid is None
        server.revive()
        running = server.pid
        server.revive()
        assert server.pid == running is not None


def test_a_database_whose_folder_was_removed_is_not_made_anew(tmp_path):
    server = embedded.start(tmp_path / "data")
    try:
        moved = (tmp_path / "data").rename(tmp_path / "moved")
        with pytest.raises(OperatorError, match="is gone"):
            server.revive()
        moved.rename(tmp_path / "data")
    finally:
        server.stop()
        from tests.setup.conftest import remove

        remove(tmp_path / "data")


def test_nobody_waits_for_minutes_for_a_server_that_has_vanished(database):
    with open_session() as session:
        info = session.connection().connection.driver_connection.info
        assert {name: info.get_parameters().get(name) for name in CONNECTION_PARAMETERS} == CONNECTION_PARAMETERS
    assert get_engine().pool.size() == get_settings().db_threads
    assert str(DatabaseUnavailable()) == SENTENCE
