"""What happens elsewhere reaches an open tab by itself, and only what its person may see."""

import json
import secrets
from decimal import Decimal
from uuid import uuid4

import psycopg

from inventory_app.operations import products, stock, suppliers, users
from inventory_app.states.accounts import AccountsState
from inventory_app.states.apply import ApplyState
from inventory_app.states.auth import AuthState
from inventory_app.states.explain import PersonState
from inventory_app.states.inventory import InventoryState
from inventory_app.states.products import ProductsState
from inventory_app.states.supplier_list import SupplierListState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import transact
from tests import factories
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Answer, Tab


def by(actor: Person, operation, **arguments) -> None:
    with actor.actor.audit_context():
        transact(operation, **arguments)


async def told(tab: Tab, sentence: str) -> Answer:
    """Wait until the tab has been told, without asking for anything."""
    await tab.until(lambda: any(sentence in said for said in Answer(tab.messages).said))
    return Answer(tab.messages)


async def marked(tab: Tab, rows: dict[str, str], of: str = "user_mgmt_state") -> None:
    """Wait until exactly these rows are marked."""
    await tab.until(lambda: Answer(tab.messages).vars()[f"{of}.changed"] == rows)


async def test_a_disabled_person_is_told_at_once_and_their_tab_is_empty(site: Site):
    ann, bob = site.person("ann", "admin"), site.person("bob", "admin")
    async with Tab(site.signed_in(bob), f"/admin/users?q={ann.username}") as tab:
        await tab.call(UserMgmtState.load)
        assert ann.username in tab.text
        by(ann, users.deactivate_user, user_id=bob.id)
        answer = await told(tab, "Your account has been disabled.")
    shown = answer.vars()
    assert shown["auth_state.signed_in"] is False
    assert shown["user_mgmt_state.rows"] == []


async def test_what_makes_no_sense_on_the_channel_deafens_nobody(site: Site, site_observer: psycopg.Connection):
    ann, bob = site.person("ann", "admin"), site.person("bob", "admin")
    async with Tab(site.signed_in(bob), "/admin/users") as tab:
        for said in ("nonsense", "", "-1", "9" * 40, "1; 2", "٣"):
            site_observer.execute("SELECT pg_notify('inventory_people', %s)", [said])
        by(ann, users.deactivate_user, user_id=bob.id)
        await told(tab, "Your account has been disabled.")


async def test_signing_out_in_one_tab_ends_the_other(site: Site):
    bob = site.person("bob", "employee")
    visitor = site.signed_in(bob)
    async with Tab(visitor) as tab:
        visitor.sign_out()
        answer = await told(tab, "You were signed out")
    assert answer.vars()["auth_state.signed_in"] is False


async def test_a_changed_role_is_told_at_once_and_the_page_shows_what_is_left(site: Site):
    ann, bob = site.person("ann", "admin"), site.person("bob", "admin")
    async with Tab(site.signed_in(bob), "/admin/users") as tab:
        await tab.call(UserMgmtState.load)
        by(ann, users.change_user_role, user_id=bob.id, role_name="employee")
        answer = await told(tab, "You now have: employee")
        await tab.settle()
        assert answer.vars()["user_mgmt_state.rows"] == []
        assert "users:view" not in Answer(tab.messages).vars()["auth_state.permissions"]
        assert (await tab.call(UserMgmtState.search, text="a")).is_refused


async def test_a_role_gained_is_told_and_nothing_is_emptied(site: Site):
    ann, bob = site.person("ann", "admin"), site.person("bob", "employee")
    async with Tab(site.signed_in(bob)) as tab:
        by(ann, users.change_user_role, user_id=bob.id, role_name="manager")
        await told(tab, "You now have: manager")
        await tab.settle()
        assert Answer(tab.messages).vars()["auth_state.permissions"]["audit:view"] is True


async def test_nobody_else_is_told(site: Site):
    ann, bob, carol = site.person("ann", "admin"), site.person("bob", "admin"), site.person("carol", "employee")
    async with Tab(site.signed_in(bob)) as bobs, Tab(site.signed_in(carol)) as carols:
        seen = len(carols.messages)
        by(ann, users.deactivate_user, user_id=bob.id)
        await told(bobs, "disabled")
        await carols.settle()
        assert "disabled" not in json.dumps(carols.messages[seen:])


async def test_a_row_that_somebody_else_changes_is_shown_anew_and_marked(site: Site):
    ann, bob, carol = site.person("ann", "admin"), site.person("bob", "admin"), site.person("carol", "employee")
    async with Tab(site.signed_in(bob), f"/admin/users?q={carol.username}") as tab:
        await tab.call(UserMgmtState.load)
        by(ann, users.change_user_role, user_id=carol.id, role_name="auditor")
        await marked(tab, {str(carol.id): ann.name})
        shown = Answer(tab.messages).vars()
    assert [row["roles"] for row in shown["user_mgmt_state.rows"]] == [["auditor"]]


async def test_what_one_does_oneself_is_not_marked_and_an_open_dialog_stays(site: Site):
    ann, bob, carol = site.person("ann", "admin"), site.person("bob", "admin"), site.person("carol", "employee")
    async with Tab(site.signed_in(bob), f"/admin/users?q={carol.username}") as tab:
        await tab.call(UserMgmtState.load)
        await tab.call(UserMgmtState.enable_user, user_id=carol.id)
        await tab.call(UserMgmtState.open_roles, user_id=carol.id)
        by(ann, users.deactivate_user, user_id=carol.id)
        await marked(tab, {str(carol.id): ann.name})
        shown = Answer(tab.messages).vars()
    assert shown["user_mgmt_state.dialog"] == "roles"


async def test_the_page_about_a_person_shows_what_somebody_else_changes_and_says_who(site: Site):
    ann, bob, carol = site.person("ann", "admin"), site.person("bob", "admin"), site.person("carol", "employee")
    dave = site.person("dave", "employee")
    async with Tab(site.signed_in(bob), f"/admin/users/{carol.id}") as tab:
        await tab.call(PersonState.load)
        await tab.call(UserMgmtState.load_one)
        await tab.call(PersonState.ask, permission="suppliers:approve")
        await tab.call(UserMgmtState.open_roles, user_id=carol.id)
        await tab.call(AccountsState.open_edit, user_id=carol.id)
        version = Answer(tab.messages).vars()["accounts_state.person"]["version"]
        # Somebody else is somebody else's page.
        by(ann, users.change_user_role, user_id=dave.id, role_name="auditor")
        by(ann, users.change_user_role, user_id=carol.id, role_name="manager")
        await marked(tab, {str(carol.id): ann.name})
        await tab.until(lambda: Answer(tab.messages).vars()["person_state.answer"]["can"] is True)
        await tab.settle()
        shown = Answer(tab.messages).vars()
        assert shown["user_mgmt_state.one"]["roles"] == ["manager"]
        assert [role["name"] for role in shown["person_state.person"]["roles"]] == ["manager"]
        assert shown["person_state.asked"] == "suppliers:approve"
        # What is being entered stays, with the version it was read with: saving over the other's change is refused.
        assert (shown["user_mgmt_state.dialog"], shown["accounts_state.dialog"]) == ("roles", "edit")
        assert [box["name"] for box in shown["user_mgmt_state.boxes"] if box["held"]] == ["employee"]
        assert shown["accounts_state.person"]["version"] == version
        form = {"user_id": carol.id, "full_name": "Carol", "email": "carol@example.org", "version": version}
        refused = await tab.call(AccountsState.edit, form=form)
        assert "changed this in the meantime" in " ".join(refused.said)


async def test_a_page_about_a_person_that_was_left_is_told_nothing(site: Site):
    ann, bob, carol = site.person("ann", "admin"), site.person("bob", "admin"), site.person("carol", "employee")
    async with (
        Tab(site.signed_in(bob), f"/admin/users/{carol.id}") as tab,
        Tab(site.signed_in(ann), f"/admin/users/{carol.id}") as stays,
    ):
        for one in (tab, stays):
            await one.call(UserMgmtState.load_one)
        await tab.call(AuthState.guard_page)
        seen = len(tab.messages)
        by(site.person("dora", "admin"), users.deactivate_user, user_id=carol.id)
        await stays.until(lambda: Answer(stays.messages).vars()["user_mgmt_state.one"]["status"] == "disabled")
        await tab.settle()
        assert "disabled" not in json.dumps(tab.messages[seen:])


async def test_a_supplier_that_somebody_else_changes_is_shown_anew_and_marked(site: Site):
    ann, bob, mark = site.person("ann", "manager"), site.person("bob", "employee"), secrets.token_hex(4)
    acme = factories.supplier(f"Acme {mark}")
    async with Tab(site.signed_in(bob), f"/suppliers?q={mark}") as tab:
        await tab.call(SupplierListState.load)
        by(ann, suppliers.approve_supplier, supplier_id=acme.id)
        await marked(tab, {str(acme.id): ann.name}, of="supplier_list_state")
        shown = Answer(tab.messages).vars()
        assert [row["status"] for row in shown["supplier_list_state.rows"]] == ["approved"]
        assert (await tab.call(SupplierListState.load)).vars()["supplier_list_state.changed"] == {}


async def test_a_client_cannot_make_itself_a_mark(site: Site):
    async with Tab(site.signed_in(site.person("bob", "admin")), "/admin/users") as tab:
        await tab.call(UserMgmtState.load)
        answer = await tab.call(UserMgmtState.changed_elsewhere)
        assert "user_mgmt_state.changed" not in answer.vars()
    async with Tab(site.visitor()) as tab:
        assert (await tab.call(UserMgmtState.changed_elsewhere)).is_refused


async def test_the_state_of_a_strangers_tab_is_let_go_when_it_is_closed_and_a_persons_is_kept(site: Site):
    """Reflex keeps each for an hour: anybody who opened tabs could fill the memory."""
    ann, bob = site.person("ann", "admin"), site.person("bob", "admin")
    mark = f"c{secrets.token_hex(4)}"
    carols = [site.person(mark, "employee") for _ in range(6)]
    form = {"name": "A", "tax_id": "B", "contact_name": "C", "email": "d", "company_fax": "a machine"}
    stranger, person = str(uuid4()), str(uuid4())
    visitors = {stranger: site.visitor(), person: site.signed_in(bob)}
    for token, visitor in visitors.items():
        async with Tab(visitor, "/apply", token=token) as tab:
            assert (await tab.call(ApplyState.apply_supplier, form=form)).vars()["apply_state.sent"] is True
    async with Tab(site.signed_in(bob), f"/admin/users?q={mark}") as witness:
        await witness.call(UserMgmtState.load)
        # Each mark comes with a look at all tabs; the server may hear late that one was closed.
        for carol in carols:
            by(ann, users.deactivate_user, user_id=carol.id)
            mark_of = (str(carol.id), ann.name)
            # They were made a moment before, which may be marked as well.
            await witness.until(
                lambda mark_of=mark_of: mark_of in Answer(witness.messages).vars()["user_mgmt_state.changed"].items()
            )
            async with Tab(visitors[stranger], "/login", token=stranger) as tab:
                if not Answer(tab.messages).vars()["apply_state.sent"]:
                    break
        else:
            raise AssertionError("what the stranger's tab held is still there")
    async with Tab(visitors[person], "/login", token=person) as tab:
        assert Answer(tab.messages).vars()["apply_state.sent"] is True


async def test_an_item_that_somebody_else_moves_is_shown_anew_and_marked(site: Site):
    ann, bob = site.person("ann", "admin"), site.person("bob", "admin")
    sku = f"LIVE-{secrets.token_hex(4)}".upper()
    product = factories.product(sku)
    item, other = (factories.item(product.id, quantity=10).id or 0 for _ in range(2))
    elsewhere = factories.item(factories.product(f"Y{secrets.token_hex(4)}".upper()).id, quantity=10).id or 0
    async with Tab(site.signed_in(bob), f"/inventory?q={sku}&on_hand=..10&size=25") as tab:
        await tab.call(InventoryState.load)
        by(ann, stock.adjust_inventory, item_id=elsewhere, quantity=Decimal(-4), reason_code="damaged")
        by(ann, stock.adjust_inventory, item_id=item, quantity=Decimal(-3), reason_code="damaged")
        # What was made just before may be marked as well.
        await tab.until(lambda: Answer(tab.messages).vars()["inventory_state.changed"].get(str(item)) == ann.name)
        assert str(elsewhere) not in Answer(tab.messages).vars()["inventory_state.changed"]
        shown = Answer(tab.messages).vars()
        assert {row["id"]: row["on_hand"] for row in shown["inventory_state.rows"]} == {item: "7", other: "10"}


async def test_a_product_that_somebody_else_changes_is_shown_anew_and_marked(site: Site):
    ann, bob, mark = site.person("ann", "manager"), site.person("bob", "employee"), secrets.token_hex(4)
    bolt = factories.product(f"B{mark}".upper(), name=f"Bolt {mark}")
    other = factories.product(f"O{mark}".upper(), name="Something else")
    async with Tab(site.signed_in(bob), f"/products?q=Bolt+{mark}") as tab:
        await tab.call(ProductsState.load)
        # What is not listed here is nobody's news.
        by(ann, products.archive_product, product_id=other.id, version=1)
        by(ann, products.update_product, product_id=bolt.id, version=1, name=f"Bolt {mark} M8", unit_code="pcs")
        await marked(tab, {str(bolt.id): ann.name}, of="products_state")
        assert Answer(tab.messages).vars()["products_state.rows"][0]["name"] == f"Bolt {mark} M8"
