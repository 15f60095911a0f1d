"""Whether the database is still guarded as its migration left it.

A migration has its catalogue beside it (`alembic/versions/0001_first.catalogue.json`): every
trigger and every function of ours as that revision installs them, and what the application's
role may do with each table (since 0002; an older catalogue is compared by what it holds). At start `check` compares it
with what is there. `python -m inventory_app.audit.drift --freeze` writes the newest one anew.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from inventory_app.operator_error import OperatorError
from inventory_app.paths import PROJECT
from inventory_app.settings import get_settings

VERSIONS = PROJECT / "alembic" / "versions"

#: Schemas, then names: table -> trigger -> facts, function -> facts, tables that have a rule.
Catalogue = dict[str, Any]

#: All partitions are alike and more come every month: they are compared as one table of this name.
PARTITION = "audit_part.*"

_TRIGGERS = """
SELECT CASE n.nspname WHEN 'audit_part' THEN %(partition)s ELSE c.relname END, c.relname, t.tgname,
       jsonb_build_object(
         'enabled', t.tgenabled, 'type', t.tgtype, 'function', f.nspname || '.' || p.proname,
         'columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr::smallint[])),
         'arguments', encode(t.tgargs, 'escape'),
         'condition', substring(pg_get_triggerdef(t.oid) FROM ' WHEN (.*) EXECUTE '))
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid
  JOIN pg_namespace f ON f.oid = p.pronamespace
 WHERE n.nspname IN ('public', 'audit_part') AND (t.tgconstraint = 0 OR NOT t.tgisinternal)
 ORDER BY 1, 2, 3
"""
# Foreign keys are triggers as well; their names hold numbers that differ in every database.
_SWITCHED_OFF = """
SELECT DISTINCT c.relname FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('public', 'audit_part') AND t.tgconstraint <> 0 AND t.tgisinternal AND t.tgenabled <> 'O'
 ORDER BY 1
"""
_FUNCTIONS = """
SELECT format('%%s(%%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
       jsonb_build_object(
         'body', encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'), 'settings', coalesce(to_jsonb(p.proconfig), '[]'),
         'as_owner', p.prosecdef, 'language', l.lanname, 'volatility', p.provolatile,
         'result', pg_get_function_result(p.oid))
       || CASE WHEN %(separate)s THEN jsonb_build_object(
            'callable', has_function_privilege(%(role)s, p.oid, 'EXECUTE')) ELSE '{}' END
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
 WHERE n.nspname = 'public' AND p.proname LIKE 'audit\\_%%'
 ORDER BY 1
"""
# A rule could turn a write into something else before any trigger sees it.
_RULES = """
SELECT c.relname || '.' || r.rulename FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('public', 'audit_part') AND c.relkind IN ('r', 'p')
 ORDER BY 1
"""
# What the application's role may do with a table, by whatever way it got the right: granted, inherited, to everybody,
# or on some columns only.
_GRANTS = """
SELECT CASE n.nspname WHEN 'audit_part' THEN 'audit_part.' ELSE '' END || c.relname,
       (SELECT coalesce(jsonb_agg(r.right_name ORDER BY r.right_name), '[]')
          FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) r(right_name)
         WHERE has_table_privilege(%(role)s, c.oid, r.right_name)
            OR (r.right_name IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                AND has_any_column_privilege(%(role)s, c.oid, r.right_name)))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('public', 'audit_part') AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1
"""
# Whoever owns a thing may do anything to it. All of ours have one owner, whose name is each installation's own.
_OWNERS = """
WITH ours AS (
  SELECT CASE n.nspname WHEN 'audit_part' THEN 'audit_part.' ELSE '' END || c.relname AS name, 'table' AS kind,
         c.relowner AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname IN ('public', 'audit_part') AND c.relkind IN ('r', 'p')
  UNION ALL
  SELECT p.proname, 'function', p.proowner FROM pg_proc p
   WHERE p.pronamespace = 'public'::regnamespace
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e'))
SELECT kind || ' ' || name || ' belongs to ' || pg_get_userbyid(owner) FROM ours
 WHERE owner <> (SELECT mode() WITHIN GROUP (ORDER BY owner) FROM ours) ORDER BY 1
"""
# With one role for both there is no separation to compare (docs/operating.md: two roles).
_SEPARATE = """
SELECT r.oid <> c.relowner
  FROM pg_roles r, pg_class c WHERE r.rolname = %(role)s AND c.oid = to_regclass('public.audit_operation')
"""
_STATES = {"D": "disabled", "O": "off for replicas", "R": "on for replicas only", "A": "always on"}


def installed(connection: psycopg.Connection, role: str | None = None) -> Catalogue:
    """Return what guards the database now, in the form that is frozen; every partition by its own name.

    `role` is the application's, of the settings unless given.
    """
    named = {"role": role or get_settings().app_role}
    separate = (connection.execute(_SEPARATE, named).fetchone() or (False,))[0]
    triggers: dict[str, dict[str, Any]] = {
        f"audit_part.{name}": {}
        for (name,) in connection.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = to_regclass('public.audit_change') ORDER BY 1"
        )
    }
    for kind, table, name, facts in connection.execute(_TRIGGERS, {"partition": PARTITION}):
        place = f"audit_part.{table}" if kind == PARTITION else table
        triggers.setdefault(place, {})[name] = facts
    return {
        "triggers": triggers,
        "functions": dict(connection.execute(_FUNCTIONS, named | {"separate": separate}).fetchall()),
        "grants": dict(connection.execute(_GRANTS, named).fetchall()) if separate else None,
        "owners": [clause for (clause,) in connection.execute(_OWNERS)],
        "rules": [name for (name,) in connection.execute(_RULES)],
        "switched_off": [name for (name,) in connection.execute(_SWITCHED_OFF)],
    }


def as_frozen(found: Catalogue) -> Catalogue:
    """Return `found` with all partitions as one: what a migration leaves, whatever the month."""
    triggers: dict[str, Any] = {}
    for table, facts in found["triggers"].items():
        triggers[PARTITION if table.startswith("audit_part.") else table] = facts
    grants = {PARTITION if table.startswith("audit_part.") else table: held for table, held in found["grants"].items()}
    return {**found, "triggers": dict(sorted(triggers.items())), "grants": grants}


def revision_of(connection: psycopg.Connection) -> str:
    """Return the revision the database says it is at."""
    row = None
    if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() != (None,):
        row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    if row is None:
        raise OperatorError("The database has no tables yet: run `inventory migrate`, then start again.")
    return row[0]


def frozen_file(revision: str) -> Path:
    """Return where the catalogue of `revision` is; a revision this code does not have is refused."""
    scripts = sorted(VERSIONS.glob(f"{revision}_*.py"))
    if not scripts:
        raise OperatorError(
            f"The database is at revision {revision}, which this version of Inventory does not know: "
            "start the newer version that migrated it."
        )
    return scripts[0].with_suffix(".catalogue.json")


def frozen(revision: str) -> Catalogue:
    """Return the catalogue that was frozen for `revision`."""
    return json.loads(frozen_file(revision).read_text(encoding="utf-8"))


def check(connection: psycopg.Connection) -> None:
    """Refuse a database whose triggers or functions are not those its revision installed, naming each."""
    revision = revision_of(connection)
    found = installed(connection)
    faults = list(differences(frozen(revision), found))
    if found["grants"] is None and get_settings().owner_role != get_settings().app_role:
        faults.append(f"the tables belong to the application's role {get_settings().app_role}")
    if faults:
        raise OperatorError(
            f"The database is no longer guarded as revision {revision} left it: {'; '.join(faults)}. "
            "Somebody with the owner's rights changed that: find out who and why, put it back as the frozen SQL in "
            f"{VERSIONS.relative_to(PROJECT)} says, and start again."
        )


def differences(expected: Catalogue, found: Catalogue) -> Iterator[str]:
    """Yield one clause for each thing that is not as it was frozen."""
    for table in sorted(expected["triggers"].keys() - {PARTITION} | found["triggers"].keys()):
        wanted = expected["triggers"].get(PARTITION if table.startswith("audit_part.") else table, {})
        yield from _trigger_faults(table, wanted, found["triggers"].get(table, {}))
    for name in sorted(expected["functions"].keys() | found["functions"].keys()):
        yield from _function_faults(name, expected["functions"].get(name), found["functions"].get(name))
    yield from found["owners"]
    # A catalogue from before grants were frozen compares none; nor is there a separation to compare with one role.
    if "grants" in expected and found["grants"] is not None:
        yield from _grant_faults(expected["grants"], found["grants"])
    for rule in found["rules"]:
        table, name = rule.split(".", 1)
        yield f"rule {name} on {table} is not one of ours"
    for table in found["switched_off"]:
        yield f"a foreign key's trigger on {table} is disabled"


def _trigger_faults(table: str, expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for name in sorted(expected.keys() | found.keys()):
        label = f"trigger {name} on {table}"
        if name not in found:
            yield f"{label} is missing"
        elif name not in expected:
            yield f"{label} is not one of ours"
        else:
            wanted, there = expected[name], found[name]
            if wanted["enabled"] != there["enabled"]:
                yield f"{label} is {_STATES[there['enabled']]}"
            changed = [fact for fact in wanted if fact != "enabled" and wanted[fact] != there.get(fact)]
            if changed:
                yield f"{label} has another {' and '.join(changed)}"


def _grant_faults(expected: dict[str, list[str]], found: dict[str, list[str]]) -> Iterator[str]:
    for table in sorted(found):
        wanted = set(expected.get(PARTITION if table.startswith("audit_part.") else table, []))
        if more := set(found[table]) - wanted:
            yield f"the application may {' and '.join(sorted(more))} on {table}"
        if less := wanted - set(found[table]):
            yield f"the application may no longer {' and '.join(sorted(less))} on {table}"


def _function_faults(name: str, expected: dict[str, Any] | None, found: dict[str, Any] | None) -> Iterator[str]:
    label = f"function {name.split('(', maxsplit=1)[0]}"
    if found is None:
        yield f"{label} is missing"
    elif expected is None:
        yield f"{label} is not one of ours"
    elif changed := [fact for fact in expected if fact in found and expected[fact] != found[fact]]:
        yield f"{label} has another {' and '.join(changed)}"


def freeze() -> Path:
    """Migrate a throw-away database to the newest revision and write its catalogue beside the migration."""
    # Needed by nobody who only checks.
    import os  # noqa: PLC0415

    import sqlalchemy as sa  # noqa: PLC0415
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    from inventory_app.database import embedded, reachable  # noqa: PLC0415
    from inventory_app.paths import APP_ROLE, OWNER_ROLE  # noqa: PLC0415

    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL"):
        os.environ.pop(name, None)
    config = Config(PROJECT / "alembic.ini")
    with embedded.throw_away() as server:
        engine = sa.create_engine(server.url(OWNER_ROLE), poolclass=sa.NullPool)
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        with psycopg.connect(reachable.libpq(server.url(OWNER_ROLE))) as plain:
            file = frozen_file(revision_of(plain))
            text = json.dumps(as_frozen(installed(plain, APP_ROLE)), indent=1, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")
    return file


def main(arguments: list[str]) -> None:
    """Run the command: only `--freeze` is one."""
    if arguments != ["--freeze"]:
        sys.exit("usage: python -m inventory_app.audit.drift --freeze")
    sys.stdout.write(f"{freeze()}\n")


if __name__ == "__main__":  # pragma: no cover  # the line that Python runs for `-m`
    main(sys.argv[1:])
