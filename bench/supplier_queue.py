"""The approval dashboard at size: `python -m bench.supplier_queue [--rounds N]`: 10,000 suppliers that wait.

A throw-away durable cluster and the application of its own, as in `bench.run`; measured over the websocket, from the
event to the last var of the page.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col

from bench import stage, stock_data
from bench.load import Samples
from bench.roles import _settle
from bench.tab import ROOT, Tab
from inventory_app import logs
from inventory_app.context import acting_as, system_actor
from inventory_app.models.users import AuthSession, UserInfo
from inventory_app.operations import _supplier_approvals
from inventory_app.operations._operation import OPERATIONS, operation
from inventory_app.operations.sessions import hash_token
from inventory_app.unit_of_work import transact

STATE = f"{ROOT}.inventory_app___states___suppliers____supplier_state"
WAITING = 10_000
GOAL_MS = 100
#: Each way is measured for no longer than this, however busy the machine is.
_LONGEST_SECONDS = 40.0
_SHOWN = '"position_rx_state_"'
_LOAD = (
    "INSERT INTO supplier (name, sort_key, tax_id, email, city, country, status, source, submitted_at, version)"
    " SELECT w || ' ' || n, lower(w) || ' ' || n, 'DK ' || n, 'office' || n || '@bench.example', 'Lyngby', 'Denmark',"
    " 'pending', 'staff', now() - n * interval '1 minute', 1"
    " FROM (SELECT n, (ARRAY['Quay', 'Lyngbysild', 'Escargots', 'Orchard', 'Pavlova'])[1 + n % 5] w"
    " FROM generate_series(1, :waiting) n) s"
)


@operation(machine=True, name="bench.load_queue")
def _load(session: Session) -> None:
    """Fill the queue; the triggers record every row."""
    session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
    session.execute(sa.text(_LOAD), {"waiting": WAITING})
    ids = list(session.scalars(sa.text("SELECT id FROM supplier WHERE status = 'pending' ORDER BY id")))
    _supplier_approvals.ask_about(session, ids, entered_by=None)


@operation(machine=True, name="bench.promote")
def _promote(session: Session, *, token: str) -> None:
    """Let whoever measures decide about suppliers."""
    person = session.scalar(
        sa.select(UserInfo)
        .join(AuthSession, col(AuthSession.user_id) == col(UserInfo.user_id))
        .where(col(AuthSession.token_hash) == hash_token(token))
    )
    if person is None:
        message = "nobody has this session"
        raise LookupError(message)
    person.set_roles(["manager"], session)


for name in ("bench.load_queue", "bench.promote"):
    OPERATIONS.pop(name)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.supplier_queue", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, stage.folder() as data_dir:
        port = stage.free_port()
        stage.enter_environment(data_dir, port)
        logs.configure("warning", "json")
        with stage.cluster(data_dir) as server:
            data = stock_data.load(100)
            with acting_as(system_actor("bench")):
                transact(_load)
                transact(_promote, token=data.tokens[0])
            _settle(server)
            with stage.Application(port, Path(place) / "application.log").running() as application:
                found = asyncio.run(_measure(application.base, data.tokens, asked.rounds))
    for name, samples in found.items():
        p50, p95 = samples.percentile(50), samples.percentile(95)
        times = len(samples.seconds)
        sys.stdout.write(f"{name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms of {times} (goal {GOAL_MS})\n")


async def _measure(base: str, tokens: list[str], rounds: int) -> dict[str, Samples]:
    found: dict[str, Samples] = {}

    async def many(name: str, ask: Callable[[int], Awaitable[object]]) -> None:
        samples = found.setdefault(name, Samples())
        await ask(0)
        until = time.perf_counter() + _LONGEST_SECONDS
        for number in range(1, rounds + 1):
            if time.perf_counter() > until:
                break
            began = time.perf_counter()
            await ask(number)
            samples.seconds.append(time.perf_counter() - began)

    path = "/suppliers/approvals"
    async with Tab(base, tokens[0], path) as tab:
        first = await tab.visit(path, '"loading_rx_state_":false')
        ids = [row["id"] for row in first[STATE]["rows_rx_state_"]]
        await many("open a supplier of the queue", lambda n: tab.visit(f"{path}?id={ids[n % len(ids)]}", _SHOWN))
        words = ("quay", "9999", "lyngby", "escargots 12")
        await many(
            "search the queue", lambda n: tab.visit(f"{path}?q={words[n % len(words)]}&n={n}", '"rows_rx_state_"')
        )
    return found


if __name__ == "__main__":
    main()
