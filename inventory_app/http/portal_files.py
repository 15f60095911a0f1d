"""Handing out the lists of the portal as files, to their supplier alone: GET /portal/orders.csv and the others."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from inventory_app import people
from inventory_app.context import acting_as
from inventory_app.errors import AppError, NotFound, NotSignedIn, PasswordChangeRequired, SecondFactorRequired
from inventory_app.http import _requests as http
from inventory_app.http._posts import way_out
from inventory_app.operations import portal_files
from inventory_app.unit_of_work import in_transaction

_LONGEST = 200


async def _file(request: Request) -> Response:
    """Hand out the list, narrowed down as the address says, or lead to its page, where one can read why not."""
    if request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        # A link on somebody else's page must not put on record that somebody took a file.
        return http.refuse_cross_site(http.CrossSite())
    kind = request.path_params["kind"]
    page = f"/portal/{kind}"
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    try:
        if actor is None or person is None:
            raise NotSignedIn  # noqa: TRY301  # answered below like everything else that is missing
        with acting_as(people.named(actor, person)):
            search = request.query_params.get("q", "")[:_LONGEST]
            made = await in_transaction(portal_files.take_my_list, kind=kind, search=search)
    except (NotSignedIn, PasswordChangeRequired, SecondFactorRequired) as error:
        return http.see_other(way_out(error, page) or f"/login?next={quote(page, safe='')}")
    except NotFound as error:
        return PlainTextResponse(str(error), 404)
    except AppError as error:
        return http.see_other(page, flash={"text": str(error), "tone": "bad"})
    headers = {
        "content-disposition": f'attachment; filename="{made.name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    # With a mark, so that spreadsheets read it as what it is.
    return Response("\ufeff" + made.content, media_type="text/csv; charset=utf-8", headers=headers)


ROUTES = [Route("/portal/{kind:str}.csv", _file, methods=["GET"])]
