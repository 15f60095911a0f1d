"""Taking a file to import, a route for each kind: POST /import/products.

The browser itself posts the form, so that cookie, origin and form token protect it as they do
signing in, no script is needed and no bytes go through the websocket, which drops long messages.
The file is looked at and kept aside, and the answer leads to the choice of its columns; importing is then an
ordinary operation behind an ordinary button, with one door, one audit record, one way to fail.
"""

import asyncio
import contextlib
import csv
import io
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import structlog
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from inventory_app import importing, people
from inventory_app.context import Actor, acting_as
from inventory_app.errors import (
    AppError,
    Invalid,
    NotAllowed,
    NotSignedIn,
    PasswordChangeRequired,
    SecondFactorRequired,
)
from inventory_app.http import _requests as http
from inventory_app.http._posts import way_out
from inventory_app.operations import import_views
from inventory_app.operations._export_cells import safe_cell
from inventory_app.operations._import_staging import MOST_FAULTS
from inventory_app.operations.import_runs import FIELDS, LARGEST_FILE, PERMISSIONS, Kind
from inventory_app.unit_of_work import deny, fetch, in_thread

log = structlog.get_logger(__name__)

PAGE = "/imports"
_LONGEST_NAME = 120
#: Of a body that is refused: what is received and thrown away before the answer.
_MOST_PASSED_BY = 256 * 2**20
_PATIENCE_SECONDS = 60


class NoRoom(AppError):
    """The server cannot keep the file."""

    log_level = "error"
    sentence = "The server has no room for the file right now. Tell an administrator."


class _Body:
    """The body of a request as it arrives."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._complete = False

    async def __call__(self) -> Message:
        """Return the next piece."""
        message = await self._receive()
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def pass_by(self) -> None:
        """Let the rest of a refused body pass by: a browser shows no answer before it has sent everything."""
        passed = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not self._complete and passed < _MOST_PASSED_BY:
                    message = await self()
                    passed += len(message.get("body", b""))


def _taking(kind: Kind) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        body = _Body(request.receive)
        response = await answer(Request(request.scope, body))
        await body.pass_by()
        return response

    async def answer(request: Request) -> Response:
        try:
            return await _take(request, kind)
        except http.CrossSite as error:
            return http.refuse_cross_site(error)
        except (NotSignedIn, PasswordChangeRequired, SecondFactorRequired) as error:
            flash = {"text": str(error), "tone": "warn"}
            page = way_out(error, PAGE) or "/login"
            return http.see_other(f"{page}?next={quote(PAGE, safe='')}", flash=flash)
        except AppError as error:
            return http.see_other(PAGE, flash={"text": str(error), "tone": "bad", "errors": {kind: str(error)}})
        except ClientDisconnect:
            return Response(status_code=400)

    return take


async def _take(request: Request, kind: Kind) -> Response:
    """Check who sends it before a byte of the file is read, then the file, and put it on the list."""
    http.check_origin(request)
    actor = await _allowed(request, kind)
    form = await http.read_form(request, limit=LARGEST_FILE + http.FORM_LIMIT)
    try:
        sent = form.get("file")
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Invalid("Choose a file first.")
        with acting_as(actor):
            run_id = await in_thread(importing.send, kind, sent.file, _name(sent.filename, kind))
    except OSError as error:
        log.exception("import_not_kept", error_type=type(error).__name__)
        raise NoRoom from error
    finally:
        await form.close()
    return http.see_other(f"{PAGE}?run={run_id}")


def _name(sent: str, kind: Kind) -> str:
    """Return a file's name as it is fit to be shown."""
    base = sent.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in base if character.isprintable()).strip()[:_LONGEST_NAME]
    return name or f"{kind}.csv"


async def _allowed(request: Request, kind: Kind) -> Actor:
    """Return who sends the file, if they may import it; a refusal goes on record."""
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    if actor is None or person is None:
        raise NotSignedIn
    if person.must_change_password:
        raise PasswordChangeRequired
    if person.needs_factor:
        raise SecondFactorRequired
    if PERMISSIONS[kind] not in person.permissions:
        refusal = NotAllowed()
        with acting_as(actor):
            await in_thread(deny, "import_runs.apply_import", refusal)
        raise refusal
    return people.named(actor, person)


async def faults(request: Request) -> Response:
    """Hand out what is wrong with one's own file, as CSV."""
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    if actor is None or person is None:
        return http.see_other(f"/login?next={quote(PAGE, safe='')}")
    run_id = request.path_params["run"]
    with acting_as(people.named(actor, person)):
        try:
            found = await fetch(import_views.faults_of, run_id=run_id, most=MOST_FAULTS)
        except AppError as error:
            return http.see_other(PAGE, flash={"text": str(error), "tone": "bad"})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("Row", "Column", "What is wrong"))
    writer.writerows((one.row, safe_cell(one.column), safe_cell(one.sentence)) for one in found)
    headers = {"content-disposition": f'attachment; filename="errors-{run_id}.csv"', "cache-control": "no-store"}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


ROUTES = [
    *(Route(f"/import/{kind}", _taking(kind), methods=["POST"]) for kind in FIELDS),
    Route("/import/{run:key}/errors.csv", faults, methods=["GET"]),
]
