"""Headers on everything we serve, the doors we keep shut, and the visit cookie."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory_app.http import _requests as http
from inventory_app.settings import get_settings

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
#: Reflex's own upload takes 300 MB from anybody and serves files to anybody; we have our own routes.
_CLOSED = ("/_upload", "/_all_routes")


@lru_cache(maxsize=1)
def content_security_policy(pages: Path) -> str:
    """Return the policy for the built pages: inline scripts by hash, computed from what is served.

    'unsafe-eval' is needed by Reflex for toasts and redirects that a handler returns.
    """
    hashes = set[str]()
    for page in pages.rglob("*.html"):
        for script in _INLINE.findall(page.read_text(encoding="utf-8")):
            digest = hashlib.sha256(script.encode()).digest()
            hashes.add(f"'sha256-{base64.b64encode(digest).decode()}'")
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval' {' '.join(sorted(hashes))}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def security_headers(path: str, pages: Path) -> dict[str, str]:
    """Return the headers every answer carries, by path."""
    headers = {
        "content-security-policy": content_security_policy(pages),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    }
    if get_settings().is_secure:
        headers["strict-transport-security"] = "max-age=31536000"
    if path.startswith("/assets/"):
        headers["cache-control"] = "public, max-age=31536000, immutable"
    elif path.startswith("/fonts/"):
        headers["cache-control"] = "public, max-age=604800"
    else:
        headers["cache-control"] = "no-cache" if "." in path.rpartition("/")[2] else "no-store"
    return headers


class Security:
    """ASGI wrapper around the whole application: closed doors, origin of websockets, headers."""

    def __init__(self, app: ASGIApp, pages: Path) -> None:
        """Protect `app`, whose built pages lie in `pages`."""
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what may not pass, and put the headers on the rest."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        send = self._with_headers(scope, headers, send)
        if path.startswith(_CLOSED):
            await _refuse(scope, receive, send, 404, "Not found")
        elif headers.get("host", "") not in _hosts():
            await _refuse(scope, receive, send, 421, "This server is known under another address.")
        elif path.startswith("/_event") and not _same_origin(headers):
            await _refuse(scope, receive, send, 403, "Only our own pages may connect.")
        else:
            await self._app(scope, receive, send)

    def _with_headers(self, scope: Scope, request: Headers, send: Send) -> Callable[[Message], Awaitable[None]]:
        async def wrapped(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                # A route that answers to one person only may say how long they may keep it.
                kept = answer.get("cache-control", "")
                for name, value in security_headers(scope["path"], self._pages).items():
                    answer[name] = value
                if kept.startswith("private,"):
                    answer["cache-control"] = kept
                is_page = answer.get("content-type", "").startswith("text/html")
                if is_page and not http.cookie(request.get("cookie", ""), "visit"):
                    answer.append("set-cookie", http.visit_cookie_header(http.new_visit()))
            await send(message)

        return wrapped


@lru_cache(maxsize=1)
def _hosts() -> frozenset[str]:
    return frozenset(urlsplit(origin).netloc for origin in get_settings().origins)


def _same_origin(headers: Headers) -> bool:
    """Tell whether a websocket was opened by one of our pages; programs send no Origin."""
    origin = headers.get("origin")
    if origin is None:
        return True
    return origin in get_settings().origins and urlsplit(origin).netloc == headers.get("host")


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await PlainTextResponse(sentence, status)(scope, receive, send)
