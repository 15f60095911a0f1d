"""Inviting, correcting and bulk changes over the real websocket: who may what, and where a link's token is not."""

import secrets
from datetime import timedelta
from urllib.parse import quote

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import NotFound
from inventory_app.models._base import now
from inventory_app.operations import accounts, users
from inventory_app.operations.sessions import hash_token
from inventory_app.permissions import DEFAULT_ROLES, EMPLOYEE
from inventory_app.states.accounts import AccountsState
from inventory_app.states.bulk_roles import BulkRolesState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import read, transact
from tests import factories
from tests.fixtures.authenticator import change_sessions
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Tab

LIST = "/admin/users"


@pytest.fixture
def ada(site: Site) -> Person:
    return site.person("ada", "admin")


def clerk_of(site: Site, *permissions: str) -> Person:
    """Return somebody whose only role holds what an employee holds, and `permissions`."""
    name = f"clerk-{secrets.token_hex(3)}"
    factories.role(name, *DEFAULT_ROLES[EMPLOYEE][1], "users:view", *permissions)
    site.see_people.add(name)
    return site.person("clare", name)


def invitation(**changed: object) -> dict[str, object]:
    name = f"ivy-{secrets.token_hex(3)}"
    return {"username": name, "full_name": "Ivy", "email": f"{name}@example.com", "roles": ["employee"]} | changed


def roles_of(person: Person, ada: Person) -> list[str]:
    with acting_as(ada.actor):
        row = read(users.one_user, user_id=person.id)
    assert row
    return row.roles


async def test_a_link_is_shown_once_to_who_made_it_and_is_nowhere_else(
    site: Site, site_trail: Trail, site_observer, ada: Person
):
    other = site.person("axel", "admin")
    form = invitation()
    found = f"{LIST}?q={form['username']}"
    async with Tab(site.signed_in(other), found) as his, Tab(site.signed_in(ada), LIST) as tab:
        await his.call(UserMgmtState.load)
        shown = (await tab.call(AccountsState.invite, form=form)).vars()
        link = shown["accounts_state.link"]
        token = link.partition("#")[2]
        assert (link, len(token)) == (f"{site.origin}/link#{token}", 43)
        assert (shown["accounts_state.dialog"], shown["accounts_state.link_hours"]) == ("link", 72)
        assert (shown["accounts_state.mailed_to"], shown["accounts_state.not_sent"]) == ("", "")
        closed = (await tab.call(AccountsState.close, is_open=False)).vars()
        assert closed["accounts_state.link"] == ""
        seen = len(tab.messages)
        await tab.call(UserMgmtState.load)
        await tab.call(AccountsState.open_invite)
        await his.call(UserMgmtState.load)
        assert token not in str(tab.messages[seen:]) + his.text
        assert form["username"] in his.text
    with acting_as(factories.anonymous()):
        assert read(accounts.show_link, token_hash=hash_token(token)).username == form["username"]
    assert token not in site.log_text()
    for table in ("audit_operation", "audit_change", "idempotency", "account_link"):
        (kept,) = site_observer.execute(f"SELECT coalesce(string_agg(t::text, ''), '') FROM {table} t").fetchone()
        assert token not in kept, table
    assert site_trail.last(name="accounts.invite_user").actor_name == ada.username


async def test_no_role_is_given_with_an_invitation_that_nobody_chose(site: Site, ada: Person):
    async with Tab(site.signed_in(ada), LIST) as tab:
        boxes = (await tab.call(AccountsState.open_invite)).vars()["accounts_state.boxes"]
    assert {"auditor", "employee"} <= {box["name"] for box in boxes}
    assert not any(box["held"] for box in boxes), "who is to see everything and change nothing is no employee"


async def test_what_is_wrong_with_an_invitation_stands_beside_its_field(site: Site, ada: Person):
    async with Tab(site.signed_in(ada), LIST) as tab:
        wrong = await tab.call(AccountsState.invite, form=invitation(username="x", email="nobody"))
        assert set(wrong.errors()) == {"username", "email"}
        taken = await tab.call(AccountsState.invite, form=invitation(username=ada.username))
        assert "taken" in str(taken.errors()) + str(taken.said)
        assert "accounts_state.link" not in taken.vars()


async def test_nobody_invites_into_more_than_they_hold(site: Site, ada: Person):
    clerk = clerk_of(site, "users:manage", "users:assign_roles")
    async with Tab(site.signed_in(clerk), LIST) as tab:
        await tab.call(AccountsState.open_invite)
        for roles in (["admin"], ["employee", "manager"]):
            answer = await tab.call(AccountsState.invite, form=invitation(roles=roles))
            assert "what you do not hold yourself" in str(answer.said)
            assert "accounts_state.link" not in answer.vars()
    plain = clerk_of(site, "users:manage")
    async with Tab(site.signed_in(plain), LIST) as tab:
        assert (await tab.call(AccountsState.open_invite)).vars().get("accounts_state.boxes", []) == []
        assert "only invite an employee" in str(
            (await tab.call(AccountsState.invite, form=invitation(roles=["auditor"]))).said
        )
        made = await tab.call(AccountsState.invite, form={k: v for k, v in invitation().items() if k != "roles"})
        assert made.vars()["accounts_state.link"]


async def test_nobody_touches_an_account_that_may_do_what_they_may_not(site: Site, ada: Person):
    clerk, boss = clerk_of(site, "users:manage"), site.person("boss", "manager")
    form = {"user_id": boss.id, "full_name": "Robbed", "email": f"{secrets.token_hex(3)}@example.com", "version": 1}
    async with Tab(site.signed_in(clerk), LIST) as tab:
        for handler, payload in (
            (AccountsState.edit, {"form": form}),
            (AccountsState.make_link, {"form": {"user_id": boss.id, "reason": "asked"}}),
            (AccountsState.withdraw, {"user_id": boss.id}),
            (UserMgmtState.update_user_email, {"user_id": boss.id, "new_email": form["email"]}),
        ):
            answer = await tab.call(handler, **payload)
            assert "may do what you may not" in str(answer.said), handler
            assert "accounts_state.link" not in answer.vars()
        own = await tab.call(AccountsState.make_link, form={"user_id": clerk.id, "reason": "asked"})
        assert "your profile page" in str(own.said)


async def test_links_and_roles_ask_for_a_fresh_proof_before_anything_is_filled_in(site: Site, ada: Person):
    carol = site.person("carol", "employee")
    visitor = site.signed_in(ada)
    change_sessions(ada.id, reauthenticated_at=now() - timedelta(hours=1))
    address = f"{LIST}?q={carol.username}"
    asks = [f"/confirm?next={quote(address, safe='')}"]
    async with Tab(visitor, address) as tab:
        await tab.call(UserMgmtState.load)
        await tab.call(UserMgmtState.select, row_id=carol.id)
        for handler, payload in (
            (AccountsState.open_link, {"user_id": carol.id}),
            (AccountsState.make_link, {"form": {"user_id": carol.id, "reason": "asked"}}),
            (AccountsState.open_invite, {}),
            (AccountsState.invite, {"form": {"username": "nia", "full_name": "Nia", "email": "nia@example.com"}}),
            (UserMgmtState.open_roles, {"user_id": carol.id}),
            (UserMgmtState.set_roles, {"form": {"user_id": carol.id, "version": 1, "role:auditor": True}}),
            (UserMgmtState.change_user_role, {"user_id": carol.id, "role_name": "auditor"}),
            (BulkRolesState.open_bulk, {}),
            (BulkRolesState.apply, {"form": {"people": [[carol.id, 1]], "mode": "add", "roles": ["auditor"]}}),
        ):
            assert (await tab.call(handler, **payload)).redirects == asks, handler
    assert roles_of(carol, ada) == ["employee"]


async def test_an_invitation_is_sent_again_and_withdrawn(site: Site, ada: Person):
    token = secrets.token_urlsafe()
    name = f"ivy-{secrets.token_hex(3)}"
    ivy = factories.invited(name, token=token)
    async with Tab(site.signed_in(ada), f"{LIST}?q={name}") as tab:
        row = (await tab.call(UserMgmtState.load)).vars()["user_mgmt_state.rows"][0]
        assert (row["status"], row["invitation"]) == ("invited", "open")
        again = await tab.call(AccountsState.make_link, form={"user_id": ivy, "reason": "Never came"})
        assert again.vars()["accounts_state.link_for"] == "invite"
        newer = again.vars()["accounts_state.link"].partition("#")[2]
        await tab.call(AccountsState.close, is_open=False)
        done = await tab.call(AccountsState.withdraw, user_id=ivy)
        assert done.said == [f"The invitation of {name} does not work any more"]
        assert done.vars()["user_mgmt_state.rows"][0]["invitation"] == "withdrawn"
    with acting_as(factories.anonymous()):
        for dead in (token, newer):
            with pytest.raises(NotFound):
                read(accounts.show_link, token_hash=hash_token(dead))


async def test_a_name_and_an_address_are_corrected_under_a_version(site: Site, ada: Person):
    carol = site.person("carol", "employee")
    form = {"user_id": carol.id, "full_name": "Carol Ann", "email": f"{secrets.token_hex(4)}@example.com", "version": 1}
    async with Tab(site.signed_in(ada), LIST) as tab:
        opened = (await tab.call(AccountsState.open_edit, user_id=carol.id)).vars()
        assert opened["accounts_state.person"]["version"] == 1
        assert (await tab.call(AccountsState.edit, form=form)).said == ["Corrected the account of Carol Ann"]
        again = await tab.call(AccountsState.edit, form=form | {"full_name": "Carol B"})
        assert "changed this in the meantime" in str(again.said)


async def test_the_preview_is_what_is_done(site: Site, ada: Person):
    mark = secrets.token_hex(3)
    bea, cem = site.person(f"{mark}bea", "employee"), site.person(f"{mark}cem")
    async with Tab(site.signed_in(ada), LIST) as tab:
        tab.path = f"{LIST}?q={mark}"
        await tab.call(UserMgmtState.load)
        for person in (bea, cem):
            await tab.call(UserMgmtState.select, row_id=person.id)
        await tab.call(BulkRolesState.open_bulk)
        shown = (await tab.call(BulkRolesState.tick, role="auditor")).vars()
        lines = shown["bulk_roles_state.lines"]
        assert [(line["before"], line["after"], line["fault"]) for line in lines] == [
            ("employee", "auditor, employee", ""),
            ("no role", "auditor", ""),
        ]
        people = f"{bea.id}:1 {cem.id}:1"
        form = {"people": people, "mode": "add", "role:auditor": "on", "reason": "Year end"}
        done = await tab.call(BulkRolesState.apply, form=form)
        assert done.said == ["Changed the roles of 2 people"]
        assert done.vars()["user_mgmt_state.selected"] == []
    assert (roles_of(bea, ada), roles_of(cem, ada)) == (["auditor", "employee"], ["auditor"])


async def test_of_many_none_is_changed_when_one_may_not_be_and_each_fault_stands_beside_its_person(
    site: Site, ada: Person
):
    carol = site.person("carol", "employee")
    async with Tab(site.signed_in(ada), f"{LIST}?q={carol.username}") as tab:
        await tab.call(UserMgmtState.load)
        await tab.call(UserMgmtState.select, row_id=carol.id)
        await tab.call(BulkRolesState.open_bulk)
        await tab.call(BulkRolesState.tick, role="manager")
        with acting_as(ada.actor):
            transact(users.change_user_role, user_id=carol.id, role_name="auditor")
        forged = {"people": [[carol.id, 1], [ada.id, 1]], "mode": "add", "roles": ["manager"]}
        answer = await tab.call(BulkRolesState.apply, form=forged)
        assert answer.said == ["Nothing was changed."]
        (line,) = answer.vars()["bulk_roles_state.lines"]
        assert "changed this in the meantime" in line["fault"]
    assert roles_of(carol, ada) == ["auditor"]


async def test_a_selection_holds_only_rows_of_the_page(site: Site, ada: Person):
    carol = site.person("carol", "employee")
    async with Tab(site.signed_in(ada), f"{LIST}?q={carol.username}") as tab:
        await tab.call(UserMgmtState.load)
        await tab.call(UserMgmtState.select, row_id=ada.id)
        picked = (await tab.call(UserMgmtState.select, row_id=carol.id)).vars()
        assert picked["user_mgmt_state.selected"] == [carol.id]


async def test_the_page_about_one_person_offers_what_the_list_does(site: Site, ada: Person):
    carol = site.person("carol", "employee")
    async with Tab(site.signed_in(ada), f"{LIST}/{carol.id}") as tab:
        shown = (await tab.call(UserMgmtState.load_one)).vars()
        assert shown["user_mgmt_state.one"]["status"] == "active"
        assert shown["person_sessions_state.user_id"] == carol.id
        await tab.call(UserMgmtState.open_disable, user_id=carol.id)
        done = await tab.call(UserMgmtState.deactivate_user, user_id=carol.id)
        assert done.vars()["user_mgmt_state.one"]["status"] == "disabled"
    manager = site.person("mona", "manager")
    async with Tab(site.signed_in(manager), f"{LIST}/{carol.id}") as tab:
        answer = await tab.call(UserMgmtState.load_one)
        assert "person_sessions_state.user_id" not in answer.vars()


async def test_the_list_is_filtered_by_its_address(site: Site, ada: Person):
    name = f"ivy-{secrets.token_hex(3)}"
    factories.invited(name)
    async with Tab(site.signed_in(ada), f"{LIST}?q={name}&tab=invited&seen=never&role=employee") as tab:
        shown = (await tab.call(UserMgmtState.load)).vars()
        assert [row["username"] for row in shown["user_mgmt_state.rows"]] == [name]
        assert shown["user_mgmt_state.shown"].startswith("1 of ")
        tab.path = f"{LIST}?q={name}&seen=today"
        assert (await tab.call(UserMgmtState.load)).vars()["user_mgmt_state.rows"] == []
