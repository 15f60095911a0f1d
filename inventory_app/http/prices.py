"""Taking a file of prices: POST /prices/file, a CSV with the columns sku and price.

The browser itself posts the form, as it does for imports. What the file asks for becomes a draft of a set of changes,
so the answer leads to the difference it would make; a file with faults is refused as a whole.
"""

from datetime import date

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import people
from inventory_app.context import Actor, acting_as
from inventory_app.errors import AppError, Invalid, InvalidRows, NotAllowed, NotSignedIn
from inventory_app.http import _requests as http
from inventory_app.operations import change_sets
from inventory_app.operations.price_files import LARGEST_FILE, read_prices
from inventory_app.permissions import Permission
from inventory_app.unit_of_work import deny, in_thread, in_transaction

PAGE = "/pricing"
_MOST_TOLD = 8


async def take(request: Request) -> Response:
    """Make a draft of the file, and lead to it; or back, with what is wrong."""
    try:
        return await _take(request)
    except http.CrossSite as error:
        return http.refuse_cross_site(error)
    except NotSignedIn as error:
        return http.see_other(f"/login?next={PAGE}", flash={"text": str(error), "tone": "warn"})
    except AppError as error:
        return http.see_other(PAGE, flash={"text": _said(error), "tone": "bad"})


async def _take(request: Request) -> Response:
    """Check who sends it before a byte of the file is read, then the file."""
    http.check_origin(request)
    actor = await _allowed(request)
    form = await http.read_form(request, limit=LARGEST_FILE + http.FORM_LIMIT)
    sent = form.get("file")
    try:
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Invalid("Choose a file first.")
        content = await sent.read(LARGEST_FILE + 1)
    finally:
        await form.close()
    rows = await in_thread(read_prices, content)
    with acting_as(actor):
        made = await in_transaction(
            change_sets.propose_prices_by_sku,
            rows=rows,
            effective_on=_day(http.text(form, "effective_on")),
            reason=http.text(form, "reason"),
        )
    return http.see_other(f"/changes/{made.change_set_id}")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("Choose a day from which the prices count, or none.") from None


async def _allowed(request: Request) -> Actor:
    """Return who sends the file, if they may change prices; a refusal goes on record."""
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    if actor is None or person is None or person.must_change_password or person.needs_factor:
        raise NotSignedIn
    if Permission.PRICES_UPDATE not in person.permissions:
        refusal = NotAllowed()
        with acting_as(actor):
            await in_thread(deny, change_sets.propose_prices_by_sku.spec.name, refusal)
        raise refusal
    return people.named(actor, person)


def _said(error: AppError) -> str:
    """Say what is wrong with the first rows; the trail has more of them."""
    if isinstance(error, InvalidRows):
        told = [f"row {row}, {field}: {said.rstrip('.')}" for row, field, said in error.rows[:_MOST_TOLD]]
        more = f"; and {len(error.rows) - _MOST_TOLD} more" if len(error.rows) > _MOST_TOLD else ""
        return f"{error} {'; '.join(told)}{more}."
    return next(iter(error.fields.values()), str(error))


ROUTES = [Route("/prices/file", take, methods=["POST"])]
