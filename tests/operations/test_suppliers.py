"""Suppliers: who may apply, enter and decide, and that two people at once decide once."""

from datetime import timedelta

import pytest

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import (
    AlreadyDecided,
    AppError,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Stale,
    TooManyAttempts,
)
from inventory_app.models._base import now
from inventory_app.operations import dashboard, suppliers
from inventory_app.operations._strangers import FAILED_PER_ADDRESS, SUCCEEDED_PER_ADDRESS
from inventory_app.operations._supplier_fields import Details
from inventory_app.unit_of_work import read, transact
from tests.factories import anonymous, person, supplier
from tests.fixtures.seeing import Side, after, before_commit, locks_waited_for, wait_until_blocked

OWN_ENTRY = "You entered this supplier, so somebody else must approve it."
APPLICATION = {
    "name": "Escargots Nouveaux",
    "tax_id": "FR 40 303 265 045",
    "contact_name": "Marie Delamare",
    "email": "marie@escargots.example",
    "phone": "85.57.00.07",
    "address": "22, rue H. Voiron\nMontceau",
    "website": "https://escargots.example",
    "message": "Snails, fresh and tinned.",
}


@pytest.fixture
def nancy(database):
    """Return a second manager: what Ann entered, Nancy may approve."""
    return person("nancy", "manager")


@pytest.fixture
def eve(database):
    """Return an employee: she sees suppliers and may not decide."""
    return person("eve", "employee")


def apply(**changes):
    return transact(suppliers.apply_supplier, **(APPLICATION | changes))


def enter(name="Lyngbysild", message="", **details):
    made = transact(suppliers.create_supplier, name=name, details=Details(**details), message=message)
    return made.supplier_id


def approve(supplier_id, **more):
    return transact(suppliers.approve_supplier, supplier_id=supplier_id, **more)


def reject(supplier_id, reason="Not for us", **more):
    return transact(suppliers.reject_supplier, supplier_id=supplier_id, reason=reason, **more)


def detail(supplier_id):
    return read(suppliers.supplier_detail, supplier_id=supplier_id)


# Applying and entering


def test_a_stranger_applies_and_waits(stranger, ann, trail):
    with acting_as(stranger):
        done = apply()
    assert trail.last().actor_kind == "anonymous"
    (change,) = trail.changes(table="supplier")
    assert (change.kind, change.after["status"], change.after["entered_by"]) == ("insert", "pending", None)
    with acting_as(ann):
        (row,) = read(suppliers.supplier_queue).rows
    assert (row.id, row.name, row.entered) == (done.supplier_id, APPLICATION["name"], "Applied by the supplier")


def test_contact_email_and_phone_appear_in_the_trail_only_as_personal_data(stranger, trail):
    with acting_as(stranger):
        apply()
    (change,) = trail.changes(table="supplier")
    assert APPLICATION["email"] not in str(change.after)
    assert trail.personal(change.id)["email"].after == APPLICATION["email"]


@pytest.mark.parametrize("field", ["name", "tax_id", "contact_name", "email", "address"])
def test_an_application_needs(field, stranger):
    with acting_as(stranger), pytest.raises(Invalid) as refused:
        apply(**{field: "  "})
    assert refused.value.fields == {field: "Please fill this in."}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tax_id", "none"),
        ("tax_id", "<script>1"),
        ("email", "marie"),
        ("email", "marie@escargots"),
        ("phone", "ask Marie"),
        ("website", "javascript:alert(1)"),
        ("website", "ftp://files.example"),
        ("website", "here"),
        ("name", "x" * 201),
        ("message", "x" * 2_001),
        ("address", "x" * 200_000),
        ("email", "m" * 200_000 + "@escargots.example"),
        ("name", "Escargots\0Nouveaux"),
        ("message", "NUL \0"),
        ("name", "half of an emoji \ud83d"),
        ("name", "abc\u202ecba"),
        ("name", "Escargots\u200bNouveaux"),
    ],
)
def test_an_application_is_refused_beside_the_field(field, value, stranger, ann, trail):
    with acting_as(stranger), pytest.raises(Invalid) as refused:
        apply(**{field: value})
    assert set(refused.value.fields) == {field}
    assert trail.last().outcome == "failed"
    with acting_as(ann):
        assert read(suppliers.supplier_queue).rows == []


def test_everything_wrong_is_said_at_once(stranger):
    with acting_as(stranger), pytest.raises(Invalid) as refused:
        apply(name="", email="nowhere", website="no")
    assert set(refused.value.fields) == {"name", "email", "website"}


@pytest.mark.parametrize(
    "name",
    [
        "Šokolády 🍫 & 👩‍🌾",
        "شركة التوريد",
        "חברה בע״מ",
        "株式会社サンプル",
        "'; DROP TABLE supplier; --",
        "=HYPERLINK(1)",
        "<b>Bold</b>",
        "100 % \\ _ supplies",
    ],
)
def test_any_script_is_kept_as_typed_and_found_again(name, ann):
    with acting_as(ann):
        enter(name=name, message="أهلا\nline two 🙂")
        (row,) = read(suppliers.supplier_queue, search=name).rows
        shown = {field.label: field.after for field in detail(row.id).fields}
    assert row.name == name
    assert shown["Message"] == "أهلا\nline two 🙂"


def test_accents_typed_in_two_ways_are_one_name(ann):
    with acting_as(ann):
        enter(name="Gai p\u00e2turage")
        with pytest.raises(Conflict, match="A supplier of this name exists") as refused:
            enter(name="GAI  pa\u0302turage ")
    assert set(refused.value.fields) == {"name"}


def test_entering_needs_the_permission_and_only_a_name(ann, bob, eve, stranger):
    for actor, error in ((bob, NotAllowed), (eve, NotAllowed), (stranger, NotSignedIn)):
        with acting_as(actor), pytest.raises(error):
            enter()
    with acting_as(ann):
        enter(currency="dkk")
        with pytest.raises(Invalid) as refused:
            enter(name="", currency="kroner")
    assert set(refused.value.fields) == {"name", "currency"}


# Not too many applications from one address


def test_one_address_applies_a_few_times_an_hour(stranger, trail):
    with acting_as(stranger):
        for number in range(SUCCEEDED_PER_ADDRESS):
            apply(name=f"Company {number}")
        with pytest.raises(TooManyAttempts, match=r"Try again in \d+ min"):
            apply(name="One more")
    assert trail.last().outcome == "denied"
    with acting_as(anonymous("198.51.100.9")):
        apply(name="From elsewhere")


def test_the_addresses_of_one_ipv6_customer_are_one(database):
    for number in range(SUCCEEDED_PER_ADDRESS):
        with acting_as(anonymous(f"2001:db8:1:2::{number}")):
            apply(name=f"Company {number}")
    with acting_as(anonymous("2001:db8:1:2:aaaa::1")), pytest.raises(TooManyAttempts):
        apply(name="One more")


def test_mistakes_do_not_use_up_the_applications(stranger):
    with acting_as(stranger):
        for _ in range(SUCCEEDED_PER_ADDRESS + 1):
            with pytest.raises(Invalid):
                apply(email="nowhere")
        apply()


def test_trying_out_names_is_slowed_down_too(stranger):
    with acting_as(stranger):
        for _ in range(FAILED_PER_ADDRESS):
            with pytest.raises(Invalid):
                apply(email="nowhere")
        with pytest.raises(TooManyAttempts):
            apply()


def test_two_applications_at_once_do_not_share_the_last_place(stranger, observer):
    with acting_as(stranger):
        for number in range(SUCCEEDED_PER_ADDRESS - 1):
            apply(name=f"Company {number}")
        with Side(lambda: apply(name="First"), until=before_commit()) as first:
            holder = first.reaches_its_point()
            with Side(lambda: apply(name="Second")) as second:
                waiting = wait_until_blocked(observer, holder)
                assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
                first.go_on()
                assert isinstance(second.error(), TooManyAttempts)
            assert first.error() is None


# Deciding


def test_somebody_else_approves(ann, nancy, trail):
    with acting_as(ann):
        found = enter()
    with acting_as(nancy):
        assert approve(found, reason="Knows fish").status == "approved"
    assert (trail.last().reason, trail.last().actor_name) == ("Knows fish", "nancy")
    (change,) = trail.changes(table="supplier")
    assert change.before == {
        "status": "pending",
        "version": 1,
        "decided_by": None,
        "decided_at": None,
        "approved_at": None,
        "decision_reason": None,
    }
    assert (change.after["status"], change.after["decided_by"], change.after["version"]) == ("approved", nancy.id, 2)
    assert change.after["approved_at"] == change.after["decided_at"]


def test_rejecting_leaves_it_unapproved(ann, nancy, trail):
    with acting_as(ann):
        found = enter()
    with acting_as(nancy):
        assert reject(found).status == "rejected"
    after_it = trail.changes(table="supplier")[0].after
    assert (after_it["status"], after_it["approved_at"], after_it["decision_reason"]) == (
        "rejected",
        None,
        "Not for us",
    )


@pytest.mark.parametrize("decide", [approve, reject])
def test_whoever_entered_it_cannot_decide(decide, ann, trail):
    with acting_as(ann):
        found = enter()
        with pytest.raises(NotAllowed) as refused:
            decide(found)
        assert str(refused.value) == OWN_ENTRY
        assert detail(found).why_not == OWN_ENTRY
    assert trail.last().outcome == "denied"
    assert trail.last().detail == f"{OWN_ENTRY} (supplier_id {found})"


def test_whoever_last_edited_it_cannot_decide(ann, nancy):
    found = supplier(entered_by=nancy.id, last_edited_by=ann.id).id
    with acting_as(ann):
        with pytest.raises(NotAllowed, match="You last edited this supplier"):
            approve(found)
        assert detail(found).why_not.startswith("You last edited this supplier")


@pytest.mark.parametrize("decide", [approve, reject])
def test_deciding_needs_the_permission_and_a_person(decide, bob, eve, stranger):
    found = supplier().id
    for actor, error in ((bob, NotAllowed), (eve, NotAllowed), (stranger, NotSignedIn)):
        with acting_as(actor), pytest.raises(error):
            decide(found)
    with acting_as(system_actor("nightly")), pytest.raises(NotAllowed, match="This needs a person"):
        decide(found)


def test_the_second_decision_hears_who_made_the_first(ann, nancy):
    found = supplier().id
    with acting_as(nancy):
        approve(found)
    with acting_as(ann):
        with pytest.raises(AlreadyDecided, match=r"^Nancy approved this supplier on \d+ \w+ \d{4}, \d\d:\d\d UTC\.$"):
            approve(found, version=1)
        with pytest.raises(AlreadyDecided, match=r"^Nancy approved"):
            reject(found)
        assert detail(found).why_not.startswith("Nancy approved this supplier on ")


def test_a_supplier_imported_as_approved_says_so(ann):
    found = supplier(status="approved", source="import").id
    with acting_as(ann), pytest.raises(AlreadyDecided, match=r"^An import approved this supplier\.$"):
        approve(found)


@pytest.mark.parametrize("decide", [approve, reject])
def test_of_two_people_at_once_exactly_one_decides(decide, ann, nancy, observer, trail):
    found = supplier().id
    with acting_as(ann), Side(lambda: approve(found), until=after("UPDATE supplier")) as first:
        holder = first.reaches_its_point()
        with acting_as(nancy), Side(lambda: decide(found)) as second:
            waiting = wait_until_blocked(observer, holder)
            assert [kind for kind, _ in locks_waited_for(observer, waiting)] == ["transactionid"]
            first.go_on()
            refusal = second.error()
        assert first.error() is None
    assert isinstance(refusal, AlreadyDecided)
    assert str(refusal).startswith("Ann approved")
    decided = [row.outcome for row in trail.operations() if row.name.startswith("suppliers.")]
    assert sorted(decided) == ["failed", "succeeded"]


def test_what_changed_since_it_was_read_is_read_again(ann):
    found = supplier("Karkki Oy", version=3).id
    with acting_as(ann):
        with pytest.raises(Stale, match=r"^Karkki Oy was changed after you opened it"):
            approve(found, version=2)
        assert approve(found, version=3).name == "Karkki Oy"


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("", "Say why it is rejected"), (" \n ", "Say why it is rejected"), ("x" * 1_001, "at most 1,000")],
)
def test_rejecting_needs_a_reason_that_can_be_kept(reason, sentence, ann):
    found = supplier().id
    with acting_as(ann), pytest.raises(Invalid) as refused:
        reject(found, reason=reason)
    assert sentence in refused.value.fields["reason"]


@pytest.mark.parametrize("reason", ["NUL \0 inside", "half \ud83d", "x" * 200_000])
def test_a_reason_that_cannot_be_stored_is_refused_and_on_record(reason, ann, trail):
    found = supplier().id
    with acting_as(ann), pytest.raises(Invalid) as refused:
        approve(found, reason=reason)
    assert set(refused.value.fields) == {"reason"}
    assert trail.last().outcome == "failed"
    with acting_as(ann):
        assert detail(found).status == "pending"


def test_the_same_press_twice_is_one_decision(ann, trail):
    found = supplier().id
    with acting_as(ann):
        first = approve(found, idempotency_key="press")
        assert approve(found, idempotency_key="press") == first
    assert len(trail.operations(name="suppliers.approve_supplier")) == 1


@pytest.mark.parametrize("decide", [approve, reject])
@pytest.mark.parametrize("missing", [4_711, 2**63, -1])
def test_what_is_not_there_cannot_be_decided(decide, missing, ann):
    with acting_as(ann), pytest.raises((NotFound, Invalid)):
        decide(missing)


# Checks


def outcomes(supplier_id):
    return {check.title: (check.outcome, check.found) for check in detail(supplier_id).checks}


NAME, TAX_ID, EMAIL = "No other supplier of this name", "Tax id is used once", "E-mail address is used once"


def test_a_supplier_like_no_other_passes(ann):
    found = supplier("Zaanse Snoepfabriek", tax_id="NL 123", email="dirk@snoep.example").id
    with acting_as(ann):
        assert outcomes(found)[NAME] == ("passed", "There is no other supplier yet")
        supplier("Pavlova, Ltd.")
        assert {outcome for outcome, _ in outcomes(found).values()} == {"passed"}


def test_a_name_like_another_is_shown_to_look_at(ann):
    supplier("Gai pâturage", status="approved")
    alike, somewhat = supplier("Gai pâturages SA").id, supplier("Gai Soleil").id
    with acting_as(ann):
        assert outcomes(alike)[NAME] == ("look", "Nearest: Gai pâturage, approved")
        assert outcomes(somewhat)[NAME][0] == "passed"
        approve(alike)


@pytest.mark.parametrize(
    ("theirs", "mine", "check"),
    [
        ({"name": "Forêts d'érables"}, {"name": "Forets d'erables"}, NAME),
        ({"tax_id": "DK-43 84 41 08"}, {"tax_id": "dk43844108"}, TAX_ID),
        ({"email": "Niels@lyngby.example"}, {"email": "niels@LYNGBY.example"}, EMAIL),
    ],
)
def test_a_duplicate_fails_and_is_approved_only_with_a_reason(theirs, mine, check, ann):
    supplier(**({"name": "Theirs", "status": "approved"} | theirs))
    found = supplier(**({"name": "Mine"} | mine)).id
    with acting_as(ann):
        outcome, words = outcomes(found)[check]
        assert outcome == "failed"
        assert theirs.get("name", "Theirs") in words
        assert detail(found).failed == 1
        with pytest.raises(Invalid) as refused:
            approve(found)
        assert check in refused.value.fields["reason"]
        approve(found, reason="The same owner; asked by phone.")


def test_several_duplicates_are_counted(ann):
    for name in ("First", "Second", "Third"):
        supplier(name, email="office@group.example")
    found = supplier("Fourth", email="office@group.example").id
    with acting_as(ann):
        assert outcomes(found)[EMAIL] == ("failed", "Also used by First, pending and 2 more")


def test_a_missing_tax_id_or_address_is_shown_to_look_at(ann):
    found = supplier("Bare").id
    with acting_as(ann):
        assert outcomes(found)[TAX_ID] == ("look", "No tax id was given")
        assert outcomes(found)[EMAIL] == ("look", "No e-mail address was given")


# What the dashboard shows


def ago(**time):
    return now() - timedelta(**time)


def test_the_queue_is_grouped_by_age(ann, nancy):
    supplier("Escargots", submitted_at=ago(days=8), source="application", city="Montceau", country="France")
    supplier("Gai", submitted_at=ago(days=4), entered_by=nancy.id)
    supplier("Lyngbysild", submitted_at=ago(days=3), entered_by=ann.id)
    supplier("Ma Maison", submitted_at=ago(minutes=20), source="import")
    supplier("Karkki", submitted_at=ago(hours=3), source="import", entered_by=ann.id)
    supplier("Decided", status="approved")
    with acting_as(ann):
        queue = read(suppliers.supplier_queue)
        newest = read(suppliers.supplier_queue, order="newest")
    assert [(row.heading, row.group_size) for row in queue.rows if row.heading] == [
        ("Waiting more than 5 days", 1),
        ("2 to 5 days", 2),
        ("Less than 2 days", 2),
    ]
    assert [(row.name, row.age, row.late, row.own, row.entered) for row in queue.rows] == [
        ("Escargots", "8 d", True, False, "Applied by the supplier"),
        ("Gai", "4 d", False, False, "Entered by Nancy"),
        ("Lyngbysild", "3 d", False, True, "Entered by you"),
        ("Karkki", "3 h", False, True, "Imported by you"),
        ("Ma Maison", "20 min", False, False, "Imported by the system"),
    ]
    assert queue.rows[0].place == "Montceau, France"
    assert [row.name for row in newest.rows] == [row.name for row in reversed(queue.rows)]
    assert queue.more == 0


@pytest.mark.parametrize(
    ("age", "words"),
    [
        ({"seconds": 1}, "1 min waiting"),
        ({"hours": 23}, "23 h waiting"),
        ({"days": 1}, "1 day waiting"),
        ({"days": 9}, "9 days waiting"),
    ],
)
def test_the_detail_says_how_long_it_waits(age, words, ann):
    found = supplier(submitted_at=ago(**age)).id
    with acting_as(ann):
        assert detail(found).waits == words


def test_the_counts_say_what_waits_for_whom(ann, nancy, eve):
    supplier("Old", submitted_at=ago(days=6))
    supplier("Anns", entered_by=ann.id)
    supplier("Edited", entered_by=nancy.id, last_edited_by=ann.id)
    supplier("Decided", status="rejected")
    for actor, yours in ((ann, 1), (nancy, 2), (eve, 0)):
        with acting_as(actor):
            counts = read(suppliers.count_waiting)
            assert (counts.total, counts.yours, counts.late) == (3, yours, 1)
            can = [row.id for row in read(suppliers.supplier_queue).rows if not detail(row.id).why_not]
            assert len(can) == read(dashboard.waiting).suppliers == yours


def test_search_finds_names_without_accents_places_and_tax_ids(ann):
    supplier("Gai pâturage", city="Annecy", country="France", tax_id="FR 40")
    supplier("Karkki Oy", country="Finland", email="anne@karkki.example")
    with acting_as(ann):
        for search, names in (
            ("paturage", ["Gai pâturage"]),
            ("PÂTU", ["Gai pâturage"]),
            ("finland", ["Karkki Oy"]),
            ("fr 40", ["Gai pâturage"]),
            ("anne@", ["Karkki Oy"]),
            ("%", []),
            ("\0", []),
            ("\ud83d", []),
            ("nobody", []),
        ):
            assert [row.name for row in read(suppliers.supplier_queue, search=search).rows] == names, search


def test_a_queue_too_long_to_scroll_says_how_many_more(ann, monkeypatch):
    monkeypatch.setattr("inventory_app.operations._supplier_views.QUEUE_LENGTH", 2)
    for number in range(5):
        supplier(f"Company {number}")
    with acting_as(ann):
        queue = read(suppliers.supplier_queue)
    assert (len(queue.rows), queue.more) == (2, 3)


def test_the_detail_holds_every_field_and_where_an_application_came_from(ann, eve):
    with acting_as(anonymous("81.56.14.9")):
        found = apply().supplier_id
    with acting_as(ann):
        seen = detail(found)
    assert {row.label: row.after for row in seen.fields} == {
        "Name": "Escargots Nouveaux",
        "Tax id": "FR 40 303 265 045",
        "Contact": "Marie Delamare",
        "Email": "marie@escargots.example",
        "Phone": "85.57.00.07",
        "Website": "https://escargots.example",
        "Address": "22, rue H. Voiron, Montceau",
        "Message": "Snails, fresh and tinned.",
    }
    assert {row.before for row in seen.fields} == {""}
    assert seen.not_given == "Fax, Payment terms, Currency"
    assert (seen.from_address, seen.why_not, seen.version) == ("81.56.14.9", "", 1)
    with acting_as(eve):
        assert detail(found).from_address == ""


def test_the_detail_says_who_can_decide_instead(ada, ann, eve):
    found = supplier(entered_by=ann.id).id
    person("carl", "manager", enabled=False)
    with acting_as(ann):
        assert detail(found).who_can == "Ada can."
    nancy = person("nancy", "manager")
    with acting_as(eve):
        assert detail(found).why_not == NotAllowed.sentence
        assert detail(found).who_can == "Ada and Nancy can."
    for name in ("paul", "peter"):
        person(name, "manager")
    with acting_as(ann):
        assert detail(found).who_can == "Ada, Nancy and 2 others can."
    with acting_as(nancy):
        assert (detail(found).why_not, detail(found).who_can) == ("", "")


def test_the_detail_says_when_nobody_else_can_decide(ann):
    found = supplier(entered_by=ann.id).id
    with acting_as(ann):
        assert detail(found).who_can.startswith("Nobody else holds the permission “Approve suppliers”")


def test_decisions_are_listed_newest_first(ann):
    first, second = supplier("First").id, supplier("Second").id
    supplier("Waiting")
    with acting_as(ann):
        approve(first)
        reject(second, reason="Too far away")
        rows = read(suppliers.decided_lately)
        seen = detail(second)
    assert [(row.name, row.status, row.by) for row in rows] == [
        ("Second", "rejected", "Ann"),
        ("First", "approved", "Ann"),
    ]
    assert (seen.decided, seen.reason, seen.why_not[:12]) == ("Ann", "Too far away", "Ann rejected")


@pytest.mark.parametrize("query", ["supplier_queue", "decided_lately", "count_waiting", "supplier_detail"])
def test_seeing_suppliers_needs_the_permission(query, bob, stranger):
    arguments = {"supplier_id": 1} if query == "supplier_detail" else {}
    for actor in (bob, stranger):
        with acting_as(actor), pytest.raises(AppError):
            read(getattr(suppliers, query), **arguments)


def test_a_supplier_that_is_not_there_has_no_detail(ann):
    with acting_as(ann):
        assert detail(4_711) is None
