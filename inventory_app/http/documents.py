"""Pictures and documents of records: sent by a form of the record's page, fetched by who may see the record."""

from datetime import date
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import attachments, people
from inventory_app.context import acting_as
from inventory_app.errors import (
    AppError,
    Invalid,
    NotAllowed,
    NotSignedIn,
    PasswordChangeRequired,
    SecondFactorRequired,
)
from inventory_app.hashing import slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import post
from inventory_app.operations import documents
from inventory_app.unit_of_work import deny, fetch, in_thread, in_transaction

_KINDS = ("image", "document")


async def _take(request: Request) -> Response:
    """Keep what was sent with the record that the address names."""
    subject_type, subject_id = request.path_params["subject_type"], request.path_params["subject_id"]
    subject = documents.SUBJECTS.get(subject_type)
    if subject is None or not subject_id:
        return Response(status_code=404)
    page = f"{subject.path}/{subject_id}"

    async def answer(request: Request, form: FormData) -> Response:
        name = await _attach(request, form, subject_type, subject_id)
        return http.see_other(page, flash={"text": f"{name} is kept.", "tone": "ok"})

    return await post(page, answer, limit=attachments.LARGEST_FILE + http.FORM_LIMIT)(request)


async def _attach(request: Request, form: FormData, subject_type: str, subject_id: int) -> str:
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    sent = form.get("file")
    try:
        if actor is None or person is None:
            raise NotSignedIn
        if person.must_change_password:
            raise PasswordChangeRequired
        if person.needs_factor:
            raise SecondFactorRequired
        if documents.subject_of(subject_type).changes not in person.permissions:
            # Before the file is looked at, which is slow; on record as the operation would put it.
            refusal = NotAllowed()
            with acting_as(actor):
                await in_thread(deny, "documents.attach_document", refusal)
            raise refusal
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Invalid("Choose a file first.")
        kind = http.text(form, "kind")
        if kind not in _KINDS:
            raise Invalid("Choose whether it is a picture or a document.")
        expires_on = _day(http.text(form, "expires_on"))
        content, name = await sent.read(attachments.LARGEST_FILE + 1), sent.filename
    finally:
        await form.close()
    made = await slowly(lambda: attachments.examine(content, name, kind=kind))
    with acting_as(people.named(actor, person)):
        await in_transaction(
            documents.attach_document,
            subject_type=subject_type,
            subject_id=subject_id,
            kind=made.kind,
            name=made.name,
            media_type=made.media_type,
            content=made.content,
            sha256=made.sha256,
            thumbnail=made.thumbnail,
            expires_on=expires_on,
        )
    return made.name


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("Choose a day such as 2027-03-31.") from None


async def _send(request: Request) -> Response:
    """Send a picture to be shown or a document to be saved; who may not see it learns nothing of it."""
    actor = http.signed_in(request)
    document_id, sha256 = request.path_params["document_id"], request.path_params["sha256"]
    if actor is None:
        return Response(status_code=404)
    small = request.url.path.endswith("/small")
    try:
        with acting_as(actor):
            found = await fetch(documents.document_content, document_id=document_id, sha256=sha256, small=small)
    except AppError:
        return Response(status_code=404)
    headers = {"X-Content-Type-Options": "nosniff"}
    if found.kind == "image":
        # The address names the content: it may be kept for good.
        headers["Cache-Control"] = "private, max-age=31536000, immutable"
    else:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    return Response(found.content, media_type=found.media_type, headers=headers)


ROUTES = [
    Route("/documents/{subject_type:str}/{subject_id:key}", _take, methods=["POST"]),
    Route("/documents/{document_id:key}/{sha256:str}", _send, methods=["GET"]),
    Route("/documents/{document_id:key}/{sha256:str}/small", _send, methods=["GET"]),
]
