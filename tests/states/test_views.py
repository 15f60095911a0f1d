"""Kept views in a tab: each is a link, and what is not one's own cannot be reached, whatever number is sent."""

import secrets
from typing import Any

import pytest
from sqlmodel import col, select

from inventory_app.models.lists import SavedView
from inventory_app.states.inventory import InventoryState
from tests import factories
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Answer, Tab

OF = "inventory_state."


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def sku() -> str:
    """Put a product of its own on the shelf; returns what the search finds it by."""
    mark = f"VIEW-{secrets.token_hex(4)}".upper()
    factories.item(factories.product(mark).id, quantity=3)
    return mark


def view_of(name: str) -> SavedView:
    """Return a view as it is kept."""
    found = select(SavedView).where(col(SavedView.name) == name)
    return SavedView.model_validate(factories.arrange(lambda s: s.scalars(found).one().model_dump()))


async def keep(tab: Tab, name: str, **more: Any) -> Answer:
    await tab.call(InventoryState.load)
    return await tab.call(InventoryState.save_view, form={"name": name} | more)


async def shown(site: Site, who: Person, address: str) -> dict[str, Any]:
    """Open an address in a tab of its own; returns what it shows of the list."""
    async with Tab(site.signed_in(who), address) as tab:
        await tab.call(InventoryState.load)
        return Answer(tab.messages).vars()


async def test_a_view_is_kept_and_is_a_link_that_says_everything(site: Site, ann: Person, sku: str):
    name = f"Mine {sku}"
    async with Tab(site.signed_in(ann), f"/inventory?q={sku}&on_hand=1..9&sort=on_hand&dir=desc") as tab:
        kept = await keep(tab, name)
    assert kept.said == [f"Saved the view “{name}”"]
    (link,) = [one for one in kept.vars()[OF + "view_links"] if one["name"] == name]
    assert f"q={sku}" in link["href"]
    assert "sort=on_hand" in link["href"]
    there = await shown(site, ann, link["href"])
    assert [row["sku"] for row in there[OF + "rows"]] == [sku]
    assert (there[OF + "view_name"], there[OF + "view_edited"], there[OF + "view_new"]) == (name, False, False)
    changed = await shown(site, ann, f"/inventory?q={sku}&saved={link['id']}")
    assert (changed[OF + "view_name"], changed[OF + "view_edited"], changed[OF + "view_new"]) == (name, True, True)
    # The same without the number: it is known by what it asks for.
    alike = await shown(site, ann, f"/inventory?q={sku}&on_hand=1..9&sort=on_hand&dir=desc")
    assert alike[OF + "view_name"] == name


async def test_it_is_overwritten_renamed_and_removed_and_all_of_it_is_on_record(
    site: Site, site_trail: Trail, ann: Person, sku: str
):
    async with Tab(site.signed_in(ann), f"/inventory?q={sku}") as tab:
        await keep(tab, f"First {sku}")
    kept = view_of(f"First {sku}")
    async with Tab(site.signed_in(ann), f"/inventory?q={sku}&sort=on_hand&saved={kept.id}") as tab:
        await tab.call(InventoryState.load)
        assert (await tab.call(InventoryState.overwrite_view)).said == [f"Saved the changes to “First {sku}”"]
        renamed = await tab.call(InventoryState.rename_view, form={"name": f"Second {sku}"})
        assert renamed.vars()[OF + "view_name"] == f"Second {sku}"
        now = view_of(f"Second {sku}")
        assert (now.id, now.version, now.view) == (kept.id, 3, {"q": sku, "sort": "on_hand"})
        assert (await tab.call(InventoryState.remove_view)).said == [f"Removed the view “Second {sku}”"]
    gone = view_of(f"Second {sku}")
    assert gone.removed_at
    done = [one.name for one in site_trail.operations(actor_name=ann.username)]
    assert [name for name in done if name.startswith("views.")] == [
        "views.save_view",
        "views.overwrite_view",
        "views.rename_view",
        "views.remove_view",
    ]


async def test_a_name_is_needed_and_taken_once(site: Site, ann: Person, sku: str):
    async with Tab(site.signed_in(ann), f"/inventory?q={sku}") as tab:
        assert (await keep(tab, " ")).errors()["name"] == "Please fill this in."
        await keep(tab, f"Once {sku}")
        assert (await keep(tab, f"ONCE {sku}")).errors()["name"] == "You have a view of this name here."


async def test_a_private_view_of_somebody_else_is_not_there(site: Site, ann: Person, sku: str):
    async with Tab(site.signed_in(ann), f"/inventory?q={sku}") as tab:
        await keep(tab, f"Private {sku}")
    kept, mallory = view_of(f"Private {sku}"), site.person("mallory", "admin")
    async with Tab(site.signed_in(mallory), f"/inventory?saved={kept.id}") as tab:
        loaded = await tab.call(InventoryState.load)
        assert f"Private {sku}" not in tab.text
        assert loaded.vars()[OF + "view_id"] == 0
        for handler, payload in (
            (InventoryState.overwrite_view, {}),
            (InventoryState.rename_view, {"form": {"name": "Mine now"}}),
            (InventoryState.share_view, {"shared": True}),
            (InventoryState.remove_view, {}),
            (InventoryState.begin_with_view, {"default": True}),
        ):
            assert (await tab.call(handler, **payload)).said == ["Choose the view first."]
    left = view_of(f"Private {sku}")
    assert (left.version, left.removed_at) == (1, None)


async def test_a_shared_view_shows_its_reader_only_what_they_may_see(site: Site, ann: Person, sku: str):
    columns = "sku,product,location,on_hand,value,changed"
    async with Tab(
        site.signed_in(ann), f"/inventory?q={sku}&value=1..900000&sort=value&dir=desc&columns={columns}"
    ) as tab:
        await keep(tab, f"Shared {sku}", shared=True)
    bob = site.person("bob", "employee")
    there = await shown(site, bob, "/inventory")
    (link,) = [one for one in there[OF + "view_links"] if one["name"] == f"Shared {sku}"]
    assert link["by"] == ann.name
    assert "value" not in link["href"]
    assert "900000" not in str(there)
    seen = await shown(site, bob, link["href"])
    assert seen[OF + "view_mine"] is False
    assert seen[OF + "view_edited"] is False
    assert "value" not in seen[OF + "columns"]
    async with Tab(site.signed_in(bob), link["href"]) as tab:
        await tab.call(InventoryState.load)
        for handler, payload in (
            (InventoryState.overwrite_view, {}),
            (InventoryState.rename_view, {"form": {"name": "Mine now"}}),
            (InventoryState.share_view, {"shared": False}),
            (InventoryState.remove_view, {}),
        ):
            (said,) = (await tab.call(handler, **payload)).said
            assert said.startswith("Only whoever has saved this view can change it.")
    async with Tab(site.signed_in(ann), link["href"]) as tab:
        await tab.call(InventoryState.load)
        await tab.call(InventoryState.share_view, shared=False)
    assert f"Shared {sku}" not in str(await shown(site, bob, "/inventory"))


async def test_a_list_begins_with_the_view_that_was_chosen_and_can_be_seen_without_it(
    site: Site, ann: Person, sku: str
):
    async with Tab(site.signed_in(ann), f"/inventory?q={sku}") as tab:
        await keep(tab, f"Start {sku}", default=True)
    begun = await shown(site, ann, "/inventory")
    assert [row["sku"] for row in begun[OF + "rows"]] == [sku]
    assert (begun[OF + "view_name"], begun[OF + "view_default"]) == (f"Start {sku}", True)
    everything = begun[OF + "hrefs"]["view="]
    assert everything == "/inventory?saved=0"
    assert (await shown(site, ann, everything))[OF + "q"] == ""
    # Whoever asks for something gets that, and nobody else begins with it.
    assert (await shown(site, ann, "/inventory?on_hand=1.."))[OF + "q"] == ""
    assert (await shown(site, site.person("bob", "manager"), "/inventory"))[OF + "q"] == ""
    async with Tab(site.signed_in(ann), "/inventory") as tab:
        await tab.call(InventoryState.load)
        await tab.call(InventoryState.begin_with_view, default=False)
    assert (await shown(site, ann, "/inventory"))[OF + "q"] == ""
