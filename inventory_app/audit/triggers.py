"""The SQL that makes the database capture every change: one generator for every table.

A migration freezes what this prints (`make trigger-sql`); at start `drift.py` compares
what is installed with what was frozen.
"""

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

FUNCTIONS_FILE = Path(__file__).with_name("functions.sql")

#: Tables that take no change after the insert, whoever asks.
APPEND_ONLY = frozenset(
    {
        "audit_operation",
        "audit_change",
        "audit_incarnation",
        "audit_personal",
        "audit_erasure",
        "stock_movement",
        "approval_party",
        "approval_decision",
    }
)

#: Where there is one way to take something out: a function of its own decides.
_KEEPERS = {"audit_personal": "audit_personal_kept"}

#: Functions the application role may call; everything else of the trail is the owner's.
CALLABLE = (
    "audit_person(text, text, boolean, boolean, integer)",
    "audit_begin(uuid, text, text, text, boolean, boolean, integer, text, text, text, text, text, text)",
    "audit_viewer(text, boolean, boolean)",
    "audit_holdings()",
    "audit_needs_factor(bigint)",
    "audit_begin_as(uuid, text, text, text, text, text, text, text, text, text, text)",
    "audit_refuse(uuid, text, text, text, text, text, text, text, text, text, text, text, integer)",
    "audit_ensure_partitions(integer)",
    "audit_erase_person(bigint)",
    "audit_reserved(bigint)",
    "audit_fix_horizon()",
    "audit_sum_days(integer)",
    "audit_sum_again(timestamp with time zone)",
    "audit_stock_again(bigint[])",
)

#: Tables that only the trail's own functions write, as other tables change.
KEPT_BY_TRIGGERS = frozenset({"product_stock", "item_worth", "search_word", "stock_total", "stock_horizon"})

#: What keeps them: table -> name of the trigger, when it runs, and of which function.
_SUMS = {
    "stock_movement": (
        ("audit_sum_stock", "INSERT", "REFERENCING NEW TABLE AS booked FOR EACH STATEMENT", "audit_sum_stock"),
    ),
    "product": (
        ("audit_reorder_at_first", "INSERT", "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", "audit_reorder_at"),
        ("audit_reorder_at", "UPDATE", "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", "audit_reorder_at"),
        (
            "audit_item_cost",
            "UPDATE OF unit_cost",
            "FOR EACH ROW WHEN (OLD.unit_cost IS DISTINCT FROM NEW.unit_cost)",
            "audit_item_cost",
        ),
        (
            "audit_search_words_first",
            "INSERT",
            "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT",
            "audit_search_words",
        ),
        (
            "audit_search_words",
            "UPDATE OF search",
            "FOR EACH ROW WHEN (OLD.search IS DISTINCT FROM NEW.search)",
            "audit_search_words",
        ),
    ),
    "inventory_item": (
        ("audit_item_worth_first", "INSERT", "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", "audit_item_worth"),
        ("audit_item_worth", "UPDATE", "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", "audit_item_worth"),
    ),
}

#: Tables whose rows the application may delete: links, counters, remembered answers, files that wait to be imported,
#: roles nobody ever held, and lines of orders that are still written.
DELETABLE = frozenset(
    {
        "role",
        "user_role",
        "role_permission",
        "session_activity",
        "sign_in_attempt",
        "idempotency",
        "import_row",
        "import_fault",
        "import_change",
        "purchase_order_line",
    }
)

#: What ends a session or changes what somebody may do: table -> when its trigger tells every process.
TELLS_PEOPLE = {
    "auth_session": "UPDATE ON auth_session FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)",
    "local_user": (
        "UPDATE ON local_user FOR EACH ROW WHEN (OLD.enabled <> NEW.enabled"
        " OR OLD.must_change_password <> NEW.must_change_password)"
    ),
    "user_role": "INSERT OR DELETE ON user_role FOR EACH ROW",
    "delegation": "INSERT OR UPDATE ON delegation FOR EACH ROW",
    "role": "UPDATE ON role FOR EACH STATEMENT",
    "role_permission": "INSERT OR DELETE ON role_permission FOR EACH STATEMENT",
}


def is_audited(table: sa.Table) -> bool:
    """Tell whether the table is declared audited; undeclared tables are an error."""
    if ("audit" in table.info) == ("unaudited" in table.info):
        message = f"table {table.name} must be declared either audited or unaudited with a reason"
        raise ValueError(message)
    return "audit" in table.info


def _keys(table: sa.Table) -> str:
    return ",".join(column.name for column in table.primary_key.columns)


def _arguments(table: sa.Table) -> str:
    declared: dict[str, tuple[str, ...]] = table.info["audit"]
    return ", ".join(
        f"'{value}'" for value in (_keys(table), ",".join(declared["secret"]), ",".join(declared["personal"]))
    )


def _capture(table: sa.Table) -> Iterator[str]:
    """Yield what records each change: rows one by one, and what is inserted and hides nothing by the statement."""
    name, arguments = table.name, _arguments(table)
    by_statement = _hides_nothing(table)
    when = "UPDATE OR DELETE" if by_statement else "INSERT OR UPDATE OR DELETE"
    yield (
        f"CREATE TRIGGER audit_capture AFTER {when} ON {name} FOR EACH ROW EXECUTE FUNCTION audit_capture({arguments});"
    )
    yield f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER audit_capture;"
    if by_statement:
        yield (
            f"CREATE TRIGGER audit_capture_inserted AFTER INSERT ON {name} REFERENCING NEW TABLE AS inserted "
            f"FOR EACH STATEMENT EXECUTE FUNCTION audit_capture_inserted('{_keys(table)}');"
        )
        # Rows that are replicated come without a statement: the one fires wherever the other does not.
        yield (
            f"CREATE TRIGGER audit_capture_replicated AFTER INSERT ON {name} "
            f"FOR EACH ROW EXECUTE FUNCTION audit_capture({arguments});"
        )
        yield f"ALTER TABLE {name} ENABLE REPLICA TRIGGER audit_capture_replicated;"


def _hides_nothing(table: sa.Table) -> bool:
    declared: dict[str, tuple[str, ...]] = table.info["audit"]
    return not declared["secret"] and not declared["personal"]


def table_triggers(table: sa.Table) -> Iterator[str]:
    """Yield the statements that put `table` under the trail's protection."""
    name = table.name
    if is_audited(table):
        yield from _capture(table)
    if name in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON {name} "
            f"FOR EACH ROW EXECUTE FUNCTION {_KEEPERS.get(name, 'audit_append_only')}();"
        )
        yield f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER audit_append_only;"
    if name == "stock_movement":
        yield (
            "CREATE TRIGGER stock_movement_is_now BEFORE INSERT ON stock_movement "
            "FOR EACH ROW EXECUTE FUNCTION stock_movement_is_now();"
        )
        yield "ALTER TABLE stock_movement ENABLE ALWAYS TRIGGER stock_movement_is_now;"
    for trigger, when, how, function in _SUMS.get(name, ()):
        yield f"CREATE TRIGGER {trigger} AFTER {when} ON {name} {how} EXECUTE FUNCTION {function}();"
        yield f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {trigger};"
    if name in TELLS_PEOPLE:
        yield f"CREATE TRIGGER audit_tell_people AFTER {TELLS_PEOPLE[name]} EXECUTE FUNCTION audit_tell_people();"
    if is_audited(table) or name in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();"
        )
        yield f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER audit_no_truncate;"


def table_grants(table: sa.Table, role: str) -> Iterator[str]:
    """Yield what the application role may do with `table`."""
    name = table.name
    if name.startswith("audit_") or name in KEPT_BY_TRIGGERS:
        rights = "SELECT"
    elif name in APPEND_ONLY:
        rights = "SELECT, INSERT"
    elif name in DELETABLE:
        rights = "SELECT, INSERT, UPDATE, DELETE"
    else:
        rights = "SELECT, INSERT, UPDATE"
    yield f"GRANT {rights} ON {name} TO {role};"


def functions_sql() -> str:
    """Return the trail's functions as SQL."""
    return FUNCTIONS_FILE.read_text(encoding="utf-8")


def all_sql(metadata: sa.MetaData, role: str) -> str:
    """Return functions, triggers and grants for every table, to freeze in a migration."""
    lines = [functions_sql()]
    for table in metadata.sorted_tables:
        lines.extend(table_triggers(table))
        lines.extend(table_grants(table, role))
    lines.extend(f"GRANT EXECUTE ON FUNCTION {function} TO {role};" for function in CALLABLE)
    return "\n".join(lines)
