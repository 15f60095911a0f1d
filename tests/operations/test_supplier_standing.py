"""Suspended, reinstated, approved again and until when, and the reminder that is said once."""

from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes
from email.policy import default

import pytest

from inventory_app import jobs
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.mail import NotSent
from inventory_app.models._base import now
from inventory_app.models.documents import Document
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import approvals, supplier_standing, suppliers
from inventory_app.operations._supplier_fields import Details
from inventory_app.operations._supplier_rules import why_not_reinstate
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import arrange, document, person, role, supplier

TODAY = now().date()


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


def get(supplier_id):
    with open_session() as session:
        return session.get_one(Supplier, supplier_id)


def suspend(supplier_id, reason="Glass in a jar", **more):
    return transact(supplier_standing.suspend_supplier, supplier_id=supplier_id, reason=reason, **more)


def reinstate(supplier_id, reason="New filling line", **more):
    return transact(supplier_standing.reinstate_supplier, supplier_id=supplier_id, reason=reason, **more)


def approve(supplier_id, **more):
    return transact(suppliers.approve_supplier, supplier_id=supplier_id, **more)


def rename(supplier_id, name):
    version = get(supplier_id).version
    return transact(suppliers.update_supplier, supplier_id=supplier_id, version=version, name=name, details=Details())


# Suspending and reinstating


def test_a_supplier_is_suspended_and_reinstated_with_a_reason(ann, nancy):
    found = supplier("Lyngbysild", status="approved", approved_at=now(), entered_by=ann.id).id
    with acting_as(ann):
        assert suspend(found, version=1).status == "suspended"
    stopped = get(found)
    assert (stopped.decided_by, stopped.decision_reason, stopped.version) == (ann.id, "Glass in a jar", 2)
    with acting_as(nancy):
        assert reinstate(found, version=2).status == "approved"
    assert (get(found).decided_by, get(found).decision_reason) == (nancy.id, "New filling line")


def test_whoever_entered_or_edited_it_cannot_reinstate_it(ann, nancy):
    found = supplier(status="suspended", approved_at=now(), entered_by=ann.id, last_edited_by=nancy.id).id
    with acting_as(ann), pytest.raises(NotAllowed, match="You entered this, so somebody else must decide"):
        reinstate(found)
    with acting_as(nancy), pytest.raises(NotAllowed, match="You edited this, so somebody else must decide"):
        reinstate(found)


@pytest.mark.parametrize(("change", "status"), [(suspend, "pending"), (reinstate, "approved")])
def test_only_what_stands_so_can_change_so(change, status, ann):
    found = supplier(status=status).id
    with acting_as(ann):
        with pytest.raises(Conflict, match=f"Acme is {status}: only"):
            change(found)
        with pytest.raises(Invalid) as refused:
            change(found, reason=" ")
        assert set(refused.value.fields) == {"reason"}
        with pytest.raises(Stale):
            change(found, version=9)
        with pytest.raises(NotFound):
            change(4_711)


def test_suspending_and_reinstating_need_the_permission_and_a_person(bob):
    found = supplier(status="suspended", approved_at=now()).id
    for change in (suspend, reinstate):
        with acting_as(bob), pytest.raises(NotAllowed):
            change(found)
        with acting_as(system_actor("nightly")), pytest.raises(NotAllowed):
            change(found)
    with open_session() as session:
        assert isinstance(why_not_reinstate(session, session.get_one(Supplier, found), None), NotAllowed)


def test_reinstating_what_was_renamed_meanwhile_asks_for_a_decision(ann, nancy):
    found = supplier("Lyngbysild", status="approved", approved_at=now()).id
    with acting_as(ann):
        suspend(found)
        assert rename(found, "Lyngbysild A/S").returned is False
    assert get(found).status == "suspended"
    with acting_as(nancy):
        assert reinstate(found).status == "pending"
    with acting_as(ann), pytest.raises(NotAllowed, match="You last edited this supplier"):
        approve(found)


def test_a_smaller_correction_of_a_suspended_supplier_leaves_its_approval(ann, nancy):
    found = supplier("Lyngbysild", status="suspended", approved_at=now()).id
    with acting_as(ann):
        transact(
            suppliers.update_supplier,
            supplier_id=found,
            version=1,
            name="Lyngbysild",
            details=Details(city="Lyngby"),
        )
    with acting_as(nancy):
        assert reinstate(found).status == "approved"


# Until when


def test_an_approval_ends_on_the_day_that_was_said(ann):
    found, open_ended = supplier("First").id, supplier("Second", valid_until=TODAY - timedelta(days=3)).id
    with acting_as(ann):
        approve(found, valid_until=TODAY + timedelta(days=365))
        approve(open_ended)
        with pytest.raises(Invalid) as refused:
            approve(supplier("Third").id, valid_until=TODAY)
    assert get(found).valid_until == TODAY + timedelta(days=365)
    assert get(open_ended).valid_until is None
    assert set(refused.value.fields) == {"valid_until"}


def test_approving_elsewhere_does_not_leave_an_end_that_is_over(ann):
    over = supplier("Over", valid_until=TODAY - timedelta(days=3), reminded_at=now()).id
    still = supplier("Still", valid_until=TODAY + timedelta(days=3)).id
    with acting_as(ann):
        for row in read(approvals.waiting_for_me).rows:
            transact(approvals.approve, approval_id=row.id)
    assert (get(over).valid_until, get(over).reminded_at) == (None, None)
    assert get(still).valid_until == TODAY + timedelta(days=3)


def test_an_approved_supplier_is_approved_anew_by_somebody_else(ann, nancy):
    found = supplier(status="approved", valid_until=TODAY - timedelta(days=1)).id
    with acting_as(ann):
        assert transact(supplier_standing.ask_again, supplier_id=found, version=1).status == "pending"
        with pytest.raises(Conflict, match="only an approved supplier is approved again"):
            transact(supplier_standing.ask_again, supplier_id=found)
        with pytest.raises(NotAllowed, match="You asked for this"):
            approve(found)
    with acting_as(nancy):
        approve(found, valid_until=TODAY + timedelta(days=30))
    assert (get(found).status, get(found).valid_until) == ("approved", TODAY + timedelta(days=30))


# Reminding


def ending():
    return [(row.supplier, row.what, row.over) for row in read(supplier_standing.ending_soon)]


def test_what_ends_soon_is_listed_the_first_one_first(ann):
    days = get_settings().supplier_reminder_days
    supplier("Later", status="approved", valid_until=TODAY + timedelta(days=days + 1))
    soon = supplier("Soon", status="approved", valid_until=TODAY + timedelta(days=days)).id
    supplier("Over", status="approved", valid_until=TODAY - timedelta(days=1))
    supplier("Waits", valid_until=TODAY)
    expires(document("supplier", soon or 0, "insurance.txt"), TODAY)
    expires(document("supplier", soon or 0, "other.txt"), TODAY + timedelta(days=days + 1))
    with acting_as(ann):
        assert ending() == [("Over", "Approval", True), ("Soon", "insurance.txt", False), ("Soon", "Approval", False)]


def expires(document_id, on):
    def build(session):
        session.get_one(Document, document_id).expires_on = on

    arrange(build)


def test_people_are_reminded_once_by_mail_where_there_is_a_server(ann, ada, inbox):
    person("carl", "manager", enabled=False)
    found = supplier("Over", status="approved", valid_until=TODAY - timedelta(days=1)).id
    supplier("Lasting", status="approved")
    with acting_as(system_actor("jobs")):
        jobs.remind_of_suppliers()
        jobs.remind_of_suppliers()
    messages = [message_from_bytes(received, policy=default) for received in inbox.received]
    assert [message["To"] for message in messages] == ["ada@example.com", "ann@example.com"]
    assert f"Over: {TODAY - timedelta(days=1):%-d %b %Y}" in messages[0].get_content()
    assert get(found).reminded_at is not None
    assert get(found).version == 1


def paper(supplier_id, days, name="certificate.pdf", **more):
    return document("supplier", supplier_id, name=name, expires_on=TODAY + timedelta(days=days), **more)


def test_documents_that_end_are_mailed_once_with_what_to_do(ann, ada, inbox):
    acme = supplier("Acme", status="approved").id
    ends = paper(acme, 3)
    paper(acme, -2, "insurance.pdf")
    paper(acme, 3, "removed.pdf", removed_at=now())
    paper(acme, 4_000, "lasts.pdf")
    paper(supplier("Waits", status="pending").id, 3, "pending.pdf")
    paper(supplier("Stopped", status="suspended").id, 3, "suspended.pdf")
    with acting_as(system_actor("jobs")):
        jobs.remind_of_suppliers()
        jobs.remind_of_suppliers()
    messages = [message_from_bytes(received, policy=default) for received in inbox.received]
    assert [message["To"] for message in messages] == ["ada@example.com", "ann@example.com"]
    assert messages[0]["Subject"] == "Documents of suppliers end"
    assert messages[0].get_content().splitlines() == [
        f"insurance.pdf of Acme: {TODAY - timedelta(days=2):%-d %b %Y}",
        f"certificate.pdf of Acme: {TODAY + timedelta(days=3):%-d %b %Y}",
        "",
        "Ask for new ones, and add them on the page of the supplier.",
    ]
    with open_session() as session:
        assert session.get_one(Document, ends).reminded_at is not None


def test_approvals_and_documents_that_end_are_one_mail(ann, inbox):
    paper(supplier("Acme", status="approved", valid_until=TODAY).id, 3)
    with acting_as(system_actor("jobs")):
        jobs.remind_of_suppliers()
    (message,) = [message_from_bytes(received, policy=default) for received in inbox.received]
    assert message["Subject"] == "Approvals and documents of suppliers end"
    assert "Acme: " in message.get_content()
    assert "certificate.pdf of Acme: " in message.get_content()


def test_a_mail_that_is_not_taken_fails_the_run_and_not_the_reminder(ann, inbox):
    supplier("Over", status="approved", valid_until=TODAY)
    inbox.refuses = True
    with acting_as(system_actor("jobs")), pytest.raises(NotSent):
        jobs.remind_of_suppliers()
    with acting_as(system_actor("jobs")):
        assert not read(supplier_standing.any_to_remind)


def test_without_a_server_the_reminder_is_on_the_dashboard_only(database):
    supplier("Over", status="approved", valid_until=TODAY)
    with acting_as(system_actor("jobs")):
        assert read(supplier_standing.any_to_remind)
        jobs.remind_of_suppliers()
        assert not read(supplier_standing.any_to_remind)


# Terms


def terms(supplier_id, **more):
    given = {"version": get(supplier_id).version, "payment_days": 30} | more
    return transact(suppliers.agree_terms, supplier_id=supplier_id, **given)


def test_terms_are_agreed_without_a_new_decision(ann):
    found = supplier(status="approved").id
    with acting_as(ann):
        terms(found, delivery_terms="DAP Oslo", minimum_order=Decimal("250.50"))
        terms(found, payment_days=14)
        kept = get(found)
        terms(found, payment_days=14, minimum_order=Decimal(0))
    assert (kept.payment_days, kept.delivery_terms, kept.minimum_order) == (14, None, Decimal("250.50"))
    assert (get(found).minimum_order, get(found).status, get(found).last_edited_by) == (None, "approved", ann.id)


def test_faulty_terms_are_refused_beside_the_field(ann):
    found = supplier().id
    with acting_as(ann):
        for given in ({"payment_days": 366}, {"delivery_terms": "x" * 101}, {"minimum_order": Decimal(-1)}):
            with pytest.raises(Invalid) as refused:
                terms(found, **given)
            assert set(refused.value.fields) == set(given)
        with pytest.raises(Invalid, match="Nothing was changed"):
            terms(found, payment_days=None)


def test_the_smallest_order_is_set_only_by_who_sees_prices(database):
    role("clerks", Permission.SUPPLIERS_EDIT)
    carla, found = person("carla", "clerks"), supplier().id
    with acting_as(carla):
        with pytest.raises(NotAllowed, match="See costs and prices"):
            terms(found, minimum_order=Decimal(10))
        terms(found)
    assert get(found).payment_days == 30
