"""What the pages of a supplier show beside its own fields: documents and accounts among the checks, what was agreed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Invalid, InvalidRows
from inventory_app.models._base import now
from inventory_app.models.documents import Document
from inventory_app.models.payments import SupplierBankAccount
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import bank_accounts, supplier_bulk, supplier_standing, suppliers
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import add, arrange, document, person, role, supplier

TODAY = now().date()
DANISH = "DK5000400440116243"


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


def detail(supplier_id):
    return read(suppliers.supplier_detail, supplier_id=supplier_id)


def check(supplier_id, title):
    return next((one.outcome, one.found) for one in detail(supplier_id).checks if one.title == title)


def account(supplier_id, status="pending", **columns):
    return add(
        SupplierBankAccount(
            supplier_id=supplier_id, holder="Acme", iban=DANISH, currency="DKK", status=status, **columns
        )
    )


def until(document_id, on):
    def change(session):
        session.get_one(Document, document_id).expires_on = on

    arrange(change)


def test_documents_in_date_are_a_check_where_there_are_any_that_end(ann):
    found = supplier().id
    until(document("supplier", found, "insurance.txt"), TODAY)
    document("supplier", found, "no end.txt")
    title = "Documents in date"
    with acting_as(ann):
        assert check(found, title) == ("passed", f"The first one to end is insurance.txt, on {TODAY:%-d %b %Y}")
        over = TODAY - timedelta(days=1)
        until(document("supplier", found, "licence.txt"), over)
        assert check(found, title) == ("failed", f"licence.txt ended on {over:%-d %b %Y}")
        with pytest.raises(Invalid) as refused:
            transact(suppliers.approve_supplier, supplier_id=found)
        assert title in refused.value.fields["reason"]
        with pytest.raises(InvalidRows, match="Nothing was decided"):
            transact(supplier_bulk.decide_suppliers, chosen=[(found, 1)], approving=True)
        transact(suppliers.approve_supplier, supplier_id=found, reason="A new one is on its way")


def test_an_account_that_waits_is_to_be_looked_at(ann):
    waiting, released, neither = supplier("One").id, supplier("Two").id, supplier("Three").id
    account(waiting)
    account(released, "released", released_at=now(), released_by=ann.id)
    account(neither, "rejected")
    title = "Bank account is released"
    with acting_as(ann):
        assert check(waiting, title)[0] == "look"
        assert check(released, title) == ("passed", "Nothing of it waits")
        assert title not in {one.title for one in detail(neither).checks}


def test_a_check_leads_to_the_supplier_it_is_about(ann):
    other = supplier("Gai pâturage", tax_id="FR 40").id
    found = supplier("Gai paturage", tax_id="FR40").id
    with acting_as(ann):
        assert {one.title: one.href for one in detail(found).checks}["Tax id is used once"] == f"/suppliers/{other}"
        with pytest.raises(Invalid, match="marked fields") as refused:
            transact(suppliers.approve_supplier, supplier_id=found)
    assert "No other supplier of this name" in refused.value.fields["reason"]


def test_what_changed_stands_first_beside_what_was_approved_with_accounts_masked(ada, ann):
    found = supplier(status="approved", approved_at=now(), decided_at=now(), decided_by=ada.id, city="Lyngby").id
    account(found, "released", released_at=now(), released_by=ada.id)
    with acting_as(ann):
        transact(suppliers.agree_terms, supplier_id=found, version=1, payment_days=1, minimum_order=Decimal(250))
        new = "FR1420041010050500013M02606"
        given = {"version": 2, "holder": "Acme", "iban": new, "currency": "EUR"}
        transact(bank_accounts.add_bank_account, supplier_id=found, **given)
        seen = detail(found)
    rows = {row.label: (row.before, row.after, row.changed) for row in seen.fields}
    assert seen.earlier == "approved"
    assert seen.fields[0].label == "Bank account"
    assert rows["Bank account"] == ("DK50 ···· 6243", "FR14 ···· 2606", True)
    # The terms were agreed after the decision, so they are new to who decides.
    assert rows["Days to pay"] == ("", "1 day", True)
    assert rows["Smallest order"] == ("", "250.00 USD", True)
    assert [row.changed for row in seen.fields] == [True] * 3 + [False] * (len(seen.fields) - 3)
    with acting_as(ada):
        assert detail(found).fields[0].before == "DK50 0040 0440 1162 43"


def test_an_account_stands_among_the_fields_of_a_new_supplier(ann):
    waiting, known = supplier("One").id, supplier("Two").id
    account(waiting)
    account(known, "released", released_at=now(), released_by=ann.id)
    with acting_as(ann):
        for found in (waiting, known):
            assert {row.label: row.after for row in detail(found).fields}["Bank account"] == "DK50 ···· 6243"


def test_the_smallest_order_is_seen_only_by_who_sees_prices(ann):
    found = supplier(minimum_order=Decimal(250), payment_days=30, delivery_terms="DAP", currency="EUR").id
    clerk = person("carla", role("clerks", "suppliers:view") and "clerks")
    with acting_as(ann):
        assert dict(detail(found).agreed_terms)["Smallest order"] == "250.00 EUR"
        assert read(suppliers.terms_to_edit, supplier_id=found) == {
            "payment_days": "30",
            "delivery_terms": "DAP",
            "minimum_order": "250",
        }
        assert read(suppliers.terms_to_edit, supplier_id=4_711) is None
    with acting_as(clerk):
        assert dict(detail(found).agreed_terms) == {"Days to pay": "30 days", "Delivery terms": "DAP"}
        assert read(suppliers.terms_to_edit, supplier_id=found)["minimum_order"] == ""
    bare = supplier("Bare").id
    with acting_as(ann):
        assert set(dict(detail(bare).agreed_terms).values()) == {""}
        assert read(suppliers.terms_to_edit, supplier_id=bare)["payment_days"] == ""


def test_only_who_entered_a_supplier_that_waits_is_offered_to_withdraw_it(ann, nancy):
    with acting_as(ann):
        found = transact(suppliers.create_supplier, name="Quay").supplier_id
        assert detail(found).withdraws > 0
    with acting_as(nancy):
        assert detail(found).withdraws == 0
        transact(suppliers.approve_supplier, supplier_id=found)
    with acting_as(ann):
        assert detail(found).withdraws == 0
        transact(supplier_standing.ask_again, supplier_id=found)
        # It was approved before: taking it back would be a decision.
        assert detail(found).withdraws == 0
    nobody_asked = add(Supplier(name="Nobody asked")).id
    with acting_as(ann):
        assert detail(nobody_asked).withdraws == 0


def test_who_cannot_reinstate_is_told_why(ann, nancy):
    found = supplier(status="suspended", approved_at=now(), last_edited_by=ann.id).id
    with acting_as(ann):
        assert detail(found).why_suspended == "You edited this, so somebody else must decide."
    with acting_as(nancy):
        assert detail(found).why_suspended == ""


def test_who_edited_it_before_it_was_suspended_does_not_approve_it_afterwards(ada, ann, nancy):
    found = supplier("Quay", status="approved", approved_at=now()).id

    def rename(**details):
        with open_session() as session:
            version = session.get_one(Supplier, found).version
        given = {"version": version, "name": details.pop("name", "Quay")}
        given["details"] = suppliers.Details(**details)
        transact(suppliers.update_supplier, supplier_id=found, **given)

    with acting_as(ann):
        rename(city="Lyngby")
    with acting_as(nancy):
        transact(supplier_standing.suspend_supplier, supplier_id=found, reason="Glass")
        rename(name="Quay A/S", city="Lyngby")
    with acting_as(ada):
        assert transact(supplier_standing.reinstate_supplier, supplier_id=found, reason="Mended").status == "pending"
    for actor, part in ((ann, "You last edited"), (nancy, "You last edited"), (ada, "You asked for")):
        with acting_as(actor):
            assert detail(found).why_not.startswith(part)
