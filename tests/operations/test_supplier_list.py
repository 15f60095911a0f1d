"""All suppliers as a list, correcting one, and applying again after a rejection."""

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Stale
from inventory_app.models._base import now
from inventory_app.models.suppliers import SupplierStatus
from inventory_app.operations import suppliers
from inventory_app.operations._lists import View
from inventory_app.operations._supplier_fields import Details
from inventory_app.operations._supplier_list import LIST
from inventory_app.unit_of_work import read, transact
from tests.factories import anonymous, person, supplier
from tests.fixtures.seeing import Side, after, wait_until_blocked
from tests.operations.test_suppliers import APPLICATION, apply, approve, detail, enter, reject


@pytest.fixture
def nancy(database):
    return person("nancy", "manager")


def listed(**view):
    return read(suppliers.list_suppliers, view=View(**view))


def correct(supplier_id, version=1, name="Acme", reason="", **details):
    read_as = {"supplier_id": supplier_id, "version": version}
    return transact(suppliers.update_supplier, **read_as, name=name, details=Details(**details), reason=reason)


# The list


@pytest.fixture
def eight(database, nancy):
    """Return eight suppliers of every status, by name as they sort."""
    made = []
    for number, name in enumerate(["Ärmel AG", "acme", "Bolt & Co", "Cable", "Drum", "Élan", "Fish", "Zinc"]):
        status = list(SupplierStatus)[number % 4].value
        decided = {} if status == "pending" else {"decided_at": now(), "decided_by": nancy.id}
        made.append(supplier(name, status=status, city="Oslo" if number % 2 else None, tax_id=f"T{number}", **decided))
    return sorted(made, key=lambda one: one.sort_key)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", LIST.columns)
def test_the_pages_of_every_order_hold_every_supplier_once(sort, descending, eight, ann):
    keys = {
        "name": lambda one: (one.sort_key, one.id),
        "status": lambda one: (one.status, one.id),
        "changed": lambda one: (one.decided_at or one.submitted_at, one.id),
        "tax_id": lambda one: (one.tax_id, one.id),
        # Nobody has any of these.
        "contact": lambda one: one.id,
        "terms": lambda one: one.id,
    }
    found, cursor = [], ""
    with acting_as(ann):
        for _ in range(3):
            page = listed(sort=sort, descending=descending, cursor=cursor, size=3).page
            found += [row.id for row in page.rows]
            cursor = page.after
    assert found == [one.id for one in sorted(eight, key=keys[sort], reverse=descending)]
    assert cursor == ""


def test_it_is_narrowed_by_words_and_status_with_the_counts_of_all(eight, ann):
    with acting_as(ann):
        assert [row.name for row in listed(search="ELA").page.rows] == ["Élan"]
        assert [row.name for row in listed(search="t2").page.rows] == ["Bolt & Co"]
        both = listed(search="oslo", filters={"status": "approved"})
        assert ([row.name for row in both.page.rows], both.count) == (["acme", "Élan"], 2)
        assert both.counts == dict.fromkeys(("pending", "approved", "rejected", "suspended"), 2)
        assert listed(filters={"status": "whatever"}).count == 8
        assert listed(search="%").count == 0
        assert listed(filters={"city": "OSL", "country": "%"}).count == 0
        assert listed(filters={"city": "OSL"}).count == 4


def test_a_row_says_who_did_the_last_step(ann, nancy):
    with acting_as(ann):
        found = enter(name="Lyngbysild", city="Lyngby", country="Denmark", email="fish@lyngby.example")
        (row,) = listed().page.rows
        assert (row.status, row.step, row.place, row.email) == (
            "pending",
            "Entered by you",
            "Lyngby, Denmark",
            "fish@lyngby.example",
        )
    with acting_as(nancy):
        assert listed().page.rows[0].step == "Entered by Ann"
        approve(found)
        assert listed().page.rows[0].step == "Approved by Nancy"
    supplier("Old one", status="approved", source="import", decided_at=None)
    with acting_as(ann):
        assert {row.name: row.step for row in listed().page.rows}["Old one"] == "Imported by the system"


def test_whoever_may_see_suppliers_sees_the_list_and_nobody_else(eight, bob, stranger):
    for actor, error in ((bob, NotAllowed), (stranger, NotSignedIn)):
        with acting_as(actor), pytest.raises(error):
            listed()
    with acting_as(person("eve", "employee")):
        assert listed().count == 8


# Correcting


def test_a_correction_is_on_record_with_its_reason_and_raises_the_version(ann, trail):
    found = supplier(phone="1234", tax_id="GB 1").id
    with acting_as(ann):
        done = correct(found, tax_id="GB 1", phone="+45 43 84 41 08", reason="Moved")
    assert (done.name, done.returned) == ("Acme", False)
    (change,) = trail.changes(table="supplier")
    assert (trail.last().name, trail.last().reason) == ("suppliers.update_supplier", "Moved")
    assert (change.after["version"], change.after["last_edited_by"]) == (2, ann.id)
    assert set(change.before) == {"phone", "version", "last_edited_by"}


@pytest.mark.parametrize("changed", [{"name": "Acme plc"}, {"tax_id": "GB 2"}, {"tax_id": ""}])
def test_another_name_or_tax_id_of_an_approved_supplier_needs_a_new_decision(changed, ann, nancy):
    found = supplier(tax_id="GB 1").id
    with acting_as(ann):
        approve(found)
        assert correct(found, 2, **({"tax_id": "GB 1"} | changed)).returned
        shown = detail(found)
        assert (shown.status, shown.decided, shown.decided_at, shown.reason) == ("pending", "", "", "")
        assert shown.why_not == "You last edited this supplier, so somebody else must approve it."
        with pytest.raises(NotAllowed, match="You last edited"):
            approve(found)
    with acting_as(nancy):
        assert approve(found).status == "approved"


def test_everything_else_leaves_an_approved_supplier_approved(ann, nancy):
    found = supplier().id
    with acting_as(nancy):
        approve(found)
    with acting_as(ann):
        assert not correct(found, 2, city="Oslo", email="a@b.example", currency="nok").returned
        assert detail(found).status == "approved"


@pytest.mark.parametrize("status", ["rejected", "suspended", "pending"])
def test_a_correction_decides_nothing(status, ann):
    found = supplier(status=status).id
    with acting_as(ann):
        assert not correct(found, name="Acme plc").returned
        assert detail(found).status == status


def test_whoever_corrects_an_older_version_is_told_and_changes_nothing(ann, nancy, trail):
    found = supplier().id
    with acting_as(nancy):
        correct(found, city="Oslo")
    with acting_as(ann), pytest.raises(Stale, match="Acme was changed after you opened it"):
        correct(found, city="Bergen")
    assert trail.last().outcome == "failed"
    with acting_as(ann):
        assert read(suppliers.supplier_to_edit, supplier_id=found).values["city"] == "Oslo"


def test_of_two_corrections_at_once_one_is_stale(ann, nancy, observer):
    found = supplier().id
    with acting_as(ann), Side(lambda: correct(found, city="Oslo"), until=after("UPDATE supplier")) as first:
        holder = first.reaches_its_point()
        with acting_as(nancy), Side(lambda: correct(found, city="Bergen")) as second:
            wait_until_blocked(observer, holder)
            first.go_on()
            refused = second.error()
        assert first.error() is None
    assert isinstance(refused, Stale)


def test_what_is_wrong_is_said_beside_its_field_and_nothing_changed_is_said(ann):
    found = supplier(city="Oslo").id
    with acting_as(ann):
        with pytest.raises(Invalid) as refused:
            correct(found, name="", email="nowhere", reason="x" * 2_000)
        assert set(refused.value.fields) == {"name", "email"}
        with pytest.raises(Invalid, match="Nothing was changed"):
            correct(found, city=" Oslo ")
        with pytest.raises(NotFound, match="no such supplier"):
            correct(4_711)
        supplier("Other")
        with pytest.raises(Conflict, match="A supplier of this name exists"):
            correct(found, name="OTHER")


def test_correcting_needs_the_permission(bob, stranger):
    found = supplier().id
    for actor, error in ((bob, NotAllowed), (person("eve", "employee"), NotAllowed), (stranger, NotSignedIn)):
        with acting_as(actor), pytest.raises(error):
            correct(found, city="Oslo")


def test_the_form_begins_with_what_is_there(ann):
    found = supplier(tax_id="GB 1", address="1 Quay\nBristol").id
    with acting_as(ann):
        form = read(suppliers.supplier_to_edit, supplier_id=found)
        assert (form.version, form.approved, form.values["address"], form.values["phone"]) == (
            1,
            False,
            "1 Quay\nBristol",
            "",
        )
        assert read(suppliers.supplier_to_edit, supplier_id=4_711) is None


# Applying again


def test_a_rejected_supplier_applies_again_under_the_same_name_on_record(ann, stranger, trail):
    with acting_as(stranger):
        first = apply(phone="1234")
    with acting_as(ann):
        reject(first.supplier_id, reason="No papers")
    with acting_as(anonymous("198.51.100.9")):
        again = apply(name=APPLICATION["name"].upper(), phone="", message="With papers")
    assert again.supplier_id == first.supplier_id
    (change,) = trail.changes(table="supplier")
    assert (change.before["status"], change.before["decision_reason"]) == ("rejected", "No papers")
    assert (change.after["status"], change.after["decided_by"], change.after["version"]) == ("pending", None, 3)
    with acting_as(ann):
        shown = detail(first.supplier_id)
        fields = {row.label: row.after for row in shown.fields}
        assert (shown.status, shown.from_address, shown.reason) == ("pending", "198.51.100.9", "")
        assert (fields["Name"], fields["Message"]) == (APPLICATION["name"].upper(), "With papers")
        assert fields["Phone"] == ""
        assert approve(first.supplier_id).status == "approved"


def test_staff_enter_a_rejected_supplier_again_and_somebody_else_decides(ann, nancy):
    found = supplier("Lyngbysild").id
    with acting_as(nancy):
        reject(found)
    with acting_as(ann):
        assert enter(name="lyngbysild") == found
        with pytest.raises(NotAllowed, match="You entered this supplier"):
            approve(found)
    with acting_as(nancy):
        assert approve(found).status == "approved"


@pytest.mark.parametrize("status", ["pending", "approved", "suspended"])
def test_only_a_rejected_name_is_free_again(status, stranger, ann):
    found = supplier(APPLICATION["name"], status=status).id
    with acting_as(stranger), pytest.raises(Conflict, match="A supplier of this name exists"):
        apply()
    with acting_as(ann):
        assert detail(found).status == status


def test_of_two_new_applications_at_once_one_takes_the_place(ann, stranger, observer):
    found = supplier(APPLICATION["name"], status="rejected").id
    with acting_as(ann), Side(lambda: enter(name=APPLICATION["name"]), until=after("UPDATE supplier")) as first:
        holder = first.reaches_its_point()
        with acting_as(stranger), Side(apply) as second:
            wait_until_blocked(observer, holder)
            first.go_on()
            refused = second.error()
        assert first.error() is None
    assert isinstance(refused, Conflict)
    with acting_as(ann):
        assert detail(found).entered == "Entered by you"


def rows_of(supplier_id):
    """Return what the approval shows: field, before, now, and only what has changed."""
    shown = detail(supplier_id)
    return shown.earlier, {row.label: (row.before, row.after) for row in shown.fields if row.changed}


def test_who_decides_again_sees_what_has_changed_since_the_last_decision(ann, nancy):
    found = supplier(tax_id="GB 1", phone="12345", email="a@acme.example", city="Oslo").id
    with acting_as(ann):
        assert rows_of(found)[0] == ""
        correct(found, tax_id="GB 1", phone="12345", email="a@acme.example", city="Bergen")
        assert rows_of(found)[0] == ""
    with acting_as(nancy):
        approve(found)
    with acting_as(ann):
        same = {"email": "a@acme.example", "city": "Bergen"}
        correct(found, 3, tax_id="GB 1", phone="67890", **same)
        correct(found, 4, tax_id="GB 2", phone="67890", **same)
        correct(found, 5, tax_id="GB 3", phone="55555", email="", city="Bergen")
        earlier, changed = rows_of(found)
    assert earlier == "approved"
    assert changed == {"Tax id": ("GB 1", "GB 3"), "Phone": ("12345", "55555"), "Email": ("a@acme.example", "")}


def test_an_application_after_a_rejection_is_compared_with_the_rejected_one(ann, stranger):
    with acting_as(stranger):
        found = apply().supplier_id
    with acting_as(ann):
        reject(found)
        assert rows_of(found)[0] == ""
    with acting_as(anonymous("198.51.100.9")):
        apply(tax_id="FR 1", contact_name="Paul")
    with acting_as(ann):
        assert rows_of(found) == (
            "rejected",
            {"Tax id": (APPLICATION["tax_id"], "FR 1"), "Contact": (APPLICATION["contact_name"], "Paul")},
        )
