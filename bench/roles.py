"""Roles at size: `python -m bench.roles [--rounds N]`: 10,000 people, 100 roles, 60 permissions.

A throw-away durable cluster and the application of its own, as in `bench.run`; permissions that the application does
not have are rows of that database only. Everything is measured over the websocket, the press of a cell in Chromium.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session

from bench import browser, stage, stock_data
from bench.load import Samples
from bench.tab import ROOT, Tab, var
from inventory_app import logs
from inventory_app.context import acting_as, system_actor
from inventory_app.operations._operation import OPERATIONS, operation
from inventory_app.paths import DATABASE
from inventory_app.unit_of_work import transact

STATE = f"{ROOT}.inventory_app___states___roles____roles_state"
PEOPLE, ROLES, PERMISSIONS = 10_000, 100, 60
GOAL_MS = 150
_DRAWN = '"rows_rx_state_"'
_PREVIEWED = '"effects_rx_state_"'

_LOAD = (
    "INSERT INTO permission (name) SELECT 'bench' || n / 8 || chr(58) || 'do_' || n"
    " FROM generate_series(1, :permissions - (SELECT count(*) FROM permission)) n",
    "INSERT INTO role (name, description, built_in, active, needs_factor, grant_needs_approval, version)"
    " SELECT 'Role ' || lpad(n::text, 3, '0'), 'For the measurement', false, true, false, false, 1"
    " FROM generate_series(1, :roles - (SELECT count(*) FROM role)) n",
    "INSERT INTO role_permission (role_id, permission_id) SELECT r.id, p.id FROM role r, permission p"
    " WHERE NOT r.built_in AND (r.id * 31 + p.id * 17) % 3 = 0",
    # `admin` follows the application's own list: who measures holds the others through this one.
    "INSERT INTO role_permission (role_id, permission_id) SELECT r.id, p.id FROM role r, permission p"
    " WHERE r.name = 'Role 095' ON CONFLICT DO NOTHING",
    "INSERT INTO local_user (username, password_hash, enabled, must_change_password, enabled_at, created_at)"
    " SELECT 'mass' || n, 'x', true, false, now(), now() FROM generate_series(1, :people) n",
    "INSERT INTO user_info (user_id, email, full_name, sort_key, version)"
    " SELECT id, username || '@example.com', initcap(username), username, 1 FROM local_user WHERE username LIKE 'mass%'",
    # Two roles each; every tenth person is an employee besides, and all hold the first role of the measurement.
    "INSERT INTO user_role (user_id, role_id) SELECT i.id, r.id FROM user_info i JOIN local_user u ON u.id = i.user_id"
    " JOIN role r ON NOT r.built_in AND (r.name = 'Role 001' OR r.id % 94 = i.id % 94) OR r.name = 'employee' AND i.id % 10 = 0"
    " WHERE u.username LIKE 'mass%'",
)


@operation(machine=True, name="bench.load_roles")
def _load(session: Session) -> None:
    """Fill the tables with one statement each; the triggers record every row."""
    session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
    for statement in _LOAD:
        wanted = {"people": PEOPLE, "roles": ROLES, "permissions": PERMISSIONS}
        session.execute(sa.text(statement), {name: value for name, value in wanted.items() if f":{name}" in statement})


OPERATIONS.pop("bench.load_roles")

# From the press to the mark in the cell, and to the preview beside it; measured inside the page.
_STOPWATCH = """() => {
  window.benchMarks = []; window.benchPreviews = []; let began = 0, marked = true, previewed = true;
  document.addEventListener('click', ev => {
    if (ev.target.closest('td[data-c]')) { began = performance.now(); marked = previewed = false; } }, true);
  new MutationObserver(changes => changes.forEach(change => {
    if (!marked && change.type === 'attributes') { marked = true;
      requestAnimationFrame(() => setTimeout(() => window.benchMarks.push(performance.now() - began))); }
    const near = change.target.nodeType === 1 ? change.target : change.target.parentElement;
    const added = [...change.addedNodes].some(node => node.matches && (node.matches('.card') || node.querySelector('.effect-sum')));
    if (!previewed && change.type !== 'attributes' && (added || near && near.closest('.matrix-panel .card'))) {
      previewed = true; window.benchPreviews.push(performance.now() - began); }
  })).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['data-c']});
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.roles", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, stage.folder() as data_dir:
        port = stage.free_port()
        stage.enter_environment(data_dir, port)
        logs.configure("warning", "json")
        with stage.cluster(data_dir) as server:
            data = stock_data.load(100)
            with acting_as(system_actor("bench")):
                transact(_load)
            _settle(server)
            with stage.Application(port, Path(place) / "application.log").running() as application:
                found = asyncio.run(_measure(application.base, data.tokens, asked.rounds))
    _print(found)


def _settle(server: stage.Server) -> None:
    from bench.run import _settle as settle  # noqa: PLC0415  # the same as there; it imports everything else

    settle(server, DATABASE)


async def _timed(action: Callable[[], Awaitable[object]], into: Samples) -> None:
    began = time.perf_counter()
    await action()
    into.seconds.append(time.perf_counter() - began)


async def _measure(base: str, tokens: list[str], rounds: int) -> dict[str, Samples]:
    found: dict[str, Samples] = {}

    async def many(name: str, ask: Callable[[int], Awaitable[object]]) -> None:
        samples = found.setdefault(name, Samples())
        await ask(0)  # the first one fills what is remembered
        for number in range(rounds):
            await _timed(lambda number=number: ask(number), samples)

    token = await _administrator(tokens)
    async with Tab(base, token, "/admin/roles") as tab:
        first = await tab.visit("/admin/roles", '"loading_rx_state_":false')
        columns, rows = var(first, "columns", STATE), var(first, "rows", STATE)
        ids = [column["id"] for column in columns if column["name"].startswith("Role")]
        names = [row["key"] for row in rows if not row["heading"] and row["codes"][10] in "10"]
        print(f"{len(rows)} rows of {len(columns)} columns at once")
        words = ["?q=stock", "", "?category=Stock", "?show=differ", "?from=48"]
        await many("load the page", lambda n: tab.visit(f"/admin/roles?x={n}", _DRAWN))
        await many("filter, search, turn", lambda n: tab.visit("/admin/roles" + words[n % len(words)], _DRAWN))
        await tab.visit("/admin/roles", _DRAWN)
        popular = ids[0]

        async def press(number: int) -> None:
            role = popular if number % 2 else ids[number % len(ids)]
            given = {"role_id": role, "permission": names[number % len(names)]}
            await tab.ask(f"{STATE}.toggle", _DRAWN, **given)

        async def press_and_see(number: int) -> None:
            await press(number)
            await tab.until(lambda text: _PREVIEWED in text)

        await many("press a cell: the mark and the preview (1 to 60 changes, 10,000 people)", press_and_see)
        await tab.ask(f"{STATE}.discard", _DRAWN)

        async def one(number: int) -> None:
            await tab.ask(f"{STATE}.toggle", _DRAWN, role_id=popular, permission=names[number % len(names)])
            await tab.until(lambda text: _PREVIEWED in text)
            await tab.ask(f"{STATE}.discard", _DRAWN)

        await many("press one cell of a role that 10,000 hold, see the preview, discard", one)
        await many("a role that 10,000 hold", lambda n: tab.visit(f"/admin/roles/{popular}?x={n}", _DRAWN))
        await many(
            "who has a permission",
            lambda n: tab.ask(f"{STATE}.open_holders", '"having_rx_state_"', permission=names[n % 8]),
        )

        async def save(number: int) -> None:
            await tab.visit(f"/admin/roles?s={number}", _DRAWN)
            await tab.ask(f"{STATE}.toggle", _PREVIEWED, role_id=popular, permission=names[0])
            samples = found.setdefault("save a change, to the toast", Samples())
            form = {"reason": "measured", "idempotency_key": secrets.token_hex(8)}
            await _timed(lambda: tab.ask(f"{STATE}.save", "toast", form=form), samples)

        for number in range(min(rounds, 20)):
            await save(number)
    if path := browser.chromium():
        await _press_in_browser(path, base, token, found, min(rounds, 30))
    return found


async def _administrator(tokens: list[str]) -> str:
    """Return the session of somebody who may do everything: the first of the people is made one."""
    from inventory_app.models.users import UserInfo  # noqa: PLC0415
    from inventory_app.operations.sessions import hash_token  # noqa: PLC0415

    def promote(session: Session) -> None:
        statement = (
            "SELECT i.id FROM user_info i JOIN auth_session s ON s.user_id = i.user_id WHERE s.token_hash = :hash"
        )
        found = session.scalar(sa.text(statement), {"hash": hash_token(tokens[0])})
        session.get_one(UserInfo, found).set_roles(["admin", "Role 095"], session)

    @operation(machine=True, name="bench.promote")
    def run(session: Session) -> None:
        """Make the person an administrator."""
        promote(session)

    OPERATIONS.pop("bench.promote")
    with acting_as(system_actor("bench")):
        await asyncio.to_thread(transact, run)
    return tokens[0]


async def _press_in_browser(path: str, base: str, token: str, found: dict[str, Samples], rounds: int) -> None:
    async with browser._browser(path) as chromium:  # noqa: SLF001  # ours
        context = await browser._signed_in(chromium, base, token)  # noqa: SLF001  # ours
        view = await context.new_page()
        await view.goto(f"{base}/admin/roles")
        cells = view.locator('td[data-c="1"], td[data-c="0"]')
        await cells.nth(40).wait_for()
        elements = await view.evaluate("() => document.querySelectorAll('*').length")
        print(f"{elements} elements on the page")
        await view.evaluate(_STOPWATCH)
        for number in range(rounds):
            await cells.nth(7 * number).click()
            await view.wait_for_function(
                "n => window.benchMarks.length > n && window.benchPreviews.length > n", arg=number
            )
        for name, kept in (("Chromium: press to mark", "benchMarks"), ("Chromium: press to preview", "benchPreviews")):
            samples = found.setdefault(name, Samples())
            samples.seconds = [ms / 1e3 for ms in await view.evaluate(f"() => window.{kept}")]
        await context.close()


def _print(found: dict[str, Samples]) -> None:
    print(f"{PEOPLE:,} people, {ROLES} roles, {PERMISSIONS} permissions; goal p95 <= {GOAL_MS} ms")
    print("| | p50 ms | p95 ms | worst |\n|---|---|---|---|")
    for name, samples in found.items():
        worst = max(samples.seconds, default=0) * 1e3
        print(f"| {name} | {samples.percentile(50):.1f} | {samples.percentile(95):.1f} | {worst:.1f} |")
        for fault in samples.faults:
            print(f"  FAULT {fault}", file=sys.stderr)


if __name__ == "__main__":
    main()
