"""The roles of the embedded server and its databases, each complete or absent."""

from uuid import uuid4

import psycopg
from psycopg import sql

from inventory_app.paths import APP_ROLE, DATABASE, OWNER_ROLE, SOCKET_PORT, SUPERUSER_ROLE, Cluster

# Not the default template, so that nothing somebody put there reaches a database of ours.
EMPTY_TEMPLATE = "template0"


def connect(cluster: Cluster, database: str = "postgres", role: str = SUPERUSER_ROLE) -> psycopg.Connection:
    """An autocommit connection for administration."""
    return psycopg.connect(host=str(cluster.sockets), port=SOCKET_PORT, dbname=database, user=role, autocommit=True)


def ensure_roles_and_database(cluster: Cluster) -> None:
    """Create what is missing; a second call changes nothing."""
    with connect(cluster) as connection:
        for role in (OWNER_ROLE, APP_ROLE):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(sql.Identifier(role))
                )
        missing = not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    if missing:
        create_database(cluster, DATABASE)
    _shut_doors(cluster)


def _shut_doors(cluster: Cluster) -> None:
    """Keep our roles out of the server's own databases and off large objects; in older clusters too."""
    with connect(cluster) as connection:
        # Of what everybody may: CONNECT to these, and TEMPORARY, which is a table of one's own.
        for database in ("postgres", "template1", EMPTY_TEMPLATE):
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    with connect(cluster, DATABASE) as connection:
        revoke_large_objects(connection)


def revoke_large_objects(connection: psycopg.Connection) -> None:
    """Take large objects from everybody but the superuser: a place to keep data that no trigger sees."""
    open_to_all = connection.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace"
        " AND (p.proname LIKE 'lo\\_%' OR p.proname IN ('loread', 'lowrite'))"
        " AND EXISTS (SELECT 1 FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)"
    ).fetchall()
    for (function,) in open_to_all:
        connection.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function)))


def create_database(cluster: Cluster, name: str) -> None:
    """An empty database of the owner in which the application may use what it is granted and create nothing."""
    part = f"{name}_{uuid4().hex[:8]}"
    with connect(cluster) as connection:
        create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(
            create.format(sql.Identifier(part), sql.Identifier(OWNER_ROLE), sql.Identifier(EMPTY_TEMPLATE))
        )
        try:
            _set_up(cluster, part)
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(part), sql.Identifier(name))
            )
        except BaseException:  # interrupted too: half a database must not stay behind under a name of its own
            drop_database(cluster, part)
            raise


def _set_up(cluster: Cluster, name: str) -> None:
    owner, app = sql.Identifier(OWNER_ROLE), sql.Identifier(APP_ROLE)
    with connect(cluster, name) as connection:
        for statement in (
            sql.SQL("CREATE EXTENSION pg_trgm"),
            sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner),
            sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app),
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), app),
        ):
            connection.execute(statement)
        revoke_large_objects(connection)


def clone_database(cluster: Cluster, name: str, template: str) -> None:
    """A copy of a database that nobody is connected to; what is granted on the database itself is given anew."""
    with connect(cluster) as connection:
        create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(OWNER_ROLE), sql.Identifier(template)))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(APP_ROLE))
        )


def drop_database(cluster: Cluster, name: str) -> None:
    """Drop a database with the connections to it, if it exists."""
    with connect(cluster) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
