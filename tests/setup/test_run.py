import http.client
import signal

import psutil
import pytest

from tests.setup.conftest import is_alive


@pytest.fixture
def started(inventory):
    """A running application; whatever a test leaves is stopped."""
    running = inventory.start()
    running.wait_for("is ready at")
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGTERM)


def get(inventory, path):
    connection = http.client.HTTPConnection("127.0.0.1", inventory.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{inventory.port}"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_it_serves_pages_and_stops_everything_it_started(inventory, started):
    assert get(inventory, "/ping") == (200, '"pong"')
    status, page = get(inventory, "/")
    assert status == 200
    assert "<html" in page
    assert inventory.database_runs
    processes = [started.process.pid, *(child.pid for child in psutil.Process(started.process.pid).children())]
    assert started.end(signal.SIGINT) == 0
    assert not inventory.database_runs
    assert not [pid for pid in processes if is_alive(pid)]


def test_sigterm_stops_it_in_the_same_order(inventory, started):
    assert started.end(signal.SIGTERM) == 0
    assert not inventory.database_runs


def test_after_kill_9_the_next_start_takes_over_and_later_stops_the_database(inventory, started):
    worker = psutil.Process(started.process.pid).children()
    started.end(signal.SIGKILL)
    psutil.wait_procs(worker, timeout=30)
    assert not [process for process in worker if process.is_running()]
    assert inventory.database_runs
    again = inventory.start()
    again.wait_for("is ready at")
    assert again.end() == 0
    assert not inventory.database_runs


def test_a_second_copy_is_refused_and_the_first_goes_on(inventory, started):
    answer = inventory("run", PORT=inventory.port - 1)
    assert answer.status == 1
    assert f"process {started.process.pid}" in answer.sentence
    assert get(inventory, "/ping")[0] == 200


def test_commands_use_the_running_database_and_leave_it(inventory, started, tmp_path):
    assert inventory("backup", tmp_path / "monday.zip").status == 0
    assert "stop that first" in inventory("database", "stop").sentence
    assert "Another copy" in inventory("restore", tmp_path / "monday.zip", "--replace", "--yes").sentence
    assert get(inventory, "/_health")[0] == 200


def test_a_database_started_to_stay_outlives_the_application(inventory):
    assert inventory("database", "start").status == 0
    running = inventory.start()
    running.wait_for("is ready at")
    assert running.end() == 0
    assert inventory.database_runs
    assert inventory("database", "stop").status == 0


def test_the_pages_speak_to_the_port_they_came_from():
    from inventory_app import pages_build

    scripts = (pages_build.ensure() / "build" / "client").rglob("*.js")
    text = "".join(script.read_text(encoding="utf-8") for script in scripts)
    assert 'location.origin.replace(/^http/,"ws")+"/_event"' in text
