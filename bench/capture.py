"""What the record costs: a one-row transaction with everything, and with each part taken out in turn.

On a copy of the database whose functions and triggers are replaced: the application itself has no such switch.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from bench.stage import address
from bench.stock_data import Data
from inventory_app.context import generate_operation_id
from inventory_app.database.embedded import Server
from inventory_app.operations.sessions import hash_token
from inventory_app.paths import APP_ROLE, DATABASE, SUPERUSER_ROLE

COPY = "capture"
_BEGIN = "SELECT * FROM audit_begin(%s, 'bench.update', %s, 'inventory:adjust', false, false, NULL, %s, 'bench', 'r', NULL, NULL, NULL)"
_UPDATE = "UPDATE inventory_item SET quantity = quantity + 1 WHERE id = %s"

_TRIGGERS_OFF = "ALTER TABLE inventory_item DISABLE TRIGGER USER"
_NO_PERMISSION_CHECK = """
CREATE OR REPLACE FUNCTION audit_person(p_token_hash text, p_permission text, p_stale_password boolean,
  p_without_factor boolean, p_fresh_minutes integer, OUT user_id bigint, OUT user_name text, OUT session_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$ BEGIN user_id := 1; user_name := 'bench1'; session_id := 1; END $$"""
_NO_HEADER = """
CREATE OR REPLACE FUNCTION audit_open(p_id uuid, p_name text, p_outcome text, p_kind text, p_actor bigint,
  p_actor_name text, p_session bigint, p_ip text, p_agent text, p_request text, p_reason text, p_error text,
  p_detail text, p_attempts integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$ BEGIN PERFORM set_config('inventory.operation', p_id::text, true); END $$"""


@dataclass(frozen=True)
class Variant:
    """A copy with something taken out; `opened` tells whether the operation is begun at all."""

    name: str
    changes: tuple[str, ...] = ()
    opened: bool = True


VARIANTS = (
    Variant("everything"),
    Variant("without the row trigger", (_TRIGGERS_OFF,)),
    Variant("without the permission check", (_NO_PERMISSION_CHECK,)),
    # The changes refer to the header, so it can only go together with the trigger.
    Variant("without row trigger and header", (_TRIGGERS_OFF, _NO_HEADER)),
    Variant("nothing: BEGIN, UPDATE, COMMIT", (_TRIGGERS_OFF,), opened=False),
)


def measure(server: Server, data: Data, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return the median milliseconds of each variant, round by round; nobody may be connected to the database."""
    for number, variant in enumerate(VARIANTS):
        server.create_database(f"{COPY}{number}", template=DATABASE)
        with psycopg.connect(address(server, f"{COPY}{number}", SUPERUSER_ROLE)) as connection:
            for change in variant.changes:
                connection.execute(change.encode())
    found: dict[str, list[float]] = {variant.name: [] for variant in VARIANTS}
    for turn in range(rounds + 1):
        for number, variant in enumerate(VARIANTS):
            with psycopg.connect(address(server, f"{COPY}{number}", APP_ROLE)) as connection:
                median = _median(one_row(connection, data, opened=variant.opened), seconds)
            if turn:  # the first round only warms up
                found[variant.name].append(median)
    for number, _ in enumerate(VARIANTS):
        server.drop_database(f"{COPY}{number}")
    return found


def one_row(connection: psycopg.Connection, data: Data, *, opened: bool) -> Callable[[], None]:
    """Return the transaction that is measured."""
    token = hash_token(data.tokens[0])

    def work() -> None:
        with connection.transaction():
            if opened:
                connection.execute(_BEGIN, (generate_operation_id(), token, "127.0.0.1"))
            connection.execute(_UPDATE, (random.choice(data.pairs)[0],))  # noqa: S311  # no secret

    return work


def _median(work: Callable[[], None], seconds: float) -> float:
    took, until = list[float](), time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e3
