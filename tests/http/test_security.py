"""What every answer carries, which doors are shut, and who may open the websocket."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from socketio.exceptions import ConnectionError as Refused

from inventory_app import pages_build
from inventory_app.pages._page import PAGES
from inventory_app.paths import PROJECT
from tests.fixtures.server import Site, Visitor
from tests.fixtures.tab import Tab
from tests.states.handlers import registered

#: Importing the handlers has imported every page.
ROUTES = sorted(PAGES) if registered() else []
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def asset(visitor: Visitor, ending: str) -> str:
    """Return the address of a built file that the start page loads."""
    found = re.search(rf'"(/assets/[^"]+\.{ending})"', visitor.get("/").text)
    assert found, f"the start page loads no .{ending}"
    return found[1]


#: One answer of every kind.
ANSWERS: dict[str, tuple[Callable[[Visitor], httpx.Response], int]] = {
    "the start page": (lambda v: v.get("/"), 200),
    "a page": (lambda v: v.get("/login/"), 200),
    "a page's bare address": (lambda v: v.get("/inventory", follow_redirects=True), 200),
    "a page that does not exist": (lambda v: v.get("/nothing/here"), 404),
    "a page's headers": (lambda v: v.head("/login/"), 200),
    "a built script": (lambda v: v.get(asset(v, "js")), 200),
    "our own script": (lambda v: v.get("/app.js"), 200),
    "a style sheet": (lambda v: v.get("/brand.css"), 200),
    "a font": (lambda v: v.get("/fonts/inter-Regular.woff2"), 200),
    "the icon": (lambda v: v.get("/favicon.svg"), 200),
    "a file that does not exist": (lambda v: v.get("/assets/nothing.js"), 404),
    "the pulse": (lambda v: v.get("/ping"), 200),
    "the health": (lambda v: v.get("/_health"), 200),
    "a form that leads on": (lambda v: v.post_form("/auth/sign-in"), 303),
    "a form with the wrong method": (lambda v: v.put("/auth/sign-in"), 405),
    "a file to import from a stranger": (lambda v: v.post_form("/import/products"), 303),
    "a method nobody knows": (lambda v: v.request("BREW", "/login/"), 405),
    "another host": (lambda v: v.get("/", headers={"Host": "evil.example"}), 421),
    "Reflex's upload": (lambda v: v.post("/_upload", content=b"x"), 404),
    "a list of routes": (lambda v: v.get("/_all_routes"), 404),
    "a websocket from elsewhere": (lambda v: v.get("/_event/", headers={"Origin": "https://evil.example"}), 403),
    "a websocket without one": (lambda v: v.get("/_event/?transport=nothing&EIO=4"), 400),
}
EXPECTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
each_answer = pytest.mark.parametrize("kind", ANSWERS)


@each_answer
def test_every_kind_of_answer_carries_the_security_headers(site: Site, kind: str):
    ask, status = ANSWERS[kind]
    answer = ask(site.visitor())
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
    assert "camera=(self)" in answer.headers["permissions-policy"]
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"], "once is enough"
    assert "strict-transport-security" not in answer.headers, "this site is http"
    assert "x-powered-by" not in answer.headers
    assert not re.search(r"\d", answer.headers.get("server", "")), "no version"


@each_answer
def test_every_kind_of_answer_carries_the_content_security_policy(site: Site, kind: str):
    answer = ANSWERS[kind][0](site.visitor())
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    scripts = policy["script-src"].split()
    assert scripts[:2] == ["'self'", "'unsafe-eval'"]
    assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", source) for source in scripts[2:])
    for directive, allowed in {
        "default-src": "'self'",
        "connect-src": "'self'",
        "font-src": "'self'",
        "img-src": "'self' data:",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }.items():
        assert policy[directive] == allowed


@pytest.mark.parametrize("route", ROUTES)
def test_the_policy_allows_every_inline_script_of_a_page_by_its_hash_and_no_other_address_is_loaded(
    site: Site, route: str
):
    page = site.visitor().get(f"{route.rstrip('/')}/")
    if "[" in route:
        page = site.visitor().get(f"{route.partition('/[')[0]}/1/", follow_redirects=True)
    allowed = page.headers["content-security-policy"]
    scripts = _INLINE.findall(page.text)
    assert scripts
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in allowed
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', page.text) == []
    assert not re.search(r"\son\w+=\"", page.text), "a handler in the markup would not run"


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/", "no-store"),
        ("/login/", "no-store"),
        ("/nothing/here", "no-store"),
        ("/ping", "no-store"),
        ("/app.js", "no-cache"),
        ("/brand.css", "no-cache"),
        ("/fonts/inter-Regular.woff2", "public, max-age=604800"),
    ],
)
def test_what_may_be_kept_by_browsers_is_said(site: Site, path: str, rule: str):
    assert site.visitor().get(path).headers["cache-control"] == rule


def test_built_files_may_be_kept_for_ever_because_their_names_change(site: Site):
    visitor = site.visitor()
    assert visitor.get(asset(visitor, "js")).headers["cache-control"] == "public, max-age=31536000, immutable"


# Doors that are shut


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("path", ["/_upload", "/_upload/", "/_upload/x.txt", "/%5Fupload", "/_upload/../_upload/x"])
def test_reflexs_own_upload_is_closed(site: Site, method: str, path: str):
    headers = {"Reflex-Client-Token": "x", "Reflex-Event-Handler": "x"}
    answer = site.visitor().request(method, path, headers=headers, files={"files": b"x"} if method == "POST" else None)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/..%2f..%2f..%2f..%2frxconfig.py",
        "/assets/%2e%2e/%2e%2e/%2e%2e/rxconfig.py",
        "/%5c..%5c..%5crxconfig.py",
        "/rxconfig.py",
        "/.web/build/client/index.html",
        "/backend/stateful_pages.json",
        "/routes.json",
        "/.env",
        "/.git/config",
        "/assets/",
        "/fonts/",
    ],
)
def test_no_path_leads_out_of_the_built_pages(site: Site, path: str):
    answer = site.visitor().get(path)
    assert answer.status_code in (400, 404)
    for piece in ("root:", "import reflex", "stateful", "[core]"):
        assert piece not in answer.text


HOSTS = ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "", "127.0.0.1:{port}.evil.example", "[::1]:{port}"]


@pytest.mark.parametrize("host", HOSTS)
def test_under_another_name_there_is_nothing_here(site: Site, host: str):
    answer = site.visitor().get("/login/", headers={"Host": host.format(port=site.port)})
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers
    assert host == "" or host not in answer.text


def test_both_names_of_this_machine_are_ours(site: Site):
    for name in ("localhost", "127.0.0.1"):
        assert site.visitor().get("/login/", headers={"Host": f"{name}:{site.port}"}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_page_of_somebody_else_may_read_an_answer(site: Site, method: str):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/ping", "/login/", "/auth/sign-in", "/_health"):
        answer = site.visitor().request(method, path, headers=headers)
        assert answer.headers.get("access-control-allow-origin") in (None, site.origin)


def test_nothing_secret_is_built_into_the_pages(site: Site):
    build = next(iter(sorted(pages_build.BUILD.glob("pages-*[!t]"), key=lambda f: f.stat().st_mtime, reverse=True)))
    words = [site.admin_password, "postgresql", "inventory_owner", "argon2", str(PROJECT), "sourceMappingURL"]
    files = [
        file for file in (build / "build" / "client").rglob("*") if file.suffix in (".js", ".html", ".css", ".json")
    ]
    assert files
    found = {file.name: [word for word in words if word in read(file)] for file in files}
    assert {name: words for name, words in found.items() if words} == {}
    assert not list(build.rglob("*.map"))


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


# The websocket

FOREIGN = {
    "another site": {"Origin": "https://evil.example"},
    "null": {"Origin": "null"},
    "our host on another port": {"Origin": "http://127.0.0.1:1"},
    "our host by https": {"Origin": "https://127.0.0.1:{port}"},
    "our name as a beginning": {"Origin": "http://127.0.0.1:{port}.evil.example"},
    "our other name": {"Origin": "http://localhost:{port}"},
    "another host": {"Host": "evil.example", "Origin": "http://evil.example"},
    "another host and our Origin": {"Host": "evil.example"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
async def test_no_page_of_somebody_else_opens_the_websocket_with_our_cookie(site: Site, headers: dict[str, str]):
    tab = Tab(site.signed_in(site.person("ann", "manager")))
    with pytest.raises(Refused):
        await tab.connect(**{name: value.format(port=site.port) for name, value in headers.items()})


async def test_a_program_without_an_origin_may_connect_and_our_own_pages_under_either_name(site: Site):
    ann = site.signed_in(site.person("ann", "manager"))
    for name in ("127.0.0.1", "localhost"):
        tab = Tab(ann)
        await tab.connect(Host=f"{name}:{site.port}", Origin=f"http://{name}:{site.port}")
        await tab.close()
    tab = Tab(ann)
    await tab.connect(Origin="")
    await tab.close()


@pytest.mark.parametrize("path", ["/_event", "/_event/", "/%5Fevent/"])
def test_no_page_of_somebody_else_falls_back_to_polling(site: Site, path: str):
    visitor = site.signed_in(site.person("ann", "manager"))
    answer = visitor.get(f"{path}?EIO=4&transport=polling", headers={"Origin": "https://evil.example"})
    assert answer.status_code in (403, 404)
    assert "sid" not in answer.text


def test_the_health_says_nothing_a_stranger_could_use(site: Site):
    assert site.visitor().get("/_health").json() == {"status": True, "db": True}
    assert site.visitor().get("/ping").text == '"pong"'
