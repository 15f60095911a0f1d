"""The pages as Reflex draws them when it builds: without a database, and calling only what stands behind a door."""

import json
import re
from functools import cache

import pytest

from inventory_app.components.places import GROUPS
from inventory_app.pages._page import PAGES
from inventory_app.permissions import Permission
from inventory_app.states._guard import FRAMEWORK_EVENTS
from tests.fixtures.tab import event_name
from tests.states.handlers import registered

HANDLERS = registered()
_OPENS = re.compile(r"onOpenChange:(.{0,400})")
_EVENT = re.compile(r'ReflexEvent\("([\w.]+)"')


@cache
def drawn(route):
    """What is drawn, and what the page's forms send: its own settings name no database (`pytest_configure`)."""
    component = PAGES[route].render()
    return json.dumps(component.render(), default=str, ensure_ascii=False), "\n".join(component._get_all_hooks())


def called(route):
    """The handlers that the page's buttons, fields and forms name."""
    shown, hooks = drawn(route)
    return set(_EVENT.findall(shown.replace('\\"', '"') + hooks))


@pytest.mark.parametrize("route", sorted(PAGES))
def test_a_page_calls_only_handlers_behind_a_door(route):
    names = called(route) | {event_name(handler) for handler in PAGES[route].on_load}
    browser_only = {name for name in names if name.startswith("_")}
    undeclared = names - browser_only - set(FRAMEWORK_EVENTS)
    assert [name for name in undeclared if name not in HANDLERS or not HANDLERS[name].declared] == []


@pytest.mark.parametrize("route", sorted(PAGES))
def test_a_page_closes_whatever_dialog_was_left_open_when_somebody_arrives(route):
    component = PAGES[route].render()
    shown = json.dumps(component.render(), default=str, ensure_ascii=False).replace('\\"', '"')
    closing = {name for opens in _OPENS.findall(shown) for name in _EVENT.findall(opens)}
    mounted = {name for hook in component._get_all_hooks() if "useEffect" in hook for name in _EVENT.findall(hook)}
    assert closing <= mounted
    assert closing or "onOpenChange" not in shown.replace("MenuRoot", "")


def test_what_a_page_needs_to_load_is_open_to_whoever_may_see_it():
    for page in PAGES.values():
        for handler in page.on_load:
            declared = HANDLERS[event_name(handler)].declared
            assert declared
            assert declared.public or declared.permission in (None, page.permission), (page.route, handler)


@pytest.mark.parametrize(
    ("route", "handlers"),
    [
        ("/inventory", {"create_inventory_item", "submit_transfer", "adjust_inventory", "save_counts"}),
        ("/products", {"create_product"}),
        ("/products/[product]", {"update_product", "archive_product", "restore_product"}),
        ("/suppliers/approvals", {"decide", "create_supplier"}),
        ("/admin/users", {"set_roles", "deactivate_user", "enable_user"}),
        ("/audit", {"search", "search_dates"}),
        ("/apply", {"apply_supplier"}),
        ("/register", {"register"}),
    ],
)
def test_a_page_offers_what_it_is_for(route, handlers):
    assert handlers <= {name.rpartition(".")[2] for name in called(route)}


def test_a_page_for_some_says_to_the_others_which_permission_it_needs():
    for page in PAGES.values():
        if page.permission is not None:
            assert isinstance(page.permission, Permission)
            assert page.permission.value in drawn(page.route)[0], page.route


#: The address of the entry that a page is reached by, where that is not the page's own.
UNDER = {
    "/payments/[payment]": "/payments",
    "/payments/batches/[batch]": "/payments",
    "/receipts/[receipt]": "/receipts",
    "/orders/[order]": "/orders",
    "/orders/[order]/edit": "/orders",
    "/orders/new": "/orders",
    "/orders/[order]/receive": "/receive",
    "/invoices/[invoice]": "/invoices",
    "/invoices/new": "/invoices",
    "/suppliers/[supplier]": "/suppliers",
    "/portal/orders/[order]": "/portal/orders",
    "/admin/explain": "/admin/roles",
}
_OPEN = re.compile(r'"aria-current":"page"[^\]]*?to:"([^"]+)"')


@pytest.mark.parametrize("route", sorted({*UNDER, *(place.href for _, places in GROUPS for place in places)}))
def test_the_navigation_shows_exactly_one_entry_as_open_in_each_of_its_forms(route):
    """The side bar and, on the phone, the tabs or what is under More."""
    shown = drawn(route)[0].replace('\\"', '"')
    found = _OPEN.findall(shown)
    # Twice as often where either of two permissions shows the way.
    assert (set(found), len(found) in (2, 4)) == ({UNDER.get(route, route)}, True)


@pytest.mark.parametrize("route", sorted(route for route, page in PAGES.items() if not page.public))
def test_every_page_is_the_page_of_a_place(route):
    assert _OPEN.findall(drawn(route)[0].replace('\\"', '"'))
