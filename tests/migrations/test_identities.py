"""Migration 0009 on a database that holds connections: what was blanked is removed since when the trail says."""

import sqlalchemy as sa
from alembic import command

from inventory_app.audit import drift
from inventory_app.migrations import configuration
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity
from inventory_app.paths import OWNER_ROLE
from tests.factories import add, person
from tests.fixtures.database import migrate

ISSUER = "https://id.example"
ROWS = "SELECT id, issuer, subject FROM external_identity ORDER BY id"


def back_to(database, revision: str) -> None:
    engine = sa.create_engine(database.url(OWNER_ROLE), poolclass=sa.NullPool)
    config = configuration()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()


def test_connections_go_down_and_up_and_the_trail_says_since_when(database):
    ann, bob = person("ann"), person("bob")
    gone = add(ExternalIdentity(user_id=ann.id, issuer=ISSUER, subject="s", removed_at=now())).id
    live = add(ExternalIdentity(user_id=bob.id, issuer=ISSUER, subject="s")).id
    back_to(database, "0008")
    with database.as_superuser() as connection:
        assert connection.execute(ROWS).fetchall() == [(gone, "", str(gone)), (live, ISSUER, "s")]
        blanked = connection.execute(
            "SELECT max(recorded_at) FROM audit_change WHERE table_name = 'external_identity' AND pk = %s", [str(gone)]
        ).fetchone()
    migrate(database)
    with database.as_superuser() as connection:
        since = connection.execute("SELECT removed_at FROM external_identity ORDER BY id").fetchall()
        assert since == [blanked, (None,)]
        columns = connection.execute(
            "SELECT table_name, after::jsonb ->> 'column' FROM audit_change WHERE kind = 'schema'"
            " AND operation_id IN (SELECT id FROM audit_operation WHERE reason LIKE 'revision 0009:%%')"
            # The revisions after it came in the same transaction.
            " AND table_name IN ('auth_session', 'external_identity') ORDER BY 1, 2"
        ).fetchall()
    assert columns == [
        ("auth_session", "identity_id"),
        ("auth_session", "provider_session"),
        ("external_identity", "removed_at"),
    ]
    with database.as_app() as connection:
        drift.check(connection)
