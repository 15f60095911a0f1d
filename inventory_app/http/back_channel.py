"""The sign-in provider says, server to server, that somebody has signed out there (OpenID Connect Back-Channel Logout).

The one post that comes from none of our pages: what it says counts only by the provider's signature.
"""

import hashlib
from dataclasses import replace

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inventory_app import oidc, people
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import AppError, KeyReused
from inventory_app.http import _requests as http
from inventory_app.http._posts import turn
from inventory_app.oidc import NotProven, ProviderAway
from inventory_app.operations import back_channel
from inventory_app.operations.single_sign_on import METHOD
from inventory_app.unit_of_work import fetch, in_transaction

log = structlog.get_logger(__name__)

PATH = "/auth/oidc/backchannel-logout"


async def _signed_out(request: Request) -> Response:
    """End the sessions that a logout token names."""
    provider = oidc.provider()
    if provider is None:
        return _answer(404, "invalid_request", "Single sign-on is not set up here.")
    try:
        await _end(request, provider)
    except ProviderAway as error:
        # Not asked to try again by the specification, but providers do.
        return _answer(503, "temporarily_unavailable", str(error))
    except AppError as error:
        return _answer(400, "invalid_request", str(error))
    return Response(status_code=200)


async def _end(request: Request, provider: oidc.Provider) -> None:
    stranger = http.visitor(request)
    form = await http.read_any_form(request)
    token = http.text(form, "logout_token")
    # One after the other for each address: sent all at once, none would see the others' failure.
    with acting_as(stranger):
        async with turn(stranger.client_ip):
            await fetch(back_channel.may_come)
            try:
                said = await provider.signed_out(token)
            except NotProven as error:
                await in_transaction(back_channel.refuse, why=error.why)
                raise
    machine = system_actor(METHOD)
    with acting_as(replace(stranger, kind=machine.kind, name=machine.name)):
        try:
            ended = await in_transaction(
                back_channel.end_sessions,
                idempotency_key=hashlib.sha256(said.id.encode(errors="replace")).hexdigest(),
                issuer=said.issuer,
                subject=said.subject,
                provider_session=said.session,
            )
        except KeyReused as error:
            raise NotProven("the id of another logout token") from error
    for user_id in set(ended):
        # At once in this process; the others are told by the database.
        people.forget_person(user_id)
    log.info("single_sign_on_signed_out", sessions=len(ended))


def _answer(status: int, error: str, sentence: str) -> Response:
    return JSONResponse({"error": error, "error_description": sentence}, status)


ROUTES = [Route(PATH, _signed_out, methods=["POST"])]
