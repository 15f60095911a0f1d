"""Refused events in the trail: each under its own name and person, counted by the minute; a flood is slowed down."""

from collections.abc import Callable
from dataclasses import replace

from inventory_app.context import Actor
from inventory_app.paths import SUPERUSER_ROLE
from inventory_app.states.inventory import InventoryState
from inventory_app.states.trail import TrailState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import _Refused
from tests.fixtures.database import reached_by_the_application
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Site, fresh_address
from tests.fixtures.tab import ROOT, Tab

_RATE = 30
_FLOOD = 200


def denied(trail: Trail, address: str) -> list[tuple[str, str, int]]:
    found = trail.operations(client_ip=address, outcome="denied")
    return sorted((entry.name, entry.actor_name, entry.attempts) for entry in found)


async def test_a_refused_event_is_on_record_at_once_with_who_from_where_and_why(site: Site, site_trail: Trail):
    bob = site.person("bob")
    visitor = site.signed_in(bob)
    async with Tab(visitor) as tab:
        answer = await tab.call(InventoryState.adjust_inventory, form={})
    (entry,) = site_trail.operations(client_ip=visitor.address, outcome="denied")
    assert (entry.name, entry.actor_name, entry.actor_id) == ("stock.adjust_inventory", bob.username, bob.id)
    assert (entry.error_class, entry.detail) == ("NotAllowed", answer.said[0])
    assert (entry.user_agent, entry.attempts) == ("pytest", 1)
    assert site_trail.changes(entry.id) == []


async def test_what_is_refused_again_within_the_minute_is_counted_and_not_written_again(site: Site, site_trail: Trail):
    stranger = site.visitor()
    async with Tab(stranger) as tab:
        for _ in range(5):
            await tab.call(InventoryState.load)
            await tab.call(UserMgmtState.load)
            await tab.call(f"{ROOT}.setvar", var_name="a", value=1)
    assert denied(site_trail, stranger.address) == [
        ("event.inventory_state.load", "anonymous", 1),
        ("event.state.setvar", "anonymous", 1),
        ("event.user_mgmt_state.load", "anonymous", 1),
    ]


async def test_nobody_hides_behind_the_refusals_of_somebody_else_at_the_same_address(site: Site, site_trail: Trail):
    address, bob, carol = fresh_address(), site.person("bob"), site.person("carol")
    for visitor in (site.visitor(address), *(site.signed_in(who, address=address) for who in (bob, carol))):
        async with Tab(visitor) as tab:
            await tab.call(UserMgmtState.load)
    name = "event.user_mgmt_state.load"
    expected = sorted([(name, "anonymous", 1), (name, bob.username, 1), (name, carol.username, 1)])
    assert denied(site_trail, address) == expected


async def test_a_person_is_one_on_whatever_device_and_from_whatever_address(site: Site, site_trail: Trail):
    bob = site.person("bob")
    for visitor in (site.signed_in(bob), site.signed_in(bob)):
        async with Tab(visitor) as tab:
            await tab.call(UserMgmtState.load)
    (entry,) = site_trail.operations(actor_name=bob.username, outcome="denied")
    assert (entry.name, entry.attempts) == ("event.user_mgmt_state.load", 1)


def test_denials_of_operations_are_counted_by_person_and_strangers_by_address():
    refused = _Refused(each=2, seconds=60.0)
    ann = Actor(kind="user", name="ann", id=1, token_hash="a", client_ip="192.0.2.1")
    assert [refused.due(replace(ann, token_hash=f"{n}", client_ip=f"192.0.2.{n}"), "x") for n in range(4)] == [
        1,
        1,
        0,
        0,
    ]
    assert refused.due(replace(ann, id=2), "x") == 1
    assert refused.due(ann, "y") == 1
    # A cookie that proves nothing is no person, and an IPv6 customer has a whole /64.
    strangers = [replace(ann, id=None, token_hash=f"{n}", client_ip=f"2001:db8::{n}") for n in range(3)]
    assert [refused.due(stranger, "x") for stranger in strangers] == [1, 1, 0]


async def test_a_stranger_chooses_no_name_that_stands_in_the_trail(site: Site, site_trail: Trail):
    stranger = site.visitor()
    async with Tab(stranger) as tab:
        for name in ("sessions.sign_in", f"{ROOT}.setvar\n", "<script>", "x" * 10_000):
            await tab.call(name)
    assert denied(site_trail, stranger.address) == []


async def test_a_flood_is_slowed_down_for_its_sender_only_and_its_count_is_written_when_the_server_stops(
    another_site: Callable[..., Site],
):
    site = another_site(INVENTORY_EVENTS_PER_SECOND=str(_RATE))
    with reached_by_the_application(site.database.server, site.database.name):
        stranger, ann = site.visitor(), site.signed_in(site.person("ann", "manager"))
    async with Tab(stranger) as flood, Tab(ann, "/inventory") as hers:
        for _ in range(_FLOOD):
            await flood.send(InventoryState.load)
        assert (await hers.call(InventoryState.load)).said == []
        site.wait_until(lambda: site.log_lines(event="events_slowed_down"), "the line that says so")
        # What is let through is answered one after the other; what is not costs no answer at all.
        await flood.until(lambda: sum("/login?next=" in str(message) for message in flood.messages) >= _RATE)
    site.stop()
    with site.database.connect(SUPERUSER_ROLE) as connection:
        counts = [attempts for _, _, attempts in denied(Trail(connection), stranger.address)]
    assert len(counts) == 2, "the first at once, the others as one more record"
    assert _RATE <= sum(counts) < _FLOOD
    assert len(site.log_lines(event="events_slowed_down")) < _FLOOD / 2, "the log is not flooded either"


async def test_a_page_that_one_may_not_see_is_refused_without_a_message_beside_it(site: Site):
    async with Tab(site.signed_in(site.person("bob", "accountant")), "/audit") as tab:
        answer = await tab.call(TrailState.load)
        assert answer.said == []
        assert not [name for name in answer.vars() if name.startswith("trail_state.")]
        # What one does on a page is answered, as ever.
        assert (await tab.call(TrailState.load_facets)).said == [
            "This needs the permission “See the audit trail and check the books” (audit:view). Ask an administrator."
        ]
