"""What every HTTP route shares: cookies, our own origin, the form token, the actor, size limits."""

import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request, cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Message, Receive

from inventory_app.context import NOBODY, Actor
from inventory_app.errors import Denied, Invalid
from inventory_app.operations.sessions import hash_token
from inventory_app.settings import get_settings

FORM_LIMIT = 64 * 1024
FLASH_SECONDS = 15
_LONGEST_LENGTH = 15
_LONGEST_NUMBER = 18  # fits bigint
_SEE_OTHER = 303
_TOO_SLOW = 408

#: Of this process: a message lives for seconds, and whoever can plant a cookie must not plant words on our pages.
_flash = URLSafeTimedSerializer(secrets.token_bytes(32), salt="flash")


class _Key(Convertor[int]):
    """A record's number in an address, `{id:key}`; 0, which is none's, when it is longer than one can be.

    Python refuses to read very long ones, and every such address would be an error of ours.
    """

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value) if len(value) <= _LONGEST_NUMBER else 0

    def to_string(self, value: int) -> str:
        """Write the number."""
        return str(value)


register_url_convertor("key", _Key())


class Forged(Denied):
    """The request does not come from one of our own pages."""

    sentence = "This form is out of date. Reload the page and try again."


class CrossSite(Forged):
    """A page of somebody else sent the request: answered by `refuse_cross_site`, without a redirect or a cookie."""

    sentence = "This request was not sent by one of our own pages. Nothing was changed."


class TooLarge(Invalid):
    """More was sent than may be."""

    def __init__(self, limit: int) -> None:
        """Say how much may be sent."""
        size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 2**10} KB"
        super().__init__(f"This is too large: at most {size} can be sent at once.")


def _name(name: str) -> str:
    """Return the cookie's name: `__Host-` binds it to this host, which needs https."""
    return f"__Host-{name}" if get_settings().is_secure else name


def cookie(header: str, name: str) -> str:
    """Read our cookie `name` (session, visit or flash) from a Cookie header; empty when absent."""
    # As browsers send them: the standard library's parser loses ours behind somebody else's cookie that holds JSON.
    return cookie_parser(header).get(_name(name), "")


def set_cookie(response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set our cookie `name`, unreadable for scripts; `seconds=None` ends with the browser."""
    response.set_cookie(
        _name(name),
        value,
        max_age=seconds,
        path="/",
        secure=get_settings().is_secure,
        httponly=True,
        samesite="lax",
    )


def visit_cookie_header(value: str) -> str:
    """Return the Set-Cookie line of a new visit, for responses that are not ours to build."""
    response = Response()
    set_cookie(response, "visit", value)
    return response.headers["set-cookie"]


def new_visit() -> str:
    """Return a new secret for the visit cookie, which form tokens are derived from."""
    return secrets.token_urlsafe(24)


def form_token(visit: str) -> str:
    """Return the token a native form must carry: only who got the visit cookie can know it."""
    return hashlib.sha256(b"form:" + visit.encode()).hexdigest() if visit else ""


def client_address(scope_client: Any, forwarded: str) -> str | None:
    """Return the client's address, from X-Forwarded-For only as far as proxies are trusted."""
    hops = get_settings().trusted_proxy_hops
    chain = [part.strip() for part in forwarded.split(",") if part.strip()]
    if hops and len(chain) >= hops:
        return chain[-hops]
    return scope_client[0] if scope_client else None


def visitor(request: Request, *, name: str = NOBODY) -> Actor:
    """Return the stranger behind a request, with address and browser."""
    return Actor(
        kind="anonymous",
        name=name,
        client_ip=client_address(request.client, request.headers.get("x-forwarded-for", "")),
        user_agent=request.headers.get("user-agent"),
        request_id=secrets.token_hex(8),
    )


def signed_in(request: Request) -> Actor | None:
    """Return the person the session cookie stands for; the database decides whether it is live."""
    token = cookie(request.headers.get("cookie", ""), "session")
    if not token:
        return None
    stranger = visitor(request)
    return Actor(
        kind="user",
        name="user",
        token_hash=hash_token(token),
        client_ip=stranger.client_ip,
        user_agent=stranger.user_agent,
        request_id=stranger.request_id,
    )


def check_origin(request: Request) -> None:
    """Refuse a request that a page of somebody else sent."""
    origin = request.headers.get("origin")
    if origin is None or origin not in get_settings().origins:
        raise CrossSite
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise CrossSite


def refuse_cross_site(error: CrossSite) -> Response:
    """Answer what another site's page sent: plain text, no cookie, nothing to follow."""
    return PlainTextResponse(str(error), 403)


async def read_form(request: Request, *, limit: int = FORM_LIMIT) -> FormData:
    """Read a form from one of our own pages: origin, size and token are checked, the size also while it arrives."""
    check_origin(request)
    form = await read_any_form(request, limit=limit)
    expected = form_token(cookie(request.headers.get("cookie", ""), "visit"))
    given = form.get("csrf")
    # As bytes: of text, only ASCII can be compared this way, and a stranger may send any.
    if not expected or not isinstance(given, str) or not hmac.compare_digest(expected.encode(), given.encode()):
        await form.close()
        raise Forged
    return form


async def read_any_form(request: Request, *, limit: int = FORM_LIMIT) -> FormData:
    """Read a form that need not come from one of our pages: its size is checked, also while it arrives."""
    # Browsers write UTF-8 and name nothing else; Starlette would decode by any codec of Python's that a stranger names,
    # among them some that take seconds for a small form or give what is no text.
    if "charset" in request.headers.get("content-type", "").lower().replace("charset=utf-8", "", 1):
        raise Forged
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal()):
        raise Forged
    if len(length) > _LONGEST_LENGTH or int(length) > limit:
        raise TooLarge(limit)
    try:
        counted = Request(request.scope, _at_most(limit, request.receive))
        return await counted.form(max_files=1, max_fields=40, max_part_size=FORM_LIMIT)
    except HTTPException as error:
        if error.status_code == _TOO_SLOW:
            raise
        # What Starlette says about a form that is none.
        raise Forged from error


def _at_most(limit: int, receive: Receive) -> Receive:
    """Pass on what arrives until it is more than `limit` bytes, whatever was announced."""
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > limit:
            raise TooLarge(limit)
        return message

    return counted


def text(form: FormData, name: str) -> str:
    """Return a text field of the form, without surrounding blanks; empty when absent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def number(form: FormData, name: str) -> int:
    """Return the key of a record that a field of the form holds; 0, which no record has, when it is none."""
    value = text(form, name)
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER else 0


def local_path(path: str) -> str:
    """Return `path` if it leads into this application, else the start page: no open redirect."""
    parts = urlsplit(path)
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    # Reflex would read `<reflex.Var>` in a redirect as more than text.
    return path if safe and path.isprintable() and not set(path) & {"\\", "<", ">"} else "/"


def see_other(path: str, *, flash: dict[str, Any] | None = None, another_person: bool = False) -> Response:
    """Answer a POST by a redirect, with a one-time message.

    `another_person`: who sits at this browser has changed, so forms handed out before are worth nothing. Otherwise
    the visit stays as it is, or every other open tab would hold a form that is refused.
    """
    response = RedirectResponse(local_path(path), status_code=_SEE_OTHER)
    if another_person:
        set_cookie(response, "visit", new_visit())
    if flash:
        set_cookie(response, "flash", encode_flash(flash), seconds=FLASH_SECONDS)
    return response


def encode_flash(flash: dict[str, Any]) -> str:
    """Pack and sign a one-time message (text, tone, field errors and short values) for its cookie."""
    values = {name: value[:200] for name, value in flash.get("values", {}).items()}
    packed = _flash.dumps({**flash, "id": secrets.token_hex(4), "values": values})
    return packed.decode() if isinstance(packed, bytes) else packed


def decode_flash(value: str) -> dict[str, Any]:
    """Unpack a one-time message; whatever we have not signed just now is none."""
    try:
        return _flash.loads(value, max_age=4 * FLASH_SECONDS)
    except (BadData, UnicodeEncodeError):
        return {}
