"""Receiving, issuing, sending, reserving and taking back in a tab: what the dialogs show, send and say."""

import re
import secrets
from typing import Any

import pytest

from inventory_app.models._base import now
from inventory_app.operations import reversals
from inventory_app.states.inventory import InventoryState
from inventory_app.states.periods import PeriodsState
from inventory_app.states.reasons import ReasonsState
from inventory_app.states.shipments import ShipmentsState
from inventory_app.states.stock_entries import StockEntryState
from inventory_app.states.take_back import TakeBackState
from tests import factories
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Site
from tests.fixtures.tab import Answer, Tab

UNDO = re.compile(r'dataset\.operation = \\*"([0-9a-f-]{36})')


@pytest.fixture
def kept(site: Site) -> tuple[str, int, int]:
    """Put twelve pieces of a product of its own at a place; returns its name, the item and another place."""
    sku = f"ENT-{secrets.token_hex(5)}".upper()
    made = factories.product(sku, name=f"Widget {sku}")
    here = factories.location(f"{sku}-N", name=f"{sku} north").id or 0
    there = factories.location(f"{sku}-S", name=f"{sku} south").id or 0
    return f"Widget {sku}", factories.item(made.id, here, 12).id or 0, there


@pytest.fixture
def visitor(site: Site) -> Any:
    return site.signed_in(site.person("ann", "manager"))


def shown(answer: Answer, name: str) -> Any:
    return answer.vars().get(f"stock_entry_state.{name}")


def side(answer: Answer) -> tuple[str, str, str]:
    here = shown(answer, "here")
    return here["now"], here["change"], here["then"]


async def test_what_comes_in_can_be_more_than_there_is(visitor, kept):
    name, item, _ = kept
    async with Tab(visitor, "/inventory") as tab:
        opened = await tab.call(StockEntryState.open_receive, item_id=item)
        assert shown(opened, "dialog") == "receive"
        assert ["delivered", "Delivered"] in shown(opened, "reasons")["receive"]
        assert side(await tab.call(StockEntryState.preview, text="30")) == ("12 pcs", "+30", "42 pcs")
        form = {"item_id": item, "quantity": "30", "unit_cost": "1.5", "reason_code": "delivered", "expires_on": ""}
        done = await tab.call(StockEntryState.receive_inventory, form=form | {"lot_code": "", "occurred_on": ""})
        assert done.said[0].startswith(f"{name} at ")
        assert done.said[0].endswith(": 12 pcs → 42 pcs")


async def test_a_product_is_received_where_it_was_not_kept(visitor, kept):
    name, _, there = kept
    sku = name.removeprefix("Widget ")
    async with Tab(visitor, "/inventory") as tab:
        opened = await tab.call(StockEntryState.open_receive_product)
        assert "Main warehouse" in dict(shown(opened, "locations")).values()
        form = {"sku": sku.lower(), "location_id": there, "quantity": "5", "reason_code": "delivered"}
        unknown = await tab.call(StockEntryState.receive_product, form=form | {"sku": f"no-{sku}"})
        assert unknown.errors() == {"sku": "No product has this SKU. Add it as a new item."}
        done = await tab.call(StockEntryState.receive_product, form=form)
        assert done.said[0].endswith(": 0 pcs → 5 pcs")


async def test_what_goes_out_is_what_is_available(visitor, kept):
    name, item, _ = kept
    async with Tab(visitor, "/inventory") as tab:
        await tab.call(StockEntryState.open_reserve, item_id=item)
        day = now().date().replace(year=now().year + 1).isoformat()
        assert (await tab.call(StockEntryState.reserve, form={"item_id": item, "quantity": "5"})).errors() == {
            "until": "Enter a day."
        }
        bad = await tab.call(StockEntryState.reserve, form={"item_id": item, "quantity": "5", "until": "soon"})
        assert bad.errors() == {"until": "Enter a day."}
        kept_back = await tab.call(StockEntryState.reserve, form={"item_id": item, "quantity": "5", "until": day})
        assert kept_back.said[0].startswith(f"Reserved 5 pcs {name} at ")
        opened = await tab.call(StockEntryState.open_issue, item_id=item)
        assert shown(opened, "available") == "7 pcs"
        assert side(await tab.call(StockEntryState.preview, text="7")) == ("12 pcs", "−7", "5 pcs")
        typed = await tab.call(StockEntryState.preview, text="8")
        assert side(typed) == ("12 pcs", "−8", "not possible")
        form = {"item_id": item, "quantity": "8", "reason_code": "sold", "occurred_on": "2020-01-01"}
        sent = await tab.call(StockEntryState.issue_inventory, form=form)
        assert sent.errors()["quantity"] == typed.errors()["quantity"]
        (row,) = shown(await tab.call(StockEntryState.open_reserve, item_id=item), "kept_back")
        released = await tab.call(StockEntryState.release, reservation_id=row["id"])
        assert released.said == [f"Released 5 pcs of {name}"]
        done = await tab.call(StockEntryState.issue_inventory, form=form)
        assert done.said[0].endswith(": 12 pcs → 4 pcs")


async def test_the_day_of_an_issue_is_noon_and_today_is_now(visitor, kept, site_trail: Trail):
    _, item, _ = kept
    async with Tab(visitor, "/inventory") as tab:
        form = {"item_id": item, "quantity": "1", "reason_code": "sold"}
        await tab.call(StockEntryState.issue_inventory, form=form | {"occurred_on": "2020-01-01"})
        await tab.call(StockEntryState.issue_inventory, form=form | {"occurred_on": now().date().isoformat()})
        wrong = await tab.call(StockEntryState.issue_inventory, form=form | {"occurred_on": "yesterday"})
        assert wrong.errors() == {"occurred_on": "Enter a day."}
    found = site_trail.connection.execute(
        "SELECT occurred_at, recorded_at FROM stock_movement WHERE item_id = %s ORDER BY sequence", [item]
    ).fetchall()
    (_, earlier, today) = [at.isoformat()[:13] for at, _ in found]
    assert earlier == "2020-01-01T12"
    assert abs((found[2][0] - found[2][1]).total_seconds()) < 60
    assert today[:10] == now().date().isoformat()


async def test_a_toast_takes_back_what_it_tells_of(visitor, kept):
    name, item, there = kept
    async with Tab(visitor, "/inventory") as tab:
        form = {"from_item_id": item, "to_location_id": there, "quantity": "4", "reason_code": "relocated"}
        moved = await tab.call(InventoryState.submit_transfer, form=form)
        (operation_id,) = UNDO.findall(moved.text)
        first, again = [await tab.call(TakeBackState.undo, operation_id=operation_id) for _ in range(2)]
        assert first.said == again.said == [f"Took back 4 pcs {name} and 1 more"]
        opened = await tab.call(StockEntryState.open_issue, item_id=item)
        assert shown(opened, "item")["on_hand"] == "12"


async def test_who_may_not_take_back_is_offered_no_undo(site, kept):
    _, item, _ = kept
    async with Tab(site.signed_in(site.person("eve", "employee")), "/inventory") as tab:
        form = {"item_id": item, "quantity": "1", "reason_code": "sold"}
        done = await tab.call(StockEntryState.issue_inventory, form=form)
        assert len(done.said) == 1
        assert not UNDO.findall(done.text)


async def test_a_movement_is_taken_back_once_and_the_dialog_says_why_not_again(visitor, kept, site_trail: Trail):
    name, item, _ = kept
    async with Tab(visitor, "/inventory") as tab:
        await tab.call(StockEntryState.issue_inventory, form={"item_id": item, "quantity": "3", "reason_code": "sold"})
        (movement,) = site_trail.connection.execute(
            "SELECT max(id) FROM stock_movement WHERE item_id = %s", [item]
        ).fetchone() or (0,)
        opened = (await tab.call(TakeBackState.open_take_back, movement_id=movement)).vars()
        assert opened["take_back_state.about"].startswith(f"Issue: −3 pcs {name} at ")
        assert opened["take_back_state.reasons"] == [["correction", "Correct a mistake"]]
        form = {"movement_id": movement, "reason_code": "correction", "note": "twice"}
        done = await tab.call(TakeBackState.take_back, form=form)
        assert done.said == [f"Took back 3 pcs {name}"]
        again = (await tab.call(TakeBackState.open_take_back, movement_id=movement)).vars()
        assert again["take_back_state.why_not"].startswith(f"This was taken back already, by {visitor.username} on ")
        gone = await tab.call(TakeBackState.open_take_back, movement_id=2**60)
        assert gone.said == [reversals.GONE]


async def test_a_product_is_revalued_where_its_stock_is(visitor, kept):
    name, item, _ = kept
    async with Tab(visitor, "/inventory") as tab:
        worth = shown(await tab.call(StockEntryState.open_revalue, item_id=item), "worth")
        assert (worth["product"], worth["in_stock"], worth["unit_cost"], worth["value"]) == (
            name,
            "12 pcs",
            "0",
            "0.00 USD",
        )
        form = {"product_id": worth["product_id"], "unit_cost": "2.5", "note": ""}
        refused = await tab.call(StockEntryState.revalue_product, form=form)
        assert refused.errors() == {"note": "Say why it is worth something else."}
        done = await tab.call(StockEntryState.revalue_product, form=form | {"note": "market price"})
        assert done.said == [f"{name} is worth 30.00 USD, was 0.00 USD"]
        gone = await tab.call(StockEntryState.open_revalue, item_id=2**60)
        assert gone.said == ["This item does not exist (any more). Reload the page."]


async def test_a_shipment_is_sent_and_accepted(visitor, kept):
    name, item, there = kept
    async with Tab(visitor, "/shipments") as tab:
        await tab.call(StockEntryState.open_send, item_id=item)
        form = {"from_item_id": item, "to_location_id": there, "quantity": "4"}
        sent = await tab.call(StockEntryState.send_shipment, form=form)
        assert sent.said[0].startswith(f"4 pcs {name} are on their way to ")
        loaded = (await tab.call(ShipmentsState.load)).vars()
        (row,) = [row for row in loaded["shipments_state.rows"] if row["product"] == name]
        opened = (await tab.call(ShipmentsState.open_accept, shipment_id=row["id"])).vars()
        assert opened["shipments_state.row"]["asked"] == "4"
        form = {"shipment_id": row["id"], "accepted": "9"}
        refused = await tab.call(ShipmentsState.accept_shipment, form=form)
        assert refused.errors() == {"accepted": "4 pcs were sent. Enter how many of them arrived."}
        done = await tab.call(ShipmentsState.accept_shipment, form=form | {"accepted": "3"})
        assert done.said[0].startswith(f"3 pcs {name} arrived at ")
        assert done.said[0].endswith("; 1 pcs were lost on the way")


async def test_reasons_are_kept_in_their_settings(site):
    async with Tab(site.signed_in(site.person("ada", "admin")), "/settings/reasons") as tab:
        name = f"Gift {secrets.token_hex(4)}"
        await tab.call(ReasonsState.open_add)
        nothing = await tab.call(ReasonsState.add_reason, form={"label": ""})
        assert nothing.errors().keys() == {"label", "uses"}
        added = await tab.call(ReasonsState.add_reason, form={"label": name, "use:issue": "on", "use:adjust": "on"})
        assert added.said == [f"Added “{name}”"]
        rows = (await tab.call(ReasonsState.load)).vars()["reasons_state.rows"]
        (row,) = [row for row in rows if row["label"] == name]
        assert row["given_for"] == "Issues, Adjustments"
        ticked = (await tab.call(ReasonsState.open_change, code=row["code"])).vars()["reasons_state.uses"]
        assert [use["label"] for use in ticked if use["ticked"]] == ["Issues", "Adjustments"]
        off = await tab.call(ReasonsState.switch_reason, code=row["code"], active=False)
        assert off.said == [f"“{name}” is no longer offered"]


async def test_a_period_is_closed_and_opened_again(site):
    async with Tab(site.signed_in(site.person("carl", "accountant")), "/settings/periods") as tab:
        assert (await tab.call(PeriodsState.close_period, form={})).errors() == {"closed_through": "Enter a day."}
        # Later than the days the other tests close.
        closed = await tab.call(PeriodsState.close_period, form={"closed_through": "2015-03-31", "note": "Q1"})
        assert closed.said == ["The books are closed up to 31 Mar 2015"]
        rows = (await tab.call(PeriodsState.load)).vars()["periods_state.rows"]
        (row,) = [row for row in rows if row["last"]]
        await tab.call(PeriodsState.open_reopen, period_id=row["id"])
        form = {"period_id": row["id"], "reason": ""}
        refused = await tab.call(PeriodsState.reopen_period, form=form)
        assert refused.errors() == {"reason": "Say why it is opened again."}
        done = await tab.call(PeriodsState.reopen_period, form=form | {"reason": "a late invoice"})
        assert done.said == ["Opened the period up to 31 Mar 2015 again"]
