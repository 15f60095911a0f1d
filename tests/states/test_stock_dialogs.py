"""The dialogs of the stock list in a tab: what they show while one types, and what they say is wrong, where."""

import secrets
from typing import Any

import pytest

from inventory_app.states.inventory import InventoryState
from tests import factories
from tests.fixtures.server import Site
from tests.fixtures.tab import Answer, Tab


@pytest.fixture
def kept(site: Site) -> tuple[str, int, int, int]:
    """Put twelve pieces of a product at one of two places; returns its SKU, the item, a place without, and another."""
    sku = f"DLG-{secrets.token_hex(5)}".upper()
    made = factories.product(sku, name=f"Widget {sku}")
    here = factories.location(f"{sku}-N", name=f"{sku} north").id or 0
    there = factories.location(f"{sku}-S", name=f"{sku} south").id or 0
    other = factories.item(factories.product(f"{sku}-2", name=f"Widget {sku} 2").id, here, 5)
    return sku, factories.item(made.id, here, 12).id or 0, there, other.id or 0


@pytest.fixture
def visitor(site: Site) -> Any:
    return site.signed_in(site.person("ann", "manager"))


def var(answer: Answer, name: str) -> Any:
    return answer.vars().get(f"inventory_state.{name}")


def side(answer: Answer, name: str) -> tuple[str, str, str]:
    shown = var(answer, name)
    return shown["now"], shown["change"], shown["then"]


async def test_a_transfer_shows_both_sides_before_and_after_while_one_types(visitor, kept):
    sku, item, there, _ = kept
    async with Tab(visitor, f"/inventory?q={sku}") as tab:
        await tab.call(InventoryState.load)
        opened = await tab.call(InventoryState.open_transfer, item_id=item)
        assert side(opened, "here") == ("12 pcs", "", "")
        chosen = await tab.call(InventoryState.preview_target, location_id=str(there))
        assert side(chosen, "there") == ("0 pcs", "", "")
        typed = await tab.call(InventoryState.preview, text="3")
        assert side(typed, "here") == ("12 pcs", "−3", "9 pcs")
        assert side(typed, "there") == ("0 pcs", "+3", "3 pcs")
        assert var(typed, "asked") == "3 pcs"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("13", "Only 12 pcs of Widget"),
        ("0", "Enter more than 0."),
        ("-1", "Enter more than 0."),
        ("0.5", "pcs are counted with whole numbers only."),
        ("1e2", "Enter a number such as 12 or 12.5."),
        ("1,000", "1,000 can mean two numbers. Write 1000 or 1.000."),
        ("1 000", "Leave out what separates the thousands"),
        ("9" * 19, "This number is too large."),
    ],
)
async def test_what_cannot_be_moved_is_said_beside_the_field_as_soon_as_it_is_typed(visitor, kept, text, sentence):
    sku, item, there, _ = kept
    async with Tab(visitor, f"/inventory?q={sku}") as tab:
        await tab.call(InventoryState.open_transfer, item_id=item)
        await tab.call(InventoryState.preview_target, location_id=str(there))
        typed = await tab.call(InventoryState.preview, text=text)
        assert typed.errors()["quantity"].startswith(sentence)
        # It says the same when it is sent all the same.
        form = {"from_item_id": item, "to_location_id": there, "quantity": text, "reason_code": "relocated"}
        sent = await tab.call(InventoryState.submit_transfer, form=form)
        assert sent.errors()["quantity"].startswith(sentence)
        better = await tab.call(InventoryState.preview, text="2")
        assert better.errors() == {}
        emptied = await tab.call(InventoryState.preview, text="")
        assert side(emptied, "here") == ("12 pcs", "", "")


async def test_an_adjustment_shows_what_would_be_left(visitor, kept):
    sku, item, *_ = kept
    async with Tab(visitor, f"/inventory?q={sku}") as tab:
        await tab.call(InventoryState.open_adjust, item_id=item)
        assert side(await tab.call(InventoryState.preview, text="-5"), "here") == ("12 pcs", "−5", "7 pcs")
        assert side(await tab.call(InventoryState.preview, text="+5"), "here") == ("12 pcs", "+5", "17 pcs")
        wrong = await tab.call(InventoryState.preview, text="-13")
        assert side(wrong, "here") == ("12 pcs", "−13", "not possible")
        assert wrong.errors()["quantity"].startswith("Only 12 pcs")
        nothing = await tab.call(InventoryState.preview, text="0")
        assert nothing.errors()["quantity"].startswith("Enter how much to add")


@pytest.mark.parametrize("reason", ["", "because", ["found"], None])
async def test_a_reason_must_be_chosen(visitor, kept, reason):
    sku, item, there, _ = kept
    async with Tab(visitor, f"/inventory?q={sku}") as tab:
        moved = {"from_item_id": item, "to_location_id": there, "quantity": "1", "reason_code": reason}
        assert (await tab.call(InventoryState.submit_transfer, form=moved)).errors() == {"reason_code": REASON}
        adjusted = {"item_id": item, "quantity": "1", "reason_code": reason}
        assert (await tab.call(InventoryState.adjust_inventory, form=adjusted)).errors() == {"reason_code": REASON}


REASON = "Choose a reason."


async def count(tab: Tab, **form: str) -> Answer:
    return await tab.call(InventoryState.save_counts, form=form)


async def test_a_count_is_entered_and_a_row_left_empty_is_left_out(visitor, kept):
    sku, item, _, other = kept
    async with Tab(visitor, f"/inventory?q={sku}") as tab:
        await tab.call(InventoryState.load)
        await tab.call(InventoryState.select_all)
        await tab.call(InventoryState.open_bulk)
        empty = {f"q_{item}": "", f"r_{item}": "12", f"q_{other}": " ", f"r_{other}": "5"}
        refused = await count(tab, **empty, reason_code="")
        assert refused.errors() == {
            "counts": "Nothing is counted yet: enter what is there in at least one row.",
            "reason_code": REASON,
        }
        assert refused.toasts == []
        done = await count(tab, **(empty | {f"q_{item}": "11"}), reason_code="counted")
        assert done.said == ["Updated 1 of 1 items"]
        rows = {
            row["id"]: row["on_hand"] for row in var(done, "rows") or var(await tab.call(InventoryState.load), "rows")
        }
        assert rows == {item: "11", other: "5"}


async def test_every_bad_row_of_a_count_has_its_own_sentence(visitor, kept, site: Site):
    sku, item, _, other = kept
    async with Tab(visitor, f"/inventory?q={sku}") as tab:
        await tab.call(InventoryState.load)
        await tab.call(InventoryState.select_all)
        await tab.call(InventoryState.open_bulk)
        await tab.call(
            InventoryState.adjust_inventory, form={"item_id": other, "quantity": "2", "reason_code": "found"}
        )
        sent = {f"q_{item}": "1e2", f"r_{item}": "12", f"q_{other}": "6", f"r_{other}": "5", "reason_code": "counted"}
        refused = await count(tab, **sent)
        assert refused.errors() == {
            "counts": "2 of 2 rows cannot be saved, so none was.",
            f"q_{item}": "Enter a number such as 12 or 12.5.",
            f"q_{other}": f"Widget {sku} 2 changed from 5 to 7 ({visitor.username}) since you looked.",
        }
        assert refused.toasts == []
        # What stands beside the field is what the next try is compared with.
        assert {row["id"]: row["read_quantity"] for row in var(refused, "picked")} == {item: "12", other: "7"}


async def test_a_wrong_argument_by_itself_is_named(visitor, kept):
    _, item, _, other = kept
    async with Tab(visitor, "/inventory") as tab:
        answer = await tab.call(
            InventoryState.transfer_inventory, from_item_id=item, to_item_id=other, quantity="\u0663"
        )
        assert answer.errors() == {"quantity": "Enter a number such as 12 or 12.5."}
        answer = await tab.call(InventoryState.open_adjust, item_id="x")
        assert answer.errors() == {"item_id": "Enter a whole number."}
