"""Handing out an order as a PDF, its hash on record: to who may see what it costs, and to its supplier."""

import hashlib
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import order_papers, people
from inventory_app.context import acting_as
from inventory_app.errors import AppError, NotFound, NotSignedIn, PasswordChangeRequired, SecondFactorRequired
from inventory_app.hashing import slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import way_out
from inventory_app.operations import orders, portal
from inventory_app.operations._operation import Operation
from inventory_app.operations._order_paper import OrderPaper
from inventory_app.unit_of_work import fetch, in_transaction


@dataclass(frozen=True)
class _Way:
    """One of the ways to the paper: the pages it is on, what returns it, and what puts on record that it was taken."""

    pages: str
    paper: Operation[..., OrderPaper]
    taken: Operation[..., None]

    async def send(self, request: Request) -> Response:
        """Draw the order, put on record who took which bytes, and send them."""
        if request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
            return http.refuse_cross_site(http.CrossSite())
        order_id = request.path_params["order_id"]
        page = f"{self.pages}/{order_id}"
        actor = http.signed_in(request)
        person = await people.who(actor) if actor else None
        try:
            if actor is None or person is None:
                raise NotSignedIn  # noqa: TRY301  # answered below like everything else that is missing
            with acting_as(people.named(actor, person)):
                paper = await fetch(self.paper, order_id=order_id)
                content = await slowly(order_papers.draw, paper)
                sha256 = hashlib.sha256(content).hexdigest()
                what = f"{paper.number} as PDF, version {paper.version}, sha256 {sha256}"
                await in_transaction(self.taken, order_id=order_id, version=paper.version, what=what)
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

    def route(self) -> Route:
        """Return the route of the paper."""
        endpoint: Any = self.send
        return Route(self.pages + "/{order_id:key}/paper.pdf", endpoint, methods=["GET"])


ROUTES = [
    _Way("/orders", orders.order_paper, orders.take_paper).route(),
    _Way("/portal/orders", portal.my_order_paper, portal.take_my_paper).route(),
]
