"""No message to a browser holds costs its person may not see: every page, every handler, the trail too."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.operations import stock
from inventory_app.pages._page import PAGES
from inventory_app.permissions import DEFAULT_ROLES, Permission
from inventory_app.unit_of_work import transact
from tests import factories
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Tab
from tests.operations.test_costs_stay import COST, FOUND, PRICE, QUANTITY, tells
from tests.states.handlers import EXAMPLES, make_things, registered

#: Importing the pages has registered them.
ROUTES = sorted(PAGES) if registered() else []


def plant(site: Site) -> tuple[Person, dict[str, int]]:
    """Put something into stock that costs what nothing else does, and let somebody count it."""
    keeper = site.person("keeper", "admin")
    acme = factories.supplier(f"Acme {keeper.username}")
    sku = f"CANARY-{keeper.username[-6:]}".upper()
    product = factories.product(sku, unit_cost=COST, unit_price=PRICE, supplier_id=acme.id)
    item = factories.item(product.id, quantity=QUANTITY)
    with acting_as(keeper.actor):
        transact(stock.adjust_inventory, item_id=item.id, quantity=Decimal(FOUND), reason_code="found")
    return keeper, {"supplier": acme.id or 0, "product": product.id or 0}


def addresses(things: dict[str, int], person: int, operations: list[str]) -> list[str]:
    """Return an address of every page, those about one record with a record that has to do with what was planted."""
    known = {"[supplier]": things["supplier"], "[person]": person, "[role]": 1}
    found = [f"/audit/{operation}" for operation in operations]
    found += [
        "/inventory?sort=value",
        f"/audit?q=record:product/{things['product']}",
        "/inventory?view=reorder",
        "/inventory?value=1..&columns=unit_cost,value",
    ]
    for route in ROUTES:
        parts = route.split("/")
        if "/audit/[" not in route and route.startswith("/"):
            found.append("/".join(str(known.get(part, 1)) if part.startswith("[") else part for part in parts))
    return found


async def seen_by(site: Site, trail: Trail, who: Person) -> tuple[str, str]:
    """Return everything that is sent to a person who opens every page and calls every handler."""
    keeper, things = plant(site)
    operations = [str(one.id) for one in trail.operations(actor_name=keeper.username)]
    operations += [str(one.id) for one in trail.operations(name="tests.arrange")[-5:]]
    honest = make_things(site)
    visitor = site.signed_in(who)
    async with Tab(visitor) as tab:
        for address in addresses(things, keeper.id, operations):
            await tab.go(address)
        pages = tab.text
    async with Tab(visitor) as tab:
        for name, payload in EXAMPLES.items():
            await tab.call(name, **payload(honest))
        return pages, pages + tab.text


@pytest.mark.parametrize("name", ["admin", "auditor", "employee"])
async def test_nothing_that_is_sent_holds_them_without_the_permission(site: Site, site_trail: Trail, name: str):
    role = f"without-{name}-{site.port}"
    held = DEFAULT_ROLES[name][1] - {Permission.PRICES_VIEW}
    factories.role(role, *held)
    if Permission.USERS_VIEW in held:
        site.see_people.add(role)
    pages, everything = await seen_by(site, site_trail, site.person("wanda", role))
    assert tells(everything) == []
    assert ("CANARY" in pages) == (Permission.INVENTORY_VIEW in held), "what they may see of it is there"


async def test_whoever_may_see_them_is_sent_them(site: Site, site_trail: Trail):
    pages, _ = await seen_by(site, site_trail, site.person("paula", "admin"))
    assert {str(int(COST)), str(int(COST * FOUND))} <= set(tells(pages))
