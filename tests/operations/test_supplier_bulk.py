"""Deciding about many suppliers together: all or none, each under every rule that deciding alone has."""

from datetime import timedelta

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Invalid, InvalidRows, NotAllowed
from inventory_app.models._base import now
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import supplier_bulk
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import add, person, supplier
from tests.fixtures.seeing import Side, after, locks_waited_for, wait_until_blocked


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


def chosen(*ids, version=1):
    return [(id_, version) for id_ in ids]


def decide(*ids, approving=True, version=1, **more):
    return transact(supplier_bulk.decide_suppliers, chosen=chosen(*ids, version=version), approving=approving, **more)


def statuses(*ids):
    with open_session() as session:
        return [session.get_one(Supplier, id_).status for id_ in ids]


def valid_until(id_):
    with open_session() as session:
        return session.get_one(Supplier, id_).valid_until


def test_many_are_approved_together_each_with_its_own_decision(ann, trail):
    ids = [supplier(f"Company {number}").id for number in range(3)]
    until = now().date() + timedelta(days=90)
    with acting_as(ann):
        done = decide(*ids, reason="Known for years", valid_until=until)
    assert (done.count, done.waiting) == (3, 0)
    assert statuses(*ids) == ["approved"] * 3
    changes = [change for change in trail.changes(table="supplier") if "status" in change.before]
    assert {change.after["decision_reason"] for change in changes} == {"Known for years"}
    assert {until.isoformat()} == {str(valid_until(id_)) for id_ in ids}
    assert len(trail.changes(table="approval_decision")) == 3
    assert len(trail.operations(name="supplier_bulk.decide_suppliers")) == 1


def test_nothing_is_decided_when_one_cannot_be_and_each_says_why(ann, nancy):
    fine = supplier("Fine").id
    own = supplier("Own", entered_by=ann.id).id
    changed = supplier("Changed", version=2).id
    decided = supplier("Decided", status="rejected").id
    not_asked = add(Supplier(name="Nobody asked", status=SupplierStatus.PENDING)).id
    with acting_as(ann), pytest.raises(InvalidRows) as refused:
        decide(fine, own, changed, decided, not_asked, 4_711)
    assert str(refused.value) == "Nothing was decided: 5 of 6 cannot be. Take them out, or say why."
    said = {name: sentence for _, name, sentence in refused.value.rows}
    assert said["Own"] == "You entered this supplier, so somebody else must approve it."
    assert said["Changed"].startswith("It was changed after you opened the page")
    assert said["Decided"] == "An import rejected this supplier."
    assert said["Nobody asked"].startswith("Nobody has asked for a decision")
    assert said["A supplier that is no longer there"] == "A supplier that is no longer there."
    assert [row for row, *_ in refused.value.rows] == [2, 3, 4, 5, 6]
    assert statuses(fine, own) == ["pending", "pending"]


def test_the_preview_says_what_the_decision_would(ann, nancy):
    supplier("Theirs", status="approved", email="office@group.example")
    fine, twin = supplier("Fine").id, supplier("Twin", email="office@group.example").id
    own = supplier("Own", entered_by=ann.id).id
    with acting_as(ann):
        seen = read(supplier_bulk.preview_decisions, chosen=chosen(fine, twin, own, 4_711), approving=True)
        assert [(row.name, bool(row.fault), bool(row.needs)) for row in seen.rows] == [
            ("Fine", False, False),
            ("Twin", False, True),
            ("Own", True, False),
            ("A supplier that is no longer there", True, False),
        ]
        assert (seen.faults, seen.needs_reason) == (2, True)
        with pytest.raises(InvalidRows) as refused:
            decide(fine, twin)
        assert [name for _, name, _ in refused.value.rows] == ["Twin"]
        assert decide(fine, twin, reason="One owner").count == 2
        alone = read(supplier_bulk.preview_decisions, chosen=chosen(own), approving=False)
        assert (alone.faults, alone.needs_reason) == (1, True)


def test_many_are_rejected_together_with_a_reason(ann):
    ids = [supplier(f"Company {number}").id for number in range(2)]
    with acting_as(ann):
        with pytest.raises(Invalid) as refused:
            decide(*ids, approving=False)
        assert set(refused.value.fields) == {"reason"}
        decide(*ids, approving=False, reason="Too far away")
    assert statuses(*ids) == ["rejected", "rejected"]


def test_where_two_must_agree_the_first_of_them_leaves_all_waiting(ann, nancy, monkeypatch):
    monkeypatch.setenv("INVENTORY_SUPPLIER_APPROVALS", "2")
    get_settings.cache_clear()
    ids = [supplier(f"Company {number}").id for number in range(2)]
    with acting_as(ann):
        assert decide(*ids).waiting == 2
    with acting_as(nancy):
        assert decide(*ids).waiting == 0
    get_settings.cache_clear()
    assert statuses(*ids) == ["approved", "approved"]


def test_too_many_none_and_a_day_that_is_over_are_refused(ann):
    found = supplier().id
    with acting_as(ann):
        for ids in ((), range(1, supplier_bulk.MOST + 2)):
            with pytest.raises(Invalid, match="Choose 1 to 100 suppliers"):
                decide(*ids)
        with pytest.raises(Invalid) as refused:
            decide(found, valid_until=now().date())
    assert set(refused.value.fields) == {"valid_until"}


def test_deciding_together_needs_the_permission(bob):
    found = supplier().id
    with acting_as(bob):
        with pytest.raises(NotAllowed):
            decide(found)
        with pytest.raises(NotAllowed):
            read(supplier_bulk.preview_decisions, chosen=chosen(found), approving=True)


def test_of_two_sets_that_overlap_exactly_one_is_decided(ann, nancy, observer):
    ids = [supplier(f"Company {number}").id for number in range(3)]
    with acting_as(ann), Side(lambda: decide(*ids[:2]), until=after("UPDATE supplier")) as first:
        holder = first.reaches_its_point()
        with acting_as(nancy), Side(lambda: decide(*reversed(ids[1:]))) as second:
            waiting = wait_until_blocked(observer, holder)
            assert [kind for kind, _ in locks_waited_for(observer, waiting)] == ["transactionid"]
            first.go_on()
            refusal = second.error()
        assert first.error() is None
    assert isinstance(refusal, InvalidRows)
    assert statuses(*ids) == ["approved", "approved", "pending"]
