"""Single sign-on over HTTP: to the provider and back, to sign in, to connect an account, or to prove oneself again.

What the browser is in the middle of lies sealed in one cookie: state, nonce and PKCE verifier, bound to the visit and,
where somebody is signed in, to their session. It survives until the provider's answer to *it* has come, whatever else
arrives at the door, and succeeds once (its state is the idempotency key).
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from inventory_app import oidc, people, sealing
from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.errors import AccountWaiting, AppError, Conflict, Denied, KeyReused, NotAllowed, NotSignedIn
from inventory_app.http import _requests as http
from inventory_app.http._posts import SECURITY_PAGE, let_in, post, session_before, way_out
from inventory_app.http._sealed import Pending, TookTooLong, ask_for_factor, forget, mark
from inventory_app.http.accounts import LINK_PAGE
from inventory_app.models._base import now
from inventory_app.oidc import Identity, NotProven
from inventory_app.operations import accounts, single_sign_on
from inventory_app.operations.sessions import hash_token
from inventory_app.operations.single_sign_on import Known
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import fetch, in_transaction

log = structlog.get_logger(__name__)

#: People look for their phone at the provider.
SECONDS = 600
_COOKIE = "sign-on"
_LONGEST_NEXT = 500
_LONGEST_CODE = 8_192
_SEE_OTHER = 303
_SIGN_IN, _CONNECT, _CONFIRM, _LINK = "sign in", "connect", "confirm", "link"
_PAGES = {_SIGN_IN: "/login", _CONNECT: SECURITY_PAGE, _CONFIRM: "/confirm", _LINK: LINK_PAGE}
_START_AGAIN = "This sign-in was begun in another tab or took too long. Start again."
_CANCELLED = "Single sign-on was cancelled there. Start again, or use another way."


@dataclass(frozen=True, slots=True)
class Journey:
    """What a browser went to the provider for."""

    purpose: str
    next: str
    #: The form token of the visit, and the session if there was one: who comes back must still be who left.
    visit: str
    session: str = ""
    #: The hash of the one-time link that is to be redeemed.
    link: str = ""
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    begun: int = field(default_factory=lambda: int(now().timestamp()))

    @property
    def page(self) -> str:
        """Where it began, with where it was to lead."""
        page = _PAGES[self.purpose]
        return page if self.next == "/" or page == SECURITY_PAGE else f"{page}?next={quote(self.next, safe='')}"


def _visit(request: Request) -> str:
    return http.form_token(http.cookie(request.headers.get("cookie", ""), "visit"))


def _path(asked: str) -> str:
    path = http.local_path(asked or "/")
    return path if len(path) <= _LONGEST_NEXT else "/"


def _configured() -> oidc.Provider:
    provider = oidc.provider()
    if provider is None:
        raise NotAllowed("Single sign-on is not set up here. Sign in with your password.")
    return provider


async def _begin(request: Request) -> Response:
    """Leave for the provider to sign in: only from our own login page, whose visit it is bound to."""
    journey = Journey(_SIGN_IN, _path(request.query_params.get("next", "/")), _visit(request))
    public = get_settings().public_url
    if request.headers.get("host") != urlsplit(public).netloc:
        # The provider sends people back to the public address, and the cookie must be there.
        return RedirectResponse(f"{public}{journey.page}", _SEE_OTHER)
    # Somebody else's page must not begin it; and without a visit nobody has seen ours.
    if not journey.visit or request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        return http.see_other(journey.page)
    try:
        address = await _configured().address(state=journey.state, nonce=journey.nonce, verifier=journey.verifier)
    except AppError as error:
        return http.see_other(journey.page, flash={"text": str(error), "tone": "bad"})
    return _with(RedirectResponse(address, _SEE_OTHER), journey)


def _with(response: Response, journey: Journey) -> Response:
    http.set_cookie(response, _COOKIE, sealing.seal(_COOKIE, asdict(journey)), seconds=SECONDS)
    return response


async def _connect(request: Request, _: FormData) -> Response:
    """Leave for the provider to connect one's own account."""
    actor = await _signed_in(request)
    with acting_as(actor):
        # Refused here rather than after the person has been there.
        await fetch(single_sign_on.connecting)
    return await _leave(Journey(_CONNECT, SECURITY_PAGE, _visit(request), actor.token_hash or ""), anew=False)


async def _link(request: Request, form: FormData) -> Response:
    """Leave for the provider to redeem a one-time link by being recognised there."""
    token_hash = hash_token(http.text(form, "token"))
    with acting_as(http.visitor(request)):
        await fetch(accounts.show_link, token_hash=token_hash)
    return await _leave(Journey(_LINK, "/", _visit(request), link=token_hash), anew=False)


async def _confirm(request: Request, form: FormData) -> Response:
    """Leave for the provider to prove again that it is still oneself."""
    actor = await _signed_in(request)
    journey = Journey(_CONFIRM, _path(http.text(form, "next")), _visit(request), actor.token_hash or "")
    return await _leave(journey, anew=True)


async def _leave(journey: Journey, *, anew: bool) -> Response:
    """Answer a post by a page that goes on to the provider.

    Not by a redirect: `form-action 'self'` of our content security policy holds for where a form's answer leads, too.
    """
    address = await _configured().address(
        state=journey.state, nonce=journey.nonce, verifier=journey.verifier, anew=anew
    )
    there = escape(address, quote=True)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="refresh" content="0;url={there}"><title>Single sign-on</title></head>'
        f'<body><p><a href="{there}">Continue to single sign-on</a></p></body></html>'
    )
    return _with(HTMLResponse(page), journey)


async def _signed_in(request: Request) -> Actor:
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    if actor is None or person is None:
        raise NotSignedIn
    return people.named(actor, person)


def _journey(request: Request) -> Journey | None:
    """Return what this browser went for, if this is the answer to it."""
    header = request.headers.get("cookie", "")
    try:
        found = Journey(**sealing.unseal(_COOKIE, http.cookie(header, _COOKIE), seconds=SECONDS))
    except (sealing.Unreadable, TypeError):
        return None
    # As bytes: of text, only ASCII can be compared this way.
    given = request.query_params.get("state", "").encode(errors="replace")
    return found if hmac.compare_digest(found.state.encode(), given) else None


async def _back(request: Request) -> Response:
    """Come back from the provider: a top-level GET from another site, which a `Lax` cookie comes with."""
    if oidc.provider() is None:
        return PlainTextResponse("Single sign-on is not set up here.", 404)
    journey = _journey(request)
    if journey is None or journey.visit != _visit(request):
        # The cookie stays: it may belong to another tab, whose answer is still to come.
        return http.see_other("/login", flash={"text": _START_AGAIN, "tone": "bad"})
    try:
        response = await _arrived(request, journey)
    except KeyReused:
        response = http.see_other(journey.page, flash={"text": _START_AGAIN, "tone": "bad"})
    except AppError as error:
        tone = "neutral" if isinstance(error, AccountWaiting) else "bad"
        flash = {"text": str(error), "tone": tone, "errors": error.fields}
        response = http.see_other(way_out(error, journey.page) or journey.page, flash=flash)
    http.set_cookie(response, _COOKIE, "", seconds=0)
    return response


_Arrive = Callable[[Request, Journey, Identity], Awaitable[Response]]


async def _arrived(request: Request, journey: Journey) -> Response:
    given, provider = request.query_params, _configured()
    stranger = http.visitor(request)
    with acting_as(stranger):
        await fetch(single_sign_on.may_come)
        try:
            identity = await _identity(provider, journey, given)
        except NotProven as error:
            await in_transaction(single_sign_on.refuse, why=error.why)
            raise
    arrive: dict[str, _Arrive] = {_SIGN_IN: _enter, _CONNECT: _connected, _CONFIRM: _confirmed, _LINK: _redeemed}
    return await arrive[journey.purpose](request, journey, identity)


async def _identity(provider: oidc.Provider, journey: Journey, given: QueryParams) -> Identity:
    if not await provider.is_mine(given.get("iss")):
        raise NotProven("the answer came from another issuer")
    if "error" in given:
        raise NotAllowed(_CANCELLED)
    code = given.get("code", "")
    if not code or len(code) > _LONGEST_CODE:
        raise NotProven("the answer held no code")
    identity = await provider.identity(code=code, nonce=journey.nonce, verifier=journey.verifier)
    if journey.purpose == _CONFIRM and identity.proved_at < journey.begun - oidc.LEEWAY_SECONDS:
        raise NotProven("the provider did not ask for a new proof")
    return identity


async def _enter(request: Request, journey: Journey, identity: Identity) -> Response:
    """Sign the person in whom the provider has recognised, with the roles their groups give them now."""
    machine = _machine(request)
    with acting_as(http.visitor(request)):
        known = await fetch(single_sign_on.person_of, issuer=identity.issuer, subject=identity.subject)
        if known is None and get_settings().oidc_create == "no":
            await in_transaction(single_sign_on.refuse, why="nobody is connected with this account")
            raise NotAllowed(single_sign_on.UNKNOWN)
    if known is None:
        known = await _made(machine, identity)
    if known.enabled:
        await _follow_groups(machine, known, identity)
    proved = {"user_id": known.user_id, "issuer": identity.issuer, "subject": identity.subject}
    with acting_as(http.visitor(request, name=known.username)):
        if known.has_factor and not identity.strong:
            waits = Pending(
                user_id=known.user_id,
                username=known.username,
                first=single_sign_on.METHOD,
                mark=mark(known.password_hash),
                remember=False,
                next=journey.next,
            )
            by = await in_transaction(
                single_sign_on.ask_factor, idempotency_key=journey.state, **proved, waits_as=waits.id
            )
            kept = single_sign_on.hash_of(identity.session)
            return ask_for_factor(replace(waits, identity=by, provider_session=kept))
        token = secrets.token_urlsafe(32)
        await in_transaction(
            single_sign_on.sign_in,
            idempotency_key=journey.state,
            **proved,
            strong=identity.strong,
            token_hash=hash_token(token),
            instead_of=session_before(request),
            provider_session=identity.session,
        )
    return forget(let_in(request, journey.next, token, remember=False, another_person=True))


def _machine(request: Request) -> Actor:
    """Return `system:single_sign_on`, with where the person came from."""
    stranger = http.visitor(request)
    named = system_actor(single_sign_on.METHOD)
    return replace(stranger, kind=named.kind, name=named.name)


async def _made(machine: Actor, identity: Identity) -> Known:
    if identity.email_unverified:
        raise Denied("Your address is not confirmed there. Confirm it, then sign in again.")
    with acting_as(machine):
        return await in_transaction(
            single_sign_on.make_account,
            issuer=identity.issuer,
            subject=identity.subject,
            username=identity.username,
            full_name=identity.full_name,
            email=identity.email,
            roles_follow=bool(get_settings().roles_of_groups),
        )


async def _follow_groups(machine: Actor, known: Known, identity: Identity) -> None:
    """Make the roles follow the groups; what a rule forbids stays as it was, on record, and the person comes in."""
    mapping = get_settings().roles_of_groups
    if not mapping:
        return
    if identity.groups is None:
        log.warning("single_sign_on_groups_left_out", user_id=known.user_id)
        return
    # Only those that mean something here: the others are nobody's business.
    groups = sorted(set(identity.groups) & mapping.keys())
    with acting_as(machine):
        found = await fetch(single_sign_on.difference, user_id=known.user_id, groups=groups)
        if found.unknown:
            log.warning("single_sign_on_unknown_roles", roles=found.unknown)
        if not found.changes:
            return
        try:
            await in_transaction(
                single_sign_on.match_roles,
                user_id=known.user_id,
                groups=groups,
                reason=f"Groups at the provider: {', '.join(groups) or 'none that give roles'}",
            )
        except (NotAllowed, Conflict):
            # Recorded and logged by the transaction: the last administrator who leaves a group, say.
            return
    people.forget_person(known.user_id)


async def _connected(request: Request, journey: Journey, identity: Identity) -> Response:
    """Connect the account of who is signed in."""
    actor = await _still_here(request, journey)
    with acting_as(actor):
        await in_transaction(
            single_sign_on.connect, idempotency_key=journey.state, issuer=identity.issuer, subject=identity.subject
        )
    return http.see_other(SECURITY_PAGE, flash={"text": "Single sign-on is connected.", "tone": "ok"})


async def _redeemed(request: Request, journey: Journey, identity: Identity) -> Response:
    """Connect the account that a one-time link opens."""
    with acting_as(http.visitor(request)):
        await in_transaction(
            single_sign_on.redeem_link,
            idempotency_key=journey.state,
            token_hash=journey.link,
            issuer=identity.issuer,
            subject=identity.subject,
        )
    return http.see_other("/login", flash={"text": "Single sign-on is connected. Sign in with it now.", "tone": "ok"})


async def _confirmed(request: Request, journey: Journey, identity: Identity) -> Response:
    """Let the session of who is signed in go on, freshly proved."""
    actor = await _still_here(request, journey)
    token = secrets.token_urlsafe(32)
    with acting_as(actor):
        remember = await in_transaction(
            single_sign_on.confirm,
            idempotency_key=journey.state,
            issuer=identity.issuer,
            subject=identity.subject,
            strong=identity.strong,
            token_hash=hash_token(token),
            provider_session=identity.session,
        )
    flash: dict[str, Any] = {"text": "Confirmed. Now do it again.", "tone": "ok"}
    return let_in(request, journey.next, token, remember=remember, flash=flash)


async def _still_here(request: Request, journey: Journey) -> Actor:
    actor = await _signed_in(request)
    if not journey.session or actor.token_hash != journey.session:
        raise TookTooLong(_START_AGAIN)
    return actor


ROUTES = [
    Route("/auth/oidc", _begin, methods=["GET"]),
    Route("/auth/oidc/callback", _back, methods=["GET"]),
    Route("/auth/oidc/connect", post(SECURITY_PAGE, _connect), methods=["POST"]),
    Route("/auth/oidc/link", post(LINK_PAGE, _link), methods=["POST"]),
    Route("/auth/oidc/confirm", post("/confirm", _confirm, keep=("next",)), methods=["POST"]),
]
