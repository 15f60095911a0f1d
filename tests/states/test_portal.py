"""The portal over the real websocket and over HTTP, with somebody of a supplier as the attacker.

What a tab received is looked through for what only others may read; every handler and every route is tried.
"""

import importlib
import json
import pkgutil
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from inventory_app import http
from inventory_app.models._base import now
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _export_lists, supplier_accounts, users
from inventory_app.pages._page import PAGES
from inventory_app.permissions import Permission
from inventory_app.states.home import HomeState
from inventory_app.states.palette import PaletteState
from inventory_app.states.portal import (
    PortalCompanyState,
    PortalInvoicesState,
    PortalOrdersState,
    PortalOrderState,
    PortalPaymentsState,
)
from inventory_app.states.profile import ProfileState
from inventory_app.unit_of_work import transact
from tests import factories
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site, Visitor
from tests.fixtures.tab import Answer, Tab
from tests.papers import OURS, Papers, papers
from tests.states.handlers import EXAMPLES, make_things, may, registered
from tests.states.test_doors import DECLARED, HANDLERS, call_all, disagreements, tabs_of
from tests.states.test_live import told

LOADS = (
    PortalCompanyState.load,
    PortalOrdersState.load,
    PortalOrderState.load,
    PortalInvoicesState.load,
    PortalPaymentsState.load,
)


@dataclass(frozen=True)
class Two:
    """Two suppliers with papers of their own, and somebody of the first."""

    sue: Person
    mine: Papers
    others: Papers


@pytest.fixture
def two(site: Site) -> Iterator[Two]:
    """Look, after every test, through all that somebody of the first supplier has received."""
    found = Two(*_somebody(site), papers(f"zz{secrets.token_hex(5)}"))
    yield found
    for username, messages in site.received:
        if username == found.sue.username:
            text = json.dumps(messages, ensure_ascii=False)
            assert found.others.mark not in text.casefold()
            assert OURS not in text


def _somebody(site: Site) -> tuple[Person, Papers]:
    mine = papers(f"aa{secrets.token_hex(5)}")
    username = f"sue-{secrets.token_hex(3)}"
    return site.known(username, factories.supplier_person(username, mine.supplier), "supplier"), mine


def by(actor: Person, operation, **arguments) -> None:
    with actor.actor.audit_context():
        transact(operation, **arguments)


async def everything_of(tab: Tab, order: int) -> str:
    """Load every page of the portal."""
    for handler, path in zip(LOADS, ("", "/orders", f"/orders/{order}", "/invoices", "/payments"), strict=True):
        tab.path = f"/portal{path}"
        await tab.call(handler)
    return tab.text


async def test_everything_of_ones_own_is_shown(site: Site, two: Two):
    async with Tab(site.signed_in(two.sue), "/portal") as tab:
        text = await everything_of(tab, two.mine.order)
    for word in ("message", "bolts", "delivery", "reference"):
        assert f"{two.mine.mark} {word}" in text
    for number in ("PO", "GR", "INV", "BLK", "PAY"):
        assert f"{number}-{two.mine.mark}" in text


async def test_a_search_stands_in_the_address_of_the_page_and_of_the_file(site: Site, two: Two):
    async with Tab(site.signed_in(two.sue), "/portal/orders") as tab:
        text = f"{(await tab.call(PortalOrdersState.search, text='PO & <reflex.Var>1')).messages}"
        assert "/portal/orders?q=PO+%26+%3Creflex.Var%3E1" in text
        for handler, path, state in (
            (PortalOrdersState.load, "/portal/orders", "portal_orders_state"),
            (PortalInvoicesState.load, "/portal/invoices", "portal_invoices_state"),
            (PortalPaymentsState.load, "/portal/payments", "portal_payments_state"),
        ):
            for query, found in ((f"?q={two.mine.mark}", True), (f"?q={two.others.mark[2:]}", False)):
                tab.path = path + query
                shown = (await tab.call(handler)).vars()
                assert bool(shown.get(f"{state}.rows")) is found, path
                assert shown[f"{state}.file_href"] == f"{path}.csv{query}"


async def test_papers_of_another_supplier_are_not_there(site: Site, two: Two):
    async with Tab(site.signed_in(two.sue), "/portal") as tab:
        for ident in (two.others.order, two.others.draft, two.mine.draft, 2**40, "x"):
            tab.path = f"/portal/orders/{ident}"
            shown = await tab.call(PortalOrderState.load)
            assert shown.vars().get("portal_order_state.order") is None
        form = {"order_id": two.others.order, "on": f"{now().date() + timedelta(days=5)}", "version": 1}
        refused = await tab.call(PortalOrderState.confirm, form=form)
        assert refused.said == ["There is no such order (any more). Reload the page."]


async def test_every_handler_is_open_or_shut_as_its_declaration_says_for_somebody_of_a_supplier(site: Site, two: Two):
    async with tabs_of(site.signed_in(two.sue)) as tabs:
        passed = await call_all(tabs)
    assert not disagreements(passed, {handler.name: may(handler, ("supplier",)) for handler in DECLARED})
    opened = {HANDLERS[name].short.partition(".")[0] for name, through in passed.items() if through}
    assert "inventory_state" not in opened
    assert {"portal_company_state", "security_state", "profile_state"} <= opened


async def test_honest_payloads_about_things_of_ours_change_nothing(site: Site, site_trail: Trail, two: Two):
    things = make_things(site)
    async with Tab(site.signed_in(two.sue)) as tab:
        for name, payload in EXAMPLES.items():
            await tab.call(name, **payload(things))
    done = {entry.name for entry in site_trail.operations(actor_name=two.sue.username, outcome="succeeded")}
    assert done <= {
        "accounts.update_profile", "accounts.update_own_email", "portal.propose_correction",
        "portal.withdraw_correction", "suppliers.apply_supplier",
    }  # fmt: skip


async def test_the_ids_of_others_in_every_field_of_every_open_handler(site: Site, site_trail: Trail, two: Two):
    """Generated from the registry: whatever takes a number gets those of the other supplier's papers."""
    ids = two.others.ids
    before = {entry.id for entry in site_trail.operations()}
    forms = [
        {"order_id": ids["order_id"], "on": f"{now().date() + timedelta(days=5)}", "version": 1},
        {"supplier_id": ids["supplier_id"], "email": "x@example.com"},
        {"user_id": 1, "reason": "x"},
        ids,
    ]
    opened = [handler for handler in DECLARED if may(handler, ("supplier",)) and not handler.declared.public]
    assert len(opened) > 20
    for first in range(0, len(opened), 4):
        # A tab and an address send only so much at once.
        async with Tab(site.signed_in(two.sue), f"/portal/orders/{ids['order_id']}") as tab:
            for handler in opened[first : first + 4]:
                for form in forms:
                    await tab.call(handler.name, form=form)
                for name, value in ids.items():
                    await tab.call(handler.name, **{name: value})
    changes = [
        change
        for entry in site_trail.operations(actor_name=two.sue.username)
        if entry.id not in before
        for change in site_trail.changes(entry.id)
    ]
    assert all(two.others.mark not in json.dumps([change.before, change.after]) for change in changes)


async def test_the_start_page_leads_to_the_portal_and_staff_pages_load_nothing(site: Site, two: Two):
    async with Tab(site.signed_in(two.sue), "/") as tab:
        assert (await tab.go("/")).redirects == ["/portal"]
        assert "home_state.waiting" not in (await tab.call(HomeState.load)).vars()
        assert (await tab.call(PaletteState.find, text="a")).is_refused
        for page in PAGES.values():
            if not page.public and page.permission != Permission.PORTAL_USE:
                await tab.go("/" + page.route.replace("[", "").replace("]", "").strip("/"))
    shown = Answer(tab.messages).vars()
    # No numbers of what waits for others, and no lists.
    assert all(not shown.get(f"auth_state.waiting_{name}") for name in ("suppliers", "others", "approvals", "people"))
    filled = {name for name, value in shown.items() if name.endswith((".rows", ".detail", ".waiting")) and value}
    assert not filled


def test_every_route_tells_nothing_and_takes_nothing(site: Site, site_trail: Trail, two: Two):
    visitor = site.signed_in(two.sue)
    known = routes(two)
    before = len(site_trail.changes("*"))
    answers = [answer for path, methods in known for answer in asked(visitor, path, methods)]
    assert len(answers) > 15
    for answer in answers:
        text = answer.text.casefold()
        assert two.others.mark not in text, answer.url
        assert OURS not in text, answer.url
    for name in _export_lists.EXPORTS:
        for suffix in ("csv", "xlsx"):
            answer = visitor.get(f"/export/{name}.{suffix}")
            assert answer.status_code in (303, 307, 403, 404), (name, answer.status_code)
    touched = {change.table for change in site_trail.changes("*")[before:]}
    assert touched <= {"auth_session"}


def routes(two: Two) -> list[tuple[str, set[str]]]:
    """Return every address the application answers besides pages, about the other supplier's things."""
    document = factories.document("supplier", two.others.supplier, f"{OURS}.txt", f"{OURS} agreed".encode())
    sha256 = factories.arrange(
        lambda session: session.scalar(sa.text("SELECT sha256 FROM document WHERE id = :id").bindparams(id=document))
    )
    filled = {"document_id": document, "sha256": sha256, "subject_type": "supplier", "name": "suppliers", "run": 1}
    known = filled | two.others.ids | {"subject_id": two.others.supplier, "user_id": 1}
    modules = [
        importlib.import_module(f"{http.__name__}.{module.name}") for module in pkgutil.iter_modules(http.__path__)
    ]
    found = []
    for route in (route for module in modules for route in getattr(module, "ROUTES", ())):
        path = route.path_format.format_map(
            {part: known.get(part, two.others.order) for part in route.param_convertors}
        )
        # Ending one's own session would make every later question one of a stranger.
        if path != "/auth/sign-out":
            found.append((path, route.methods or set()))
    return found


def asked(visitor: Visitor, path: str, methods: set[str]) -> list[httpx.Response]:
    answers = []
    if "GET" in methods:
        answers.append(visitor.get(path))
    if "POST" in methods:
        file = {"file": ("a.csv", b"name\nx\n", "text/csv")}
        answers += [visitor.post_form(path, {"kind": "document"}), visitor.post_form(path, {}, files=file)]
    return answers


async def test_what_happens_to_others_is_not_told(site: Site, two: Two):
    async with Tab(site.signed_in(two.sue), "/portal/orders") as tab:
        await tab.call(PortalOrdersState.load)
        seen = len(tab.messages)

        def change(session):
            session.get_one(PurchaseOrder, two.others.order).message = "changed"
            session.get_one(PurchaseOrder, two.mine.order).note = f"{OURS} again"
            session.get_one(Supplier, two.others.supplier).city = "Oslo"

        factories.arrange(change)
        boss = site.person("boss", "admin")
        async with Tab(site.signed_in(boss), "/admin/users") as bosses:
            # Once this has been told, what came before has been looked at as well.
            by(site.person("ada", "admin"), users.deactivate_user, user_id=boss.id)
            await told(bosses, "disabled")
        await tab.settle()
        kept = [one for one in tab.messages[seen:] if "settled=" not in json.dumps(one)]
    assert kept == []


async def test_access_that_ends_in_mid_session_empties_the_tab_at_once(site: Site, two: Two):
    async with Tab(site.signed_in(two.sue), "/portal/orders") as tab:
        assert (await tab.call(PortalOrdersState.load)).vars()["portal_orders_state.rows"]
        by(site.person("ada", "admin"), supplier_accounts.end_portal_access, user_id=two.sue.id, reason="Left them")
        await tab.until(lambda: Answer(tab.messages).vars().get("auth_state.signed_in") is False)
        await tab.settle()
        assert Answer(tab.messages).vars()["portal_orders_state.rows"] == []
        assert (await tab.call(PortalOrdersState.load)).is_refused
    # Whoever signs in again finds why, and nothing else.
    async with Tab(site.signed_in(two.sue), "/portal/orders") as again:
        shown = (await again.call(PortalOrdersState.load)).vars()
        assert shown["portal_orders_state.refused"].startswith("Your access to the portal has been ended")
        assert not shown.get("portal_orders_state.rows")
        assert not (await again.call(ProfileState.load)).is_refused


async def test_a_suspended_supplier_reads_and_does_nothing(site: Site, two: Two):
    async with Tab(site.signed_in(two.sue), f"/portal/orders/{two.mine.order}") as tab:

        def suspend(session):
            session.get_one(Supplier, two.mine.supplier).status = "suspended"

        factories.arrange(suspend)
        shown = (await tab.call(PortalOrderState.load)).vars()["portal_order_state.order"]
        assert "change nothing" in shown["why_not"]
        form = {"order_id": two.mine.order, "on": f"{now().date() + timedelta(days=5)}", "version": 1}
        assert "change nothing" in " ".join((await tab.call(PortalOrderState.confirm, form=form)).said)
        tab.path = "/portal"
        await tab.call(PortalCompanyState.load)
        await tab.call(PortalCompanyState.open_correction)
        assert Answer(tab.messages).vars().get("portal_company_state.correcting", False) is False
        refused = await tab.call(PortalCompanyState.propose, form={"email": "new@example.com"})
        assert "change nothing" in " ".join(refused.said)


async def test_promising_and_correcting_over_the_websocket(site: Site, site_trail: Trail, two: Two):
    day = now().date() + timedelta(days=9)
    async with Tab(site.signed_in(two.sue), f"/portal/orders/{two.mine.order}") as tab:
        await tab.call(PortalOrderState.load)
        bad = await tab.call(PortalOrderState.confirm, form={"order_id": two.mine.order, "on": "x", "version": 1})
        assert bad.errors() == {"on": "Enter a day."}
        form = {"order_id": two.mine.order, "on": f"{day}", "version": 1}
        assert "is promised for" in " ".join((await tab.call(PortalOrderState.confirm, form=form)).said)
        tab.path = "/portal"
        await tab.call(PortalCompanyState.load)
        await tab.call(PortalCompanyState.open_correction)
        assert Answer(tab.messages).vars()["portal_company_state.correcting"] is True
        await tab.call(PortalCompanyState.close, is_open=False)
        await tab.call(PortalCompanyState.propose, form={"email": f"new@{two.mine.mark}.com"})
        assert Answer(tab.messages).vars()["portal_company_state.company"]["own_proposal"] is True
        await tab.call(PortalCompanyState.withdraw)
        assert Answer(tab.messages).vars()["portal_company_state.company"]["waiting"] == []
    names = [entry.name for entry in site_trail.operations(actor_name=two.sue.username, outcome="succeeded")]
    assert [name for name in names if name.startswith("portal.")] == [
        "portal.confirm_delivery", "portal.propose_correction", "portal.withdraw_correction",
    ]  # fmt: skip


async def test_somebody_of_ours_without_a_supplier_is_told_so(site: Site):
    async with Tab(site.signed_in(site.person("ada", "admin")), "/portal") as tab:
        shown = (await tab.call(PortalCompanyState.load)).vars()
    assert "belongs to no supplier" in shown["portal_company_state.refused"]


def test_the_registry_is_the_one_that_is_tried():
    assert len(registered()) == len(HANDLERS)
