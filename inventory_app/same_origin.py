"""Makes the built pages talk to the address they were loaded from.

Reflex writes the backend's whole address, its port included, into the JavaScript. Ours comes from the same port as
the pages, and one build must serve every PORT: after the build each of those addresses becomes an expression on
`location`. (On https Reflex itself rewrites only the names of this machine.)
"""

import re
from pathlib import Path
from typing import Unpack
from urllib.parse import urlsplit

from reflex_base.constants import Endpoint
from reflex_base.plugins import Plugin, PostBuildContext


class SameOriginPlugin(Plugin):
    """Replaces the backend's address in the finished JavaScript, and fails the build if it is not there."""

    def post_build(self, **context: Unpack[PostBuildContext]) -> None:
        """Rewrite every script of the build, before Reflex compresses them."""
        found = sum(_rewrite(script) for script in Path(context["static_dir"]).rglob("*.js"))
        if not found:
            msg = "No script of the build names the websocket: Reflex has changed, see inventory_app/same_origin.py."
            raise RuntimeError(msg)


def _rewrite(script: Path) -> int:
    """Rewrite one script; how many websocket addresses were replaced."""
    text = script.read_text(encoding="utf-8")
    sockets = 0
    for endpoint in Endpoint:
        text, count = _replace(text, endpoint.get_url())
        sockets += count if endpoint is Endpoint.EVENT else 0
    script.write_text(text, encoding="utf-8")
    return sockets


def _replace(text: str, url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    # `ws` for http and `wss` for https: both come from the page's own scheme. Without a page (prerendering) it stays.
    own = 'location.origin.replace(/^http/,"ws")' if parts.scheme in ("ws", "wss") else "location.origin"
    expression = f'(typeof location==="undefined"?"{url}":{own}+"{parts.path}")'
    return re.subn(rf"""(["'`]){re.escape(url)}\1""", lambda _: expression, text)
