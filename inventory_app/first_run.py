"""What a start does before people come: mirror the permissions, make the first administrator."""

import sys
from typing import cast

import psycopg

from inventory_app import first_password
from inventory_app.audit import drift
from inventory_app.context import acting_as, system_actor
from inventory_app.operations import setup
from inventory_app.passwords import generate_password, hash_password
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, transact

FIRST_USERNAME = "admin"


def mirror_permissions() -> None:
    """Bring permissions, roles and units up to the code; writes nothing when they are."""
    with open_session() as session:
        behind = setup.needs_preparing(session)
    if behind:
        with acting_as(system_actor("setup")):
            transact(setup.prepare)


def check_and_prepare() -> None:
    """Refuse to serve on tampered triggers; then bring permissions, roles and units up to the code."""
    with open_session() as session:
        drift.check(cast("psycopg.Connection", session.connection().connection.driver_connection))
    mirror_permissions()


def ensure_first_administrator() -> str | None:
    """Create the first administrator when there is no account; return the line to show, if any.

    A generated password must be replaced at the first sign-in. It goes to a terminal, or else into a file only the
    owner can read, which goes when the password is replaced.
    """
    check_and_prepare()
    with open_session() as session:
        if setup.has_accounts(session):
            return None
    given = get_settings().admin_password
    password = given or generate_password()
    with acting_as(system_actor("setup")):
        created = transact(
            setup.create_first_administrator,
            username=FIRST_USERNAME,
            password_hash=hash_password(password),
            must_change_password=given is None,
        )
    if not created:
        return None
    if given:
        return f"Sign in as {FIRST_USERNAME} with the password from INVENTORY_ADMIN_PASSWORD."
    if sys.stdout.isatty():
        return f"Sign in as {FIRST_USERNAME} with the password {password} (to be replaced at once)."
    place = first_password.write(password)
    return f"Sign in as {FIRST_USERNAME} with the password in {place} (to be replaced at once)."
