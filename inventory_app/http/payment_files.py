"""Handing out a batch of payments for the bank: GET /payments/batches/<id>/file.xml (SEPA) and .csv."""

from collections.abc import Iterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from inventory_app import people
from inventory_app.context import acting_as
from inventory_app.errors import (
    AppError,
    NotFound,
    NotSignedIn,
    PasswordChangeRequired,
    SecondFactorRequired,
)
from inventory_app.http import _requests as http
from inventory_app.http._posts import way_out
from inventory_app.operations import payments
from inventory_app.unit_of_work import in_transaction

_PIECE = 64 * 1024


async def _file(request: Request) -> Response:
    """Hand out the file, or lead to the batch, where one can read why not."""
    if request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        # A link on somebody else's page must not put on record that somebody took a file.
        return http.refuse_cross_site(http.CrossSite())
    batch_id, kind = request.path_params["batch_id"], request.path_params["kind"]
    page = f"/payments/batches/{batch_id}"
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    try:
        if actor is None or person is None:
            raise NotSignedIn  # noqa: TRY301  # answered below like everything else that is missing
        with acting_as(people.named(actor, person)):
            made = await in_transaction(payments.take_payment_file, batch_id=batch_id, kind=kind)
    except (NotSignedIn, PasswordChangeRequired, SecondFactorRequired) as error:
        return http.see_other(way_out(error, page) or f"/login?next={quote(page, safe='')}")
    except NotFound as error:
        return PlainTextResponse(str(error), 404)
    except AppError as error:
        return http.see_other(page, flash={"text": str(error), "tone": "bad"})
    content = made.content.encode()
    headers = {
        "content-disposition": f'attachment; filename="{made.name}"',
        "content-length": str(len(content)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_pieces(content), media_type=made.media_type, headers=headers)


def _pieces(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), _PIECE):
        yield content[at : at + _PIECE]


ROUTES = [Route("/payments/batches/{batch_id:key}/file.{kind:str}", _file, methods=["GET"])]
