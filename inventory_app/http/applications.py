"""Documents that a company sends with its application: taken from who holds the application's sealed number."""

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import attachments, sealing
from inventory_app.buckets import Buckets
from inventory_app.context import acting_as
from inventory_app.errors import Denied, Invalid, TooManyAttempts
from inventory_app.hashing import slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import post
from inventory_app.operations import application_documents as documents
from inventory_app.operations._attempts import address_key
from inventory_app.unit_of_work import in_transaction

PAGE = "/apply?sent=1"
#: How often one address may have a file looked at, which is slow, whatever it is.
_looked_at = Buckets(1 / 30, 10)


class Closed(Denied):
    """The browser has not applied, or longer ago."""

    sentence = "Documents can be sent within an hour of the application, from the page that thanked for it."


async def _take(request: Request, form: FormData) -> Response:
    """Keep a document with the application whose sealed number the form carries."""
    sent, application = form.get("file"), http.text(form, "application")
    visitor = http.visitor(request)
    try:
        supplier_id = _opened(application)
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Invalid("Choose a file first.")
        if not _looked_at.take(address_key(visitor.client_ip)):
            raise TooManyAttempts
        content, name = await sent.read(documents.LARGEST_FILE + 1), sent.filename
    finally:
        await form.close()
    made = await slowly(lambda: attachments.examine(content, name, kind="document"))
    with acting_as(visitor):
        kept = await in_transaction(
            documents.attach_to_application,
            supplier_id=supplier_id,
            name=made.name,
            media_type=made.media_type,
            content=made.content,
            sha256=made.sha256,
        )
    # The page may come back as a State of its own: while the old one's socket is still open, its token is taken.
    arrived = {"text": f"{kept} has arrived.", "tone": "ok", "values": {"application": application}}
    return http.see_other(PAGE, flash=arrived)


def _opened(sealed: str) -> int:
    try:
        return int(sealing.unseal(documents.SEALED_FOR, sealed, seconds=int(documents.OPEN_FOR.total_seconds())))
    except (sealing.Unreadable, TypeError, ValueError) as error:
        raise Closed from error


ROUTES = [
    Route(
        "/apply/documents",
        post(PAGE, _take, keep=("application",), limit=documents.LARGEST_FILE + http.FORM_LIMIT),
        methods=["POST"],
    )
]
