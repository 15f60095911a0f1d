"""kill -9 of the application and of PostgreSQL while people move stock: what was said to be done is, once and whole."""

import psutil
import pytest

from tests.faults.installation import installation, kill_application, kill_database, start_again
from tests.faults.transfers import Load
from tests.fixtures.database import reached_by_the_application

#: What people may read instead of success while the database goes and comes.
TRUE_SENTENCES = ("The database cannot be reached. Nothing was changed", "The database went away while saving. Look")


async def test_the_application_is_killed(another_site):
    site = another_site()
    with reached_by_the_application(site.database.server, site.database.name):
        load = Load.of(site)
        await load.until_cut(4, lambda: kill_application(site), after=40)
        assert load.check() >= 40
        assert not load.refused


async def test_the_database_is_killed(tmp_path):
    with installation(tmp_path) as site:
        load = Load.of(site)
        await load.until_cut(4, lambda: kill_and_wait(site), after=40)
        assert load.check() >= 40
        assert all(said.startswith(TRUE_SENTENCES) for said in load.refused), load.refused


def kill_and_wait(site) -> None:
    """Kill the postmaster, and let the work go on until the database is back."""
    died = kill_database(site)
    site.wait_until(lambda: site.database.server.pid not in (None, died), "another server")
    site.wait_until(lambda: site.visitor().get("/_health").status_code == 200, "an answer")


@pytest.mark.long
async def test_the_application_is_killed_three_times_under_eight_people(tmp_path):
    with installation(tmp_path) as site:
        load = Load.of(site)
        for kills in range(1, 4):
            await load.until_cut(8, lambda: kill_application(site), after=200)
            assert load.check() >= 200 * kills
            start_again(site)
        await load.until_cut(8, lambda: None, after=50)
        assert load.check() >= 650
        assert not load.refused


@pytest.mark.long
async def test_the_database_is_killed_three_times_under_eight_people(tmp_path):
    with installation(tmp_path) as site:
        load, worker = Load.of(site), psutil.Process(site.process.pid).children()
        for kills in range(1, 4):
            await load.until_cut(8, lambda: kill_and_wait(site), after=200)
            assert load.check() >= 200 * kills
        assert psutil.Process(site.process.pid).children() == worker, "the application went on all the time"
        assert all(said.startswith(TRUE_SENTENCES) for said in load.refused), load.refused
        assert len(site.log_lines(event="database_restarted")) == 3
