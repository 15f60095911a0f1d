"""One-time links and pictures: what a browser posts natively or fetches as a file."""

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import people, pictures
from inventory_app.context import acting_as
from inventory_app.errors import AppError, Invalid, NotSignedIn, PasswordChangeRequired, SecondFactorRequired
from inventory_app.hashing import slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import post
from inventory_app.operations import accounts
from inventory_app.operations import pictures as kept
from inventory_app.operations.sessions import hash_token
from inventory_app.passwords import check_new_password, hash_password
from inventory_app.unit_of_work import fetch, in_transaction

LINK_PAGE = "/link"
PROFILE_PAGE = "/profile"


async def _redeem(request: Request, form: FormData) -> Response:
    """Give the account of a one-time link the password that was chosen."""
    token, password = http.text(form, "token"), str(form.get("password") or "")
    with acting_as(http.visitor(request)):
        # Before the slow hash: a made-up link costs nothing.
        link = await fetch(accounts.show_link, token_hash=hash_token(token))
        await slowly(check_new_password, password, link.about)
        new_hash = await slowly(hash_password, password)
        username = await in_transaction(accounts.redeem_link, token_hash=hash_token(token), new_hash=new_hash)
    text = f"Your password is set. Sign in as {username}."
    return http.see_other("/login", flash={"text": text, "tone": "ok", "values": {"username": username}})


async def _set_picture(request: Request, form: FormData) -> Response:
    """Keep the picture that was sent as one's own."""
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    sent = form.get("picture")
    try:
        if actor is None or person is None:
            raise NotSignedIn
        if person.must_change_password:
            raise PasswordChangeRequired
        if person.needs_factor:
            raise SecondFactorRequired
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Invalid("Choose a picture first.")
        content = await sent.read(pictures.LARGEST_FILE + 1)
    finally:
        await form.close()
    made = await slowly(pictures.encode, content)
    with acting_as(people.named(actor, person)):
        await in_transaction(kept.set_picture, content=made.content, media_type=made.media_type, sha256=made.sha256)
    people.forget_person(person.user_id)
    return http.see_other(PROFILE_PAGE, flash={"text": "Your picture is changed.", "tone": "ok"})


async def _picture(request: Request) -> Response:
    """Send somebody's picture to who is signed in; the address names its content, so it may be kept for good."""
    actor = http.signed_in(request)
    user_id = request.path_params["user_id"]
    if actor is None:
        return Response(status_code=404)
    try:
        with acting_as(actor):
            found = await fetch(kept.picture, user_id=user_id, sha256=request.path_params["sha256"])
    except AppError:
        # Not signed in, no such picture: a stranger learns nothing from the difference.
        return Response(status_code=404)
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)


ROUTES = [
    Route("/auth/link", post(LINK_PAGE, _redeem, behind_hash="token"), methods=["POST"]),
    Route(
        "/profile/picture",
        post(PROFILE_PAGE, _set_picture, limit=pictures.LARGEST_FILE + http.FORM_LIMIT),
        methods=["POST"],
    ),
    Route("/pictures/{user_id:key}/{sha256:str}", _picture, methods=["GET"]),
]
