"""Contacts of suppliers: entered, corrected in the version that was read, switched off, personal in the trail."""

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.operations import supplier_contacts
from inventory_app.unit_of_work import read, transact
from tests.factories import person, supplier


@pytest.fixture
def acme(database):
    """Return a supplier."""
    return supplier().id


def add(supplier_id, **more):
    return transact(supplier_contacts.add_contact, supplier_id=supplier_id, **({"name": "Marie Delamare"} | more))


def correct(contact_id, **more):
    given = {"contact_id": contact_id, "version": 1, "name": "Marie Delamare"} | more
    return transact(supplier_contacts.update_contact, **given)


def rows(supplier_id):
    return read(supplier_contacts.contacts, supplier_id=supplier_id)


def test_a_contact_is_entered_corrected_and_switched_off(ann, acme, trail):
    with acting_as(ann):
        done = add(acme, position="Invoices", email="marie@acme.example", phone="85 57 00 07", note="Mornings")
        assert (done.supplier, done.name) == ("Acme", "Marie Delamare")
        correct(done.contact_id, position="Quality")
        second = add(acme, name="Paul Henriot")
        correct(done.contact_id, version=2, active=False)
        assert [(row.name, row.active, row.position) for row in rows(acme)] == [
            ("Paul Henriot", True, ""),
            ("Marie Delamare", False, ""),
        ]
    assert second.contact_id != done.contact_id
    inserted = [change for change in trail.changes(table="supplier_contact") if change.kind == "insert"]
    assert "marie@acme.example" not in str([change.after for change in inserted])


def test_everything_wrong_is_said_beside_its_field(ann, acme):
    with acting_as(ann), pytest.raises(Invalid) as refused:
        add(acme, name=" ", email="nowhere", phone="ask", position="x" * 101, note="x" * 501)
    assert set(refused.value.fields) == {"name", "email", "phone", "position", "note"}


def test_only_what_was_read_is_corrected_and_only_when_something_changes(ann, acme):
    with acting_as(ann):
        made = add(acme).contact_id
        with pytest.raises(Invalid, match="Nothing was changed"):
            correct(made)
        with pytest.raises(Stale, match="Marie Delamare was changed"):
            correct(made, version=2, name="Marie")
        with pytest.raises(NotFound):
            correct(4_711)
        with pytest.raises(NotFound):
            add(4_711)


def test_a_supplier_has_only_so_many_contacts(ann, acme, monkeypatch):
    monkeypatch.setattr(supplier_contacts, "_MOST", 2)
    with acting_as(ann):
        add(acme)
        add(acme)
        with pytest.raises(Conflict, match="At most 2 contacts"):
            add(acme)


def test_contacts_are_entered_by_who_may_correct_suppliers(acme):
    eve = person("eve", "employee")
    with acting_as(eve):
        with pytest.raises(NotAllowed):
            add(acme)
        assert rows(acme) == []
