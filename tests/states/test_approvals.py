"""The one list of what waits, and the page of those who are away, over the real websocket."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import col

from inventory_app.context import acting_as
from inventory_app.models.users import Role
from inventory_app.operations import approvals, delegations, suppliers
from inventory_app.operations import users as user_operations
from inventory_app.operations._lists import View
from inventory_app.states.approvals import ApprovalState
from inventory_app.states.away import AwayState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, supplier
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Tab


def request_about(person: Person, title: str):
    """Return the row of the list that is about this, as somebody sees it."""
    with acting_as(person.actor):
        cursor = ""
        while True:
            page = read(approvals.waiting_for_me, cursor=cursor)
            found = [row for row in page.rows if row.title == title]
            if found or not page.after:
                return found[0]
            cursor = page.after


def verdict(row, decision: str = "approve", **more):
    return {"form": {"approval_id": row.id, "version": 1, "subject_version": 1, "decision": decision} | more}


async def test_a_request_is_opened_and_decided_in_place(site: Site, site_trail: Trail):
    ann, found = site.person("ann", "manager"), supplier(f"Decide {site.person('x').username}")
    row = request_about(ann, found.name)
    async with Tab(site.signed_in(ann), f"/approvals?id={row.id}") as tab:
        shown = (await tab.call(ApprovalState.load)).vars()
        assert shown["approval_state.detail"]["title"] == found.name
        refused = await tab.call(ApprovalState.decide, **verdict(row, "reject"))
        assert refused.vars()["approval_state.errors"]["reason"].startswith("Say why it is rejected")
        done = await tab.call(ApprovalState.decide, **verdict(row))
        assert done.said == [f"Approved: {found.name}"]
    assert site_trail.last(actor_name=ann.username).name == "approvals.approve"


async def test_whoever_may_not_is_refused_and_on_record(site: Site, site_trail: Trail):
    eve, ann = site.person("eve", "employee"), site.person("ann", "manager")
    with acting_as(ann.actor):
        made = transact(suppliers.create_supplier, name=f"Own {ann.username}")
    row = request_about(ann, made.name)
    for who, sentence in (
        (eve, "You do not have the permission for this. Ask an administrator."),
        (ann, "You entered this supplier, so somebody else must approve it."),
    ):
        async with Tab(site.signed_in(who), "/approvals") as tab:
            answer = await tab.call(ApprovalState.decide, **verdict(row))
        assert answer.said == [sentence]
        assert site_trail.last(actor_name=who.username).outcome == "denied"
    async with Tab(site.visitor()) as tab:
        for handler in (ApprovalState.load, ApprovalState.decide, ApprovalState.withdraw, AwayState.delegate):
            assert (await tab.call(handler)).is_refused


async def test_what_was_asked_for_is_taken_back(site: Site):
    ann = site.person("ann", "manager")
    with acting_as(ann.actor):
        made = transact(suppliers.create_supplier, name=f"Typo {ann.username}")
    row = request_about(ann, made.name)
    async with Tab(site.signed_in(ann), "/approvals?view=asked") as tab:
        done = await tab.call(ApprovalState.withdraw, form={"approval_id": row.id})
        assert done.said == [f"Withdrawn: {made.name}"]
        again = await tab.call(ApprovalState.withdraw, form={"approval_id": row.id})
    assert len(again.said) == 1
    assert "supplier" in again.said[0] or "withdrawn" in again.said[0]


async def test_nonsense_in_the_address_shows_the_first_page(site: Site):
    ann = site.person("ann", "manager")
    for query in ("view=nothing&kind=none&id=abc", "id=999999999999", "kind=role_grant", "view=decided&id=0"):
        async with Tab(site.signed_in(ann), f"/approvals?{query}") as tab:
            answer = await tab.call(ApprovalState.load)
        assert answer.said == []
        assert answer.vars()["approval_state.loading"] is False


async def test_a_sensitive_role_says_that_it_waits(site: Site):
    """On a role of the test's own: the site is shared."""

    def build(session):
        session.add(Role(name=f"sensitive-{ada.username}", grant_needs_approval=True))

    ada, axel, bert = site.person("ada", "admin"), site.person("axel", "admin"), site.person("bert", "employee")
    arrange(build)
    role = f"sensitive-{ada.username}"
    async with Tab(site.signed_in(ada), f"/admin/users?q={bert.username}") as tab:
        await tab.call(UserMgmtState.load)
        form = {"user_id": bert.id, "version": 1, "roles": ["employee", role]}
        done = await tab.call(UserMgmtState.set_roles, form=form)
    assert done.said == [f"{bert.name} is now employee; {role} waits for somebody else's agreement"]
    row = request_about(axel, f"{role[:1].upper()}{role[1:]} for {bert.name}")
    async with Tab(site.signed_in(axel), f"/approvals?id={row.id}") as tab:
        await tab.call(ApprovalState.load)
        done = await tab.call(ApprovalState.decide, **verdict(row, subject_version=2))
    assert done.said == [f"Approved: {row.title}"]
    with acting_as(ada.actor):
        assert read(approvals.roles_waiting, user_id=bert.id) == []
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == role).values(active=False)))
    with acting_as(ada.actor):
        (found,) = read(user_operations.list_users, view=View(search=bert.username)).page.rows
    assert found.roles == ["employee", role]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Europe/Berlin"])
async def test_days_away_begin_and_end_by_the_clock_of_who_is_away(site: Site, zone: str):
    ann, eve = site.person("ann", "manager"), site.person("eve", "employee")
    visitor = site.signed_in(ann)
    visitor.cookies.set("zone", zone, domain="127.0.0.1")
    # Ninety days, and a change of the clocks in all three zones.
    first = next(day for day in coming_days() if changes_within(day, zone))
    last = first + timedelta(days=89)
    days = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    async with Tab(visitor, "/profile/away") as tab:
        shown = await tab.call(AwayState.load)
        assert shown.vars()["away_state.zone"].startswith(zone.replace("_", " "))
        assert shown.vars()["away_state.today"] == datetime.now(ZoneInfo(zone)).date().isoformat()
        done = await tab.call(AwayState.delegate, form={"deputy": eve.username, "may:suppliers:approve": "on"} | days)
        assert done.said == [f"{eve.name} can decide for you then: Approve suppliers"]
    with acting_as(ann.actor):
        (row,) = read(delegations.my_delegations)
    begins, ends = (datetime.fromisoformat(text).astimezone(ZoneInfo(zone)) for text in (row.starts_at, row.ends_at))
    assert (begins.date(), begins.hour, begins.minute) == (first, 0, 0)
    assert (ends.date(), ends.hour, ends.minute) == (last + timedelta(days=1), 0, 0)


def coming_days() -> Iterator[date]:
    return (datetime.now(UTC).date() + timedelta(days=n) for n in range(2, 270))


def changes_within(first: date, zone: str) -> bool:
    """Tell whether the clocks there are put back within ninety days."""
    offsets = [
        datetime.combine(first + timedelta(days=n), time(), ZoneInfo(zone)).utcoffset() or timedelta() for n in (0, 90)
    ]
    return offsets[1] < offsets[0]


async def test_somebody_who_goes_away_chooses_a_deputy_who_ends_it(site: Site):
    ann, eve = site.person("ann", "manager"), site.person("eve", "employee")
    today = datetime.now(UTC).date()
    days = {"first_day": today.isoformat(), "last_day": (today + timedelta(days=3)).isoformat()}
    async with Tab(site.signed_in(ann), "/profile/away") as tab:
        await tab.call(AwayState.load)
        for wrong, field in (
            ({"first_day": "soon"}, "first_day"),
            ({"last_day": "2020-01-01"}, "last_day"),
            ({"last_day": "9999-12-31"}, "last_day"),
            ({"deputy": "nobody-here"}, "deputy"),
        ):
            form = {"deputy": eve.username, "may:suppliers:approve": "on"} | days | wrong
            refused = await tab.call(AwayState.delegate, form=form)
            assert set(refused.vars()["away_state.errors"]) == {field}, wrong
        done = await tab.call(AwayState.delegate, form={"deputy": eve.username, "may:suppliers:approve": "on"} | days)
        assert done.said == [f"{eve.name} can decide for you then: Approve suppliers"]
        found = await tab.call(AwayState.look_up, text=eve.username)
        assert found.vars()["away_state.suggestions"] == [[eve.username, eve.name]]
    with acting_as(eve.actor):
        (row,) = read(delegations.my_delegations)
    async with Tab(site.signed_in(eve), "/profile/away") as tab:
        refused = await tab.call(
            AwayState.delegate, form={"deputy": ann.username, "may:suppliers:approve": "on"} | days
        )
        assert refused.said[0].startswith("You cannot let others decide with suppliers:approve")
        done = await tab.call(AwayState.revoke, delegation_id=row.id)
    assert f"{eve.name} no longer stands in" in done.said
