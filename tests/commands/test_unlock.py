"""`inventory unlock`: what an operator says, what is forgotten, and who is named in the trail."""

import getpass
import subprocess

from sqlmodel import select

from inventory_app.models.users import SignInAttempt
from inventory_app.operations._attempts import account_key, address_key
from inventory_app.paths import OWNER_ROLE
from tests.factories import ADDRESS, add, arrange
from tests.fixtures.environment import clean_environment
from tests.setup.conftest import ANSWER_SECONDS, COMMAND


def test_it_forgets_the_failures_of_one_account_and_stands_in_the_trail(database, tmp_path, ann, trail):
    for account in ("ann", "ann", "bob"):
        add(SignInAttempt(account=account_key(account), address=address_key(ADDRESS), succeeded=False))
    answer = subprocess.run(
        [*COMMAND, "unlock", "Ann"],
        env=clean_environment(
            DATABASE_URL=database.url(),
            MIGRATION_DATABASE_URL=database.url(OWNER_ROLE),
            INVENTORY_DATA_DIR=tmp_path / "data",
        ),
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=ANSWER_SECONDS,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "Forgot 2 failed sign-ins of Ann.\n"
    kept = arrange(lambda session: [row.account for row in session.exec(select(SignInAttempt))])
    assert kept == [account_key("bob")]
    assert trail.last(name="sessions.unlock").actor_name == f"cli:{getpass.getuser()}"
