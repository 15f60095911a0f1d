"""What signing in costs, and costs others: `python -m bench.sign_in [--seconds 15]`.

Sign-ins a second, alone and fifty at a time, and how long another person's click takes to become a toast, idle and
while fifty people sign in without a pause. Each of them comes from an address of their own.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import sqlalchemy as sa
from sqlmodel import Session, col

from bench import browser, load, stage, stock_data
from bench.load import Samples
from inventory_app import logs
from inventory_app.context import acting_as, system_actor
from inventory_app.http._requests import form_token
from inventory_app.models.users import LocalUser
from inventory_app.operations._operation import OPERATIONS, operation
from inventory_app.passwords import hash_password
from inventory_app.unit_of_work import open_session, transact

PRODUCTS = 400
AT_ONCE = 50
CLICKS = 30
_PASSWORD = "seven violet tractors at noon"  # noqa: S105  # of people who live for a minute


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sign_in", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each slice of load")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as place, stage.folder() as data_dir:
        port = stage.free_port()
        stage.enter_environment(data_dir, port)
        logs.configure("warning", "json")
        with stage.cluster(data_dir):
            data = stock_data.load(PRODUCTS)
            _give_passwords()
            proxied = {"INVENTORY_TRUSTED_PROXY_HOPS": "1"}
            with stage.Application(port, Path(place) / "application.log", proxied).running() as application:
                _measure(application.base, data, seconds)


def _give_passwords() -> None:
    with acting_as(system_actor("bench")):
        transact(_set_passwords, password_hash=hash_password(_PASSWORD))
    with open_session() as session:
        engine = session.connection().engine
    engine.dispose()


@operation(machine=True, name="bench.set_passwords")
def _set_passwords(session: Session, *, password_hash: str) -> None:
    everybody = col(LocalUser.username).like("bench%")
    session.execute(sa.update(LocalUser).where(everybody).values(password_hash=password_hash))


OPERATIONS.pop("bench.set_passwords")


def _measure(base: str, data: stock_data.Data, seconds: float) -> None:
    one, many = (asyncio.run(_sign_ins(base, clients, seconds)) for clients in (1, AT_ONCE))
    _say(f"sign-ins a second, one after another: {one.rate:.1f}, p95 {one.percentile(95):.0f} ms")
    _say(f"sign-ins a second, {AT_ONCE} at a time: {many.rate:.1f}, p95 {many.percentile(95):.0f} ms")
    _compare("event to toast over the websocket", lambda: asyncio.run(load.transfers(base, data, 1, seconds)), base)
    chromium = browser.chromium()
    if chromium is None:
        _say("no Chromium found (set CHROMIUM): the click is not measured")
        return
    clicks = lambda: asyncio.run(browser.click_to_toast(chromium, base, data.tokens[0], CLICKS))  # noqa: E731  # used once
    _compare("click to toast in Chromium", clicks, base)


def _compare(name: str, measure: object, base: str) -> None:
    """Measure while nobody signs in, and while fifty do."""
    assert callable(measure)  # noqa: S101  # a plain function
    idle: Samples = measure()
    with _signing_in(base):
        busy: Samples = measure()
    ratio = busy.percentile(95) / idle.percentile(95)
    for samples in (idle, busy):
        if samples.faults:
            _say(f"FAULTS: {samples.faults[:2]}")
    _say(
        f"{name}: idle p50 {idle.percentile(50):.0f}, p95 {idle.percentile(95):.0f} ms; while {AT_ONCE} sign in "
        f"p50 {busy.percentile(50):.0f}, p95 {busy.percentile(95):.0f} ms: {ratio:.1f} times the p95"
    )


@contextmanager
def _signing_in(base: str) -> Iterator[None]:
    """Let fifty people sign in all the time, from a process of their own."""
    process = multiprocessing.get_context("spawn").Process(target=_forever, args=(base,), daemon=True)
    process.start()
    time.sleep(3)  # until all of them wait in line
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _forever(base: str) -> None:
    asyncio.run(_sign_ins(base, AT_ONCE, 3_600))


async def _sign_ins(base: str, clients: int, seconds: float) -> Samples:
    samples = Samples()
    addresses = itertools.count(1)

    async def work(number: int, until: float) -> None:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            while time.perf_counter() < until:
                address = next(addresses)
                headers = {
                    "Origin": base,
                    "Cookie": "visit=bench",
                    "X-Forwarded-For": f"10.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}",
                }
                form = {"csrf": form_token("bench"), "username": f"bench{number + 1}", "password": _PASSWORD}
                began = time.perf_counter()
                async with http.post(
                    f"{base}/auth/sign-in", data=form, headers=headers, allow_redirects=False
                ) as answer:
                    await answer.read()
                    if "session" not in answer.cookies:
                        samples.faults.append(f"{answer.status} {answer.headers.get('location')}")
                samples.seconds.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work(number, began + seconds) for number in range(clients)))
    samples.elapsed = time.perf_counter() - began
    if samples.faults:
        _say(f"FAULTS: {samples.faults[:2]}")
    return samples


def _say(text: str) -> None:
    sys.stdout.write(f"[{os.getloadavg()[0]:.1f}] {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
