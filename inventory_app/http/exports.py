"""Handing out a list as a file: GET /export/inventory.csv and .xlsx, with the view in the address as on the page.

The rows stream from the database to the browser piece by piece (CSV), or through a workbook that is written row by row
(XLSX): whatever their number, memory stays as it is. Whoever loses the permission, or is signed out, while a file is
under way does not get the rest of it.
"""

import csv
import io
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread
import structlog
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from inventory_app import people
from inventory_app.context import Actor, acting_as, current_actor
from inventory_app.errors import (
    AppError,
    Busy,
    Invalid,
    NotFound,
    NotSignedIn,
    PasswordChangeRequired,
    SecondFactorRequired,
)
from inventory_app.http import _requests as http
from inventory_app.http._posts import way_out
from inventory_app.operations import _zones, exports
from inventory_app.operations.exports import Prepared
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import in_thread, in_transaction, open_session, read

log = structlog.get_logger(__name__)

_PIECE = 64 * 1024
#: How often it is asked whether somebody may still have the rest of a file.
_LOOK_SECONDS = 1.0
#: What one sheet can hold.
_MOST_ROWS = 1_048_575
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Each takes a connection for as long as it lasts; people's clicks need the others.
_at_once = BoundedSemaphore(max(1, get_settings().db_threads // 4))


def _exporting(suffix: str) -> Callable[[Request], Awaitable[Response]]:
    async def export(request: Request) -> Response:
        return await _export(request, suffix)

    return export


async def _export(request: Request, suffix: str) -> Response:
    """Hand out a list as the address says, or lead to where one can read why not."""
    if request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        # It would change nothing, but a link on somebody else's page could keep our connections busy.
        return http.refuse_cross_site(http.CrossSite())
    name = request.path_params["name"]
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    try:
        if actor is None or person is None:
            raise NotSignedIn  # noqa: TRY301  # answered below like everything else that is missing
        with acting_as(people.named(actor, person)):
            what = f"{name.capitalize()} as {suffix.upper()}"
            narrowed = request.url.query[:500]
            await in_transaction(
                exports.export_list, name=name, what=f"{what}, narrowed down: {narrowed}" if narrowed else what
            )
            # Days are those of the page: of the zone the browser has said it is in.
            zone = _zones.known_zone(http.cookie(request.headers.get("cookie", ""), "zone"))
            return await in_thread(_answer, name, suffix, dict(request.query_params), zone)
    except (NotSignedIn, PasswordChangeRequired, SecondFactorRequired) as error:
        return http.see_other(way_out(error, "/") or f"/login?next={quote('/', safe='')}")
    except NotFound as error:
        return PlainTextResponse(str(error), 404)
    except AppError as error:
        return http.see_other("/", flash={"text": str(error), "tone": "bad"})


def _answer(name: str, suffix: str, asked: dict[str, str], zone: str) -> Response:
    if not _at_once.acquire(blocking=False):
        raise Busy("Others are exporting right now. Try again in a minute.")
    session = open_session()
    try:
        view = replace(exports.found(name).listing.read(asked), zone=zone)
        prepared = exports.prepare_export(session, name=name, view=view)
        headers = {
            "content-disposition": f'attachment; filename="{name}-{datetime.now(UTC):%Y-%m-%d}.{suffix}"',
            "cache-control": "no-store",
        }
        if suffix == "csv":
            # From here on the stream gives back what it holds.
            return _Streamed(_Stream(session, prepared), media_type="text/csv; charset=utf-8", headers=headers)
        path = _workbook(session, prepared)
    except BaseException:  # whatever ends it: the place and the connection are given back, or exports would run out
        _give_back(session)
        raise
    _give_back(session)
    headers["content-length"] = str(path.stat().st_size)
    return _Streamed(_File(path), media_type=_SHEET, headers=headers)


class _File:
    """The pieces of a file that is gone as soon as it is open, whatever becomes of the browser.

    By hand: a server that is given its path reads it later, when it would be removed already.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        path.unlink()

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Close it."""
        self._file.close()


def _give_back(session: Session) -> None:
    session.close()
    _at_once.release()


class _Stream:
    """The pieces of a CSV file; gives its session back at the end, also when the browser has gone."""

    def __init__(self, session: Session, prepared: Prepared) -> None:
        self._session, self._open = session, True
        self._pieces = _watched(_pieces(session, prepared, mark=True), current_actor(), prepared.needs)

    def __iter__(self) -> "_Stream":
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:  # the end, a fault, a cancelled stream: nothing more is read, all is given back
            self.close()
            raise

    def close(self) -> None:
        """Give the session back."""
        if self._open:
            self._open = False
            self._pieces.close()
            _give_back(self._session)

    def __del__(self) -> None:
        self.close()


def _pieces(session: Session, prepared: Prepared, *, mark: bool = False) -> Generator[bytes, None, None]:
    """Yield the file in pieces: a mark that says UTF-8 to spreadsheets, the header, and the rows as they come."""
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow(prepared.header)
    waiting = [("\ufeff" if mark else "").encode() + head.getvalue().encode()]
    size = 0
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(prepared.copy) as copy:
        for block in copy:
            waiting.append(bytes(block))
            size += len(block)
            if size >= _PIECE:
                yield b"".join(waiting)
                waiting.clear()
                size = 0
    yield b"".join(waiting)


class _Streamed(StreamingResponse):
    """Hands the pieces out, and gives back at once what they hold when the browser has gone."""

    def __init__(self, stream: "_Stream | _File", **how: Any) -> None:
        super().__init__(stream, **how)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also while this is cancelled, and not on the loop: the database is told to stop.
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._stream.close)


def _watched(pieces: Generator[bytes, None, None], actor: Actor, needs: frozenset[str]) -> Generator[bytes, None, None]:
    """Hand the pieces on while whoever asked may have them; else break off, so that no browser takes it for a file."""
    looked = time.monotonic()
    # Whatever ends this ends the copying, too: a connection in the midst of it cannot be given back.
    with closing(pieces):
        for piece in pieces:
            if time.monotonic() - looked >= _LOOK_SECONDS:
                _look(actor, needs)
                looked = time.monotonic()
            yield piece


def _look(actor: Actor, needs: frozenset[str]) -> None:
    try:
        with acting_as(actor):
            read(exports.may_still, needs=needs)
    except AppError as error:
        log.warning("export_broken_off", actor=actor.name, error_type=type(error).__name__)
        raise


def _workbook(session: Session, prepared: Prepared) -> Path:
    """Write the rows into a workbook, row by row; texts stay texts, whatever they begin with."""
    import xlsxwriter  # noqa: PLC0415  # only where somebody asks for it

    with tempfile.NamedTemporaryFile(prefix="inventory-export-", suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    try:
        with xlsxwriter.Workbook(str(path), options) as workbook:
            sheet = workbook.add_worksheet("Export")
            pieces = _watched(_pieces(session, prepared), current_actor(), prepared.needs)
            for number, row in enumerate(csv.reader(_lines(pieces))):
                _fits(number)
                for at, text in enumerate(row):
                    if number and text and prepared.numeric[at]:
                        sheet.write_number(number, at, float(text))
                    elif text:
                        sheet.write_string(number, at, text[:32_767])
    except BaseException:  # a full disk and a stopped server too: half a workbook must not stay behind
        path.unlink(missing_ok=True)
        raise
    return path


def _fits(number: int) -> None:
    if number > _MOST_ROWS:
        raise Invalid("A sheet holds no more rows than 1,048,575. Narrow the list down, or take CSV.")


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    left = b""
    for piece in pieces:
        *whole, left = (left + piece).split(b"\n")
        for line in whole:
            yield line.decode() + "\n"
    if left:
        yield left.decode()


ROUTES = [Route(f"/export/{{name}}.{suffix}", _exporting(suffix), methods=["GET"]) for suffix in ("csv", "xlsx")]
