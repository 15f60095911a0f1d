"""Bank accounts: entered by one, released by another, replaced and never edited, masked for who may not see them."""

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models.payments import SupplierBankAccount
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import approvals, bank_accounts, suppliers, trail
from inventory_app.operations._supplier_fields import Details
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import person, supplier
from tests.fixtures.seeing import Side, after, locks_waited_for, wait_until_blocked

DANISH, FRENCH = "DK50 0040 0440 1162 43", "FR14 2004 1010 0505 0001 3M02 606"


@pytest.fixture
def mia(database):
    """Return an accountant: she releases accounts and sees them whole."""
    return person("mia", "accountant")


@pytest.fixture
def lyngbysild(database):
    """Return an approved supplier."""
    return supplier("Lyngbysild", status="approved").id


def enter(supplier_id, iban=DANISH, **more):
    given = {"holder": "Lyngbysild A/S", "iban": iban, "version": now_at(supplier_id)} | more
    return transact(bank_accounts.add_bank_account, supplier_id=supplier_id, **given)


def now_at(supplier_id):
    with open_session() as session:
        return session.get_one(Supplier, supplier_id).version


def status_of(supplier_id):
    with open_session() as session:
        return session.get_one(Supplier, supplier_id).status


def rows(supplier_id):
    return read(bank_accounts.bank_accounts, supplier_id=supplier_id)


def release(row):
    return transact(approvals.approve, approval_id=row.approval_id)


def test_what_one_enters_another_releases(ann, ada, mia, lyngbysild):
    with acting_as(ann):
        done = enter(lyngbysild, bic="dabadkkk", bank="Danske Bank", currency="dkk")
        (row,) = rows(lyngbysild)
    assert (done.supplier, done.returned) == ("Lyngbysild", True)
    assert (row.status, row.iban, row.bic, row.currency) == ("pending", "DK50 ···· 6243", "DABADKKK", "DKK")
    assert (row.entered, row.released, row.why_not) == ("Ann", "", NotAllowed.sentence)
    with acting_as(mia):
        assert rows(lyngbysild)[0].why_not == ""
        assert release(row).status == "approved"
        (row,) = rows(lyngbysild)
    assert (row.status, row.iban, row.released, row.approval_id) == ("released", DANISH, "Mia", 0)


def test_whoever_entered_an_account_cannot_release_it(ada, lyngbysild):
    with acting_as(ada):
        enter(lyngbysild)
        (row,) = rows(lyngbysild)
        assert row.why_not == "You entered this account, so somebody else must release it."
        with pytest.raises(NotAllowed, match="You entered this account"):
            release(row)
    with open_session() as session:
        assert session.get_one(SupplierBankAccount, row.id).status == "pending"


def test_a_new_account_returns_an_approved_supplier_to_the_queue(ann, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
        assert status_of(lyngbysild) == "pending"
        seen = read(suppliers.supplier_detail, supplier_id=lyngbysild)
        assert seen.why_not.startswith("You last edited this supplier")
        assert enter(lyngbysild, FRENCH).returned is False


def test_a_replaced_account_retires_when_the_new_one_is_released(ann, mia, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
        (old,) = rows(lyngbysild)
    with acting_as(mia):
        release(old)
    with acting_as(ann):
        enter(lyngbysild, FRENCH, replaces=old.id)
        assert {row.id: row.status for row in rows(lyngbysild)}[old.id] == "released"
        new = rows(lyngbysild)[0]
    with acting_as(mia):
        seen = read(approvals.approval_detail, approval_id=new.approval_id)
        assert dict(seen.details)["Instead of"] == "DK50 ···· 6243"
        assert dict(seen.details)["IBAN"] == "FR14 ···· 2606"
        assert (seen.title, seen.href) == ("Bank account of Lyngbysild", f"/suppliers/{lyngbysild}")
        release(new)
        found = {row.id: row for row in rows(lyngbysild)}
    assert (found[new.id].status, found[old.id].status) == ("released", "retired")
    assert (found[old.id].reason, bool(found[old.id].retired_at)) == ("Replaced by another", True)


def test_an_account_that_retired_meanwhile_is_left_as_it_is(ann, mia, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
        (old,) = rows(lyngbysild)
    with acting_as(mia):
        release(old)
    with acting_as(ann):
        enter(lyngbysild, FRENCH, replaces=old.id)
        new, old = rows(lyngbysild)
        assert retire(old) == "Lyngbysild"
    with acting_as(mia):
        release(new)
        assert [(row.status, row.reason) for row in rows(lyngbysild)] == [("released", ""), ("retired", "Closed")]


def retire(row, reason="Closed", **more):
    given = {"account_id": row.id, "version": row.version, "reason": reason} | more
    return transact(bank_accounts.retire_bank_account, **given)


def test_only_a_released_account_retires_and_only_as_it_was_read(ann, mia, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
        (row,) = rows(lyngbysild)
        with pytest.raises(Conflict, match="This account is pending"):
            retire(row)
        with pytest.raises(NotFound):
            retire(row, account_id=4_711)
        with pytest.raises(Invalid) as refused:
            retire(row, reason=" ")
        assert set(refused.value.fields) == {"reason"}
    with acting_as(mia):
        release(row)
    with acting_as(ann):
        with pytest.raises(Stale):
            retire(row)
        before = status_of(lyngbysild)
        retire(rows(lyngbysild)[0])
        assert status_of(lyngbysild) == before


@pytest.mark.parametrize(("verb", "reason"), [("reject", "Not on the invoice"), ("withdraw", ""), ("withdraw", "Typo")])
def test_a_refused_or_withdrawn_account_counts_as_rejected(verb, reason, ann, mia, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
        (row,) = rows(lyngbysild)
    with acting_as(mia if verb == "reject" else ann):
        transact(getattr(approvals, verb), approval_id=row.approval_id, reason=reason)
        (row,) = rows(lyngbysild)
        said = {"reject": reason, "withdraw": f"Withdrawn: {reason}" if reason else "Withdrawn"}[verb]
        assert (row.status, row.reason) == ("rejected", said)
    with acting_as(ann):
        enter(lyngbysild)
        assert [row.status for row in rows(lyngbysild)] == ["pending", "rejected"]


def test_everything_wrong_with_an_account_is_said_beside_its_field(ann, lyngbysild):
    with acting_as(ann), pytest.raises(Invalid) as refused:
        enter(lyngbysild, "DK00", holder=" ", bic="X", currency="kr", replaces=4_711)
    assert set(refused.value.fields) == {"holder", "iban", "bic", "currency", "replaces"}


def test_the_account_of_another_supplier_cannot_be_replaced(ann, mia, lyngbysild):
    other = supplier("Other", status="approved").id
    with acting_as(ann):
        enter(other)
        (theirs,) = rows(other)
    with acting_as(mia):
        release(theirs)
    with acting_as(ann), pytest.raises(Invalid) as refused:
        enter(lyngbysild, FRENCH, replaces=theirs.id)
    assert set(refused.value.fields) == {"replaces"}


def test_the_same_account_twice_is_refused_beside_the_iban(ann, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
        with pytest.raises(Conflict) as refused:
            enter(lyngbysild)
    assert set(refused.value.fields) == {"iban"}


def test_entering_needs_the_permission_and_the_version_that_was_read(bob, mia, ann, lyngbysild):
    for actor in (bob, mia):
        with acting_as(actor), pytest.raises(NotAllowed):
            enter(lyngbysild)
    with acting_as(ann):
        with pytest.raises(Stale):
            enter(lyngbysild, version=7)
        with pytest.raises(NotFound):
            transact(bank_accounts.add_bank_account, supplier_id=4_711, version=1, holder="Nobody", iban=DANISH)


def test_the_trail_shows_whole_numbers_only_to_who_may_see_them(ada, ann, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
    shown = {}
    for actor in (ann, ada):
        with acting_as(actor):
            page = read(trail.list_operations, search="table:supplier_bank_account")
            deed = read(trail.operation_detail, operation_id=page.rows[0].id)
            changes = [change for change in deed.changes if change.table == "supplier_bank_account"]
            shown[actor.name] = {row.name: row.after for row in changes[0].fields}["iban"]
            assert DANISH.replace(" ", "") not in str(deed) or actor is ada
    assert shown == {"ann": "DK50 ···· 6243", "ada": DANISH.replace(" ", "")}


def test_of_two_people_at_once_exactly_one_decides_about_an_account(ada, ann, mia, observer, lyngbysild):
    with acting_as(ann):
        enter(lyngbysild)
        (row,) = rows(lyngbysild)
    with acting_as(mia), Side(lambda: release(row), until=after("UPDATE supplier_bank_account")) as first:
        holder = first.reaches_its_point()
        with acting_as(ada), Side(lambda: release(row)) as second:
            waiting = wait_until_blocked(observer, holder)
            assert [kind for kind, _ in locks_waited_for(observer, waiting)] == ["transactionid"]
            first.go_on()
            refusal = second.error()
        assert first.error() is None
    assert isinstance(refusal, AlreadyDecided)


def test_correcting_what_is_not_essential_leaves_it_approved(ann, lyngbysild):
    with acting_as(ann):
        done = transact(
            suppliers.update_supplier,
            supplier_id=lyngbysild,
            version=now_at(lyngbysild),
            name="Lyngbysild",
            details=Details(city="Lyngby"),
        )
    assert (done.returned, status_of(lyngbysild)) == (False, "approved")
