"""Handing out an order as a PDF: GET /orders/7/paper.pdf, by who may see what it costs; its hash goes on record."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import order_papers, people
from inventory_app.context import acting_as
from inventory_app.errors import AppError, NotFound, NotSignedIn, PasswordChangeRequired, SecondFactorRequired
from inventory_app.hashing import slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import way_out
from inventory_app.operations import orders
from inventory_app.unit_of_work import fetch, in_transaction


async def _send(request: Request) -> Response:
    """Draw the order, put on record who took which bytes, and send them."""
    if request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        return http.refuse_cross_site(http.CrossSite())
    order_id = request.path_params["order_id"]
    page = f"/orders/{order_id}"
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    try:
        if actor is None or person is None:
            raise NotSignedIn  # noqa: TRY301  # answered below like everything else that is missing
        with acting_as(people.named(actor, person)):
            paper = await fetch(orders.order_paper, order_id=order_id)
            content = await slowly(order_papers.draw, paper)
            sha256 = hashlib.sha256(content).hexdigest()
            what = f"{paper.number} as PDF, version {paper.version}, sha256 {sha256}"
            await in_transaction(orders.take_paper, order_id=order_id, version=paper.version, what=what)
    except (NotSignedIn, PasswordChangeRequired, SecondFactorRequired) as error:
        return http.see_other(way_out(error, page) or f"/login?next={page}")
    except NotFound as error:
        return Response(str(error), 404, media_type="text/plain")
    except AppError as error:
        return http.see_other(page, flash={"text": str(error), "tone": "bad"})
    headers = {
        "content-disposition": f'attachment; filename="{paper.number}.pdf"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(content, media_type="application/pdf", headers=headers)


ROUTES = [Route("/orders/{order_id:key}/paper.pdf", _send, methods=["GET"])]
