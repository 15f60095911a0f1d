"""Every page under addresses that no link of ours has: something is shown, or said, and nothing breaks."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from inventory_app.pages._page import PAGES
from tests.fixtures.server import Site
from tests.fixtures.tab import Tab
from tests.states.handlers import registered

#: Importing the handlers has imported every page.
ROUTES = sorted(PAGES) if registered() else []

#: Every parameter any page reads from its address.
NAMES = [
    *("q", "at", "sort", "dir", "tab", "id", "view", "kind", "role", "category", "show", "from", "order", "why"),
    *("permission", "supplier", "status", "file", "imported", "next", "location"),
    *("as", "days", "of", "page", "item", "recorded", "late"),
]

VALUES = {
    "nothing": "",
    "a negative number": "-1",
    "a number beyond every column": "9" * 40,
    "a number of another script": "٣",
    "NUL": "a\0b",
    "half a surrogate pair": "\ud800",
    "long": "x" * 1_000,
    "a cursor of nobody": "WzAsICJ4Il0",
    "a cursor with a number beyond every column": "WzAsICJ4IiwgOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",
    "SQL": "'; DROP TABLE supplier; --",
    "patterns": "%_\\%",
    "what Reflex reads": "<reflex.Var>{}</reflex.Var>${alert(1)}",
    "another site": "https://evil.example/",
}


def unexpected(site: Site) -> list[dict[str, Any]]:
    return [line for line in site.log_lines() if line.get("event") == "unexpected_error"]


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
async def test_no_address_breaks_a_page(site: Site, value: str):
    before = len(unexpected(site))
    raw = quote(value, safe="", errors="surrogatepass")
    wrong = []
    async with Tab(site.signed_in(site.person("ada", "admin"))) as tab:
        for route in ROUTES:
            if route in ("404", "/login", "/register"):
                continue
            path = re.sub(r"\[[^]]*\]", raw or "x", "/" + route.strip("/"))
            answer = await tab.go(f"{path}?{'&'.join(f'{name}={raw}' for name in NAMES)}")
            wrong += [(route, answer.said)] if "Something went wrong" in answer.text else []
            wrong += [(route, to) for to in answer.redirects if not to.startswith("/") or to.startswith("//")]
        assert tab.is_open
    assert not wrong
    assert len(unexpected(site)) == before
