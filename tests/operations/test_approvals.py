"""The approval engine: distinct people, nobody with a part, exactly once, and one list of what waits."""

import statistics
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import (
    AlreadyDecided,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    SecondFactorRequired,
    Stale,
)
from inventory_app.models._base import now
from inventory_app.models.access import FactorKind, SecondFactor
from inventory_app.models.approvals import Approval, ApprovalDecision, ApprovalParty, ApprovalStatus, Verdict
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser, Role
from inventory_app.operations import _approval_rules, _approvals, approvals, dashboard, suppliers, users
from inventory_app.operations._approvals import why_not_decide
from inventory_app.operations._supplier_fields import Details
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import add, arrange, person, supplier
from tests.fixtures.authenticator import change_sessions
from tests.fixtures.seeing import Side, after, before_commit, locks_waited_for, wait_until_blocked
from tests.operations import trial_approvals as trial


@pytest.fixture(autouse=True)
def trial_kind(database, monkeypatch):
    """Let the engine know a kind whose effects can be seen."""
    trial.done.clear()
    monkeypatch.setitem(_approvals.KINDS, trial.KIND, trial.TRIAL)


@pytest.fixture
def nancy(database):
    return person("nancy", "manager")


@pytest.fixture
def mona(database):
    return person("mona", "manager")


def ask(actor, subject_id=1, **more) -> int:
    with acting_as(actor):
        return transact(trial.ask, subject_id=subject_id, **more)


def decide(actor, approval_id, verdict=Verdict.APPROVE, **more) -> str:
    with acting_as(actor):
        return transact(trial.decide, approval_id=approval_id, verdict=verdict, **more)


def approval(approval_id) -> Approval:
    return arrange(lambda s: _detached(s, s.get_one(Approval, approval_id)))


def _detached(session, row):
    session.expunge(row)
    return row


def change(approval_id, **values) -> None:
    arrange(lambda s: s.execute(sa.update(Approval).where(col(Approval.id) == approval_id).values(**values)))


def delegation(absent, deputy, permission="suppliers:approve", **times):
    from inventory_app.models.approvals import Delegation
    from inventory_app.models.users import Permission

    def build(session):
        found = session.exec(select(Permission).where(Permission.name == permission)).one()
        begins = {"starts_at": now() - timedelta(hours=1), "ends_at": now() + timedelta(days=1)} | times
        row = Delegation(from_user_id=absent.id, to_user_id=deputy.id, permission_id=found.id, **begins)
        session.add(row)
        session.flush()
        return row.id

    return arrange(build)


# The rules


def test_somebody_else_agrees_and_it_takes_effect_once(ann, nancy, trail):
    found = ask(ann)
    assert decide(nancy, found) == "approved"
    assert trial.done == [("approved", 1)]
    kinds = sorted((c.table, c.kind) for c in trail.changes())
    assert kinds == [("approval", "update"), ("approval_decision", "insert")]
    with pytest.raises(AlreadyDecided, match=r"^Nancy approved this on \d+ "):
        decide(ann, found)
    assert trial.done == [("approved", 1)]


def test_one_rejection_ends_it_and_needs_a_reason(ann, nancy, mona):
    found = ask(ann, required=2)
    with pytest.raises(Invalid) as refused:
        decide(nancy, found, Verdict.REJECT, reason=" ")
    assert set(refused.value.fields) == {"reason"}
    assert decide(nancy, found, Verdict.REJECT) == "rejected"
    assert trial.done == [("rejected", 1)]
    with pytest.raises(AlreadyDecided, match="Nancy rejected this"):
        decide(mona, found)


def test_as_many_different_people_as_required_must_agree(ann, nancy, mona):
    found = ask(ann, required=2)
    assert decide(nancy, found) == "open"
    assert trial.done == []
    with pytest.raises(AlreadyDecided, match="You have decided about this already"):
        decide(nancy, found)
    assert decide(mona, found) == "approved"
    assert trial.done == [("approved", 1)]


def test_whoever_asked_and_whoever_it_is_about_decide_nothing(ann, nancy, mona):
    found = ask(ann, concerned=nancy.id)
    with pytest.raises(NotAllowed, match="You asked for this"):
        decide(ann, found)
    with pytest.raises(NotAllowed, match="This is about you"):
        decide(nancy, found, Verdict.REJECT)
    assert decide(mona, found) == "approved"


@pytest.mark.parametrize("role", ["employee", "accountant", "auditor", None])
def test_deciding_needs_the_permission(ann, role):
    found = ask(ann)
    with pytest.raises(NotAllowed, match="You do not have the permission"):
        decide(person("eve", *([role] if role else [])), found)


def test_no_machine_and_no_stranger_decides(ann, stranger):
    found = ask(ann)
    with acting_as(system_actor("night")), pytest.raises(NotAllowed, match="This needs a person"):
        transact(approvals.approve, approval_id=found)
    with acting_as(system_actor("night")):
        assert read(approvals.approval_detail, approval_id=found).why_not == "This needs a person."
    with acting_as(stranger), pytest.raises(NotSignedIn):
        transact(approvals.approve, approval_id=found)
    assert approval(found).status == ApprovalStatus.OPEN


def test_a_second_request_about_the_same_is_refused_while_the_first_is_open(ann, nancy):
    found = ask(ann)
    with pytest.raises(Conflict, match="This waits for a decision already"):
        ask(nancy)
    decide(nancy, found)
    ask(nancy)


def test_what_does_not_exist_cannot_be_decided(ann):
    for operation in (approvals.approve, approvals.reject, approvals.withdraw):
        with acting_as(ann), pytest.raises(NotFound):
            transact(operation, approval_id=4_711, reason="Because")


# Deputies


def test_a_deputy_decides_with_the_authority_of_whoever_is_away(ann, nancy, trail):
    eve = person("eve", "employee")
    delegation(nancy, eve)
    found = ask(ann)
    assert decide(eve, found) == "approved"
    (made,) = trail.changes(table="approval_decision")
    assert (made.after["user_id"], made.after["authority_id"]) == (eve.id, nancy.id)


@pytest.mark.parametrize("deputy_role", ["employee", "manager"])
def test_a_deputy_of_somebody_with_a_part_does_not_decide(ann, nancy, deputy_role):
    """Whatever the deputy holds themselves: Ann would have her request approved by whom she chose."""
    eve = person("eve", deputy_role)
    found = ask(ann)
    given = delegation(ann, eve)
    with pytest.raises(NotAllowed, match="You stand in for Ann, who has a part in this"):
        decide(eve, found)
    from inventory_app.models.approvals import Delegation

    arrange(lambda s: s.execute(sa.update(Delegation).where(col(Delegation.id) == given).values(revoked_at=now())))
    if deputy_role == "manager":
        assert decide(eve, found) == "approved"
    else:
        with pytest.raises(NotAllowed, match="You do not have the permission"):
            decide(eve, found)


def test_the_authority_of_somebody_who_could_not_decide_is_of_no_use(ann, nancy):
    """Nancy stands in for Ann, who asked; so Nancy's authority cannot be used by her own deputy either."""
    eve = person("eve", "employee")
    delegation(ann, nancy)
    delegation(nancy, eve)
    found = ask(ann)
    with pytest.raises(NotAllowed, match="Nancy, for whom you stand in, cannot decide about this"):
        decide(eve, found)


def test_a_person_and_their_deputy_count_once(ann, nancy, mona):
    eve = person("eve", "employee")
    delegation(nancy, eve)
    first, second = ask(ann, 1, required=2), ask(ann, 2, required=2)
    assert decide(eve, first) == "open"
    with pytest.raises(AlreadyDecided, match="Eve has decided this for you already"):
        decide(nancy, first)
    assert decide(nancy, second) == "open"
    with pytest.raises(AlreadyDecided, match="Nancy, for whom you stand in, counts in this already"):
        decide(eve, second)
    assert decide(mona, first) == decide(mona, second) == "approved"


def test_nobody_counts_twice_with_two_authorities(ann, nancy, mona):
    """Nancy decides for Mona; Nancy's own authority must not come in through her deputy."""
    eve = person("eve", "employee")
    delegation(nancy, eve)
    dora = person("dora", "employee")
    delegation(mona, dora)
    delegation(nancy, dora)
    found = ask(ann, required=3)
    assert decide(dora, found) == "open"
    with pytest.raises(AlreadyDecided, match="You have decided"):
        decide(dora, found)
    with acting_as(ann):
        assert read(approvals.approval_detail, approval_id=found).given == 1


def test_what_was_lent_counts_only_in_its_time_and_while_the_owner_has_it(ann, nancy, ada):
    eve, fay, gil = (person(name, "employee") for name in ("eve", "fay", "gil"))
    delegation(nancy, eve, starts_at=now() + timedelta(hours=1))
    delegation(nancy, fay, starts_at=now() - timedelta(days=2), ends_at=now() - timedelta(seconds=1))
    delegation(nancy, gil)
    found = ask(ann)
    for deputy in (eve, fay):
        with pytest.raises(NotAllowed, match="You do not have the permission"):
            decide(deputy, found)
    with acting_as(ada):
        transact(users.change_user_role, user_id=nancy.id, role_name="employee")
    with pytest.raises(NotAllowed, match="You do not have the permission"):
        decide(gil, found)


# What is decided is what was read


def test_what_changed_is_asked_anew_earlier_decisions_do_not_count_and_parts_stay(ann, nancy, mona):
    first = ask(ann, required=2)
    decide(nancy, first)
    with acting_as(mona):
        transact(trial.ask_anew, subject_id=1, required=2, edited_by=mona.id)
    assert approval(first).status == ApprovalStatus.WITHDRAWN
    second = arrange(lambda s: _approvals.open_about(s, trial.KIND, 1).id)
    with pytest.raises(AlreadyDecided, match="withdrawn, or asked for anew"):
        decide(nancy, first)
    for party in (ann, mona):
        with pytest.raises(NotAllowed, match="so somebody else must decide"):
            decide(party, second)
    assert decide(nancy, second) == "open"


def test_who_may_decide_nothing_finds_nothing_that_waits(ann, bob):
    ask(ann, 1)
    with acting_as(bob):
        assert read(approvals.waiting_for_me).rows == []
        assert read(dashboard.waiting).others == 0
        assert _approval_rules.decidable_by(None).compare(sa.false())


def test_another_version_is_read_again_first(ann, nancy):
    with acting_as(ann):
        supplier_id = transact(suppliers.create_supplier, name="Lyngbysild").supplier_id
    with acting_as(nancy):
        (row,) = read(approvals.waiting_for_me).rows
        seen = read(approvals.approval_detail, approval_id=row.id)
        arrange(lambda s: s.execute(sa.update(Supplier).values(version=9)))
        with pytest.raises(Stale, match="This was changed after you opened it"):
            transact(approvals.approve, approval_id=row.id, subject_version=seen.subject_version)
        with pytest.raises(Stale):
            transact(approvals.approve, approval_id=row.id, version=seen.version + 1, subject_version=9)
        assert transact(approvals.approve, approval_id=row.id, version=1, subject_version=9).status == "approved"
        assert read(suppliers.supplier_detail, supplier_id=supplier_id).status == "approved"


# Time, and taking back


def test_nothing_is_decided_after_its_time_and_the_job_marks_it(ann, nancy, trail):
    found, other = ask(ann, 1), ask(ann, 2)
    change(found, expires_at=now() - timedelta(seconds=1))
    change(other, expires_at=now() + timedelta(days=1))
    with pytest.raises(Conflict, match=r"This expired on .* asked for again"):
        decide(nancy, found)
    with acting_as(nancy):
        assert [row.id for row in read(approvals.waiting_for_me).rows] == [other]
    with acting_as(system_actor("jobs")):
        assert read(approvals.any_expired)
        assert transact(approvals.expire_approvals) == 1
        assert not read(approvals.any_expired)
    assert trail.last().actor_name == "system:jobs"
    assert approval(found).status == ApprovalStatus.EXPIRED
    with pytest.raises(AlreadyDecided, match="This expired on"):
        decide(nancy, found)
    assert decide(nancy, other) == "approved"


def test_what_has_expired_unmarked_is_not_in_the_way_of_a_new_request(ann, nancy):
    change(ask(ann), expires_at=now() - timedelta(seconds=1))
    assert decide(nancy, ask(ann)) == "approved"


def test_only_whoever_asked_takes_it_back_and_only_while_it_is_open(ann, nancy):
    found = ask(ann)
    with acting_as(nancy), pytest.raises(NotAllowed, match="Only whoever asked"):
        transact(approvals.withdraw, approval_id=found)
    with acting_as(ann):
        assert transact(approvals.withdraw, approval_id=found, reason="A mistake") == "Trial 1"
        with pytest.raises(AlreadyDecided, match="withdrawn"):
            transact(approvals.withdraw, approval_id=found)
    assert trial.done == [("withdrawn", 1)]
    with pytest.raises(AlreadyDecided, match="withdrawn"):
        decide(nancy, found)


def test_a_supplier_that_is_withdrawn_no_longer_waits(ann, nancy):
    with acting_as(ann):
        found = transact(suppliers.create_supplier, name="Typo Ltd").supplier_id
        (row,) = read(approvals.asked_by_me).rows
        transact(approvals.withdraw, approval_id=row.id, reason="A typo")
        shown = read(suppliers.supplier_detail, supplier_id=found)
    assert (shown.status, shown.decided, shown.reason) == ("rejected", "Ann", "Withdrawn: A typo")


def test_whoever_edited_a_supplier_does_not_reject_it_by_withdrawing(ann, nancy, mona):
    """Saving a waiting supplier asks anew, in the name of who saved it: taking that back rejected it, single-handed."""
    with acting_as(ann):
        found = transact(suppliers.create_supplier, name="Lyngbysild").supplier_id
    with acting_as(mona):
        transact(
            suppliers.update_supplier, supplier_id=found, version=1, name="Lyngbysild", details=Details(city="Bergen")
        )
        (row,) = read(approvals.asked_by_me).rows
        assert not read(approvals.approval_detail, approval_id=row.id).mine
        with pytest.raises(NotAllowed, match="somebody else must"):
            transact(approvals.withdraw, approval_id=row.id)
    assert decide(nancy, row.id) == "approved"


def test_who_entered_a_supplier_does_not_reject_it_once_it_was_approved(ann, nancy):
    """Another name sends it back to the queue; taking that back would end what somebody else has approved."""
    with acting_as(ann):
        found = transact(suppliers.create_supplier, name="Lyngbysild").supplier_id
        (first,) = read(approvals.asked_by_me).rows
    decide(nancy, first.id)
    with acting_as(ann):
        version = read(suppliers.supplier_to_edit, supplier_id=found).version
        transact(suppliers.update_supplier, supplier_id=found, version=version, name="Lyngbysild AS", details=Details())
        again = read(approvals.asked_by_me).rows[0]
        with pytest.raises(NotAllowed, match="somebody else must"):
            transact(approvals.withdraw, approval_id=again.id)


def test_whoever_edited_an_approved_supplier_does_not_approve_it_once_somebody_else_renames_it(ann, nancy, mona):
    """Only the last edit stood in its way: of the payment terms, say, which send nothing back to the queue."""
    with acting_as(ann):
        found = transact(suppliers.create_supplier, name="Lyngbysild").supplier_id
    with acting_as(nancy):
        transact(suppliers.approve_supplier, supplier_id=found)
    for who, version, changed in ((mona, 2, {"name": "Lyngbysild"}), (nancy, 3, {"name": "Lyngbysild AS"})):
        with acting_as(who):
            transact(
                suppliers.update_supplier,
                supplier_id=found,
                version=version,
                details=Details(payment_terms="cash to Mona"),
                **changed,
            )
    for party in (ann, mona, nancy):
        with acting_as(party), pytest.raises(NotAllowed, match="so somebody else must"):
            transact(suppliers.approve_supplier, supplier_id=found)
    with acting_as(person("olga", "manager")):
        assert transact(suppliers.approve_supplier, supplier_id=found).status == "approved"


def test_a_deputy_proves_as_much_as_whom_they_stand_in_for(ann, nancy):
    """Who holds a role that needs a second factor could lend what it may to somebody who has none."""
    eve = person("eve", "employee")
    delegation(nancy, eve)

    def need_a_factor(session):
        session.exec(select(Role).where(Role.name == "manager")).one().needs_factor = True

    found = ask(ann)
    arrange(need_a_factor)
    with pytest.raises(SecondFactorRequired, match="A role of Nancy, for whom you stand in"):
        decide(eve, found)
    change_sessions(ann.id, strong=True)
    another = ask(ann, 2)
    with acting_as(eve):
        assert "needs a second factor" in read(approvals.approval_detail, approval_id=found).why_not
        assert read(approvals.count_mine) == {}
        assert read(dashboard.waiting).others == 0
    with acting_as(ann):
        assert "Eve" not in read(approvals.approval_detail, approval_id=another).who_can
    add(SecondFactor(user_id=eve.id, kind=FactorKind.TOTP, name="Phone", sealed_seed="x", confirmed_at=now()))
    with acting_as(ann):
        assert "Eve" in read(approvals.approval_detail, approval_id=another).who_can
    # This session was begun without it.
    with pytest.raises(SecondFactorRequired):
        decide(eve, found)
    change_sessions(eve.id, strong=True)
    with acting_as(eve):
        assert sum(read(approvals.count_mine).values()) == 2
    assert decide(eve, found) == "approved"


# At the same moment


@pytest.mark.parametrize("verdict", list(Verdict))
def test_of_two_decisions_at_once_exactly_one_counts(ann, nancy, mona, observer, verdict):
    found = ask(ann)
    with Side(lambda: decide(nancy, found), until=after("INSERT INTO approval_decision")) as one:
        holder = one.reaches_its_point()
        with Side(lambda: decide(mona, found, verdict)) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert [kind for kind, _ in locks_waited_for(observer, waiting)] == ["transactionid"]
            rows = observer.execute(
                "SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
                " WHERE l.pid = %s AND l.locktype = 'tuple' AND l.granted",
                [waiting],
            ).fetchall()
            assert ("approval", "AccessExclusiveLock") in rows
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), AlreadyDecided)
    assert trial.done == [("approved", 1)]


def test_two_of_two_at_once_both_count_and_it_takes_effect_once(ann, nancy, mona, observer):
    found = ask(ann, required=2)
    with Side(lambda: decide(nancy, found), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: decide(mona, found)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert (one.result(), other.result()) == ("open", "approved")
    assert trial.done == [("approved", 1)]


def test_a_person_and_their_deputy_at_once_count_once(ann, nancy, observer):
    eve = person("eve", "employee")
    delegation(nancy, eve)
    found = ask(ann, required=2)
    with Side(lambda: decide(nancy, found), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: decide(eve, found)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), AlreadyDecided)


def test_deciding_and_taking_back_at_once_is_one_of_them(ann, nancy, observer):
    found = ask(ann)

    def take_back() -> None:
        with acting_as(ann):
            transact(approvals.withdraw, approval_id=found)

    with Side(take_back, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: decide(nancy, found)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), AlreadyDecided)
    assert trial.done == [("withdrawn", 1)]


def test_what_is_being_decided_does_not_expire_and_the_job_does_not_wait(ann, nancy):
    found = ask(ann)
    change(found, expires_at=now() + timedelta(hours=1))
    with Side(lambda: decide(nancy, found), until=before_commit()) as one:
        one.reaches_its_point()
        with acting_as(system_actor("jobs")):
            assert transact(approvals.expire_approvals) == 0
        one.go_on()
        assert one.result() == "approved"


def test_two_requests_about_the_same_at_once_are_one(ann, nancy, observer):
    with Side(lambda: ask(ann), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: ask(nancy)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), Conflict)


def test_the_database_itself_takes_nobody_twice(ann, nancy, mona):
    """Should the engine ever be wrong: one decision a person, one an authority."""
    found = ask(ann, required=3)
    decide(nancy, found)
    for user, authority in ((nancy, mona), (mona, nancy)):
        row = ApprovalDecision(approval_id=found, user_id=user.id, authority_id=authority.id, verdict="approve")
        with pytest.raises(Conflict):
            add(row)


# Suppliers with more than one approval


def test_a_supplier_needs_as_many_people_as_the_setting_says(ann, nancy, mona, configure):
    configure(INVENTORY_SUPPLIER_APPROVALS="2")
    found = supplier("Lyngbysild", entered_by=ann.id).id
    configure(INVENTORY_SUPPLIER_APPROVALS="1")
    with acting_as(nancy):
        done = transact(suppliers.approve_supplier, supplier_id=found)
        assert (done.status, done.given, done.required) == ("pending", 1, 2)
        shown = read(suppliers.supplier_detail, supplier_id=found)
        assert (shown.status, shown.agreed, shown.agreed_by) == ("pending", "1 of 2", "Nancy")
        assert shown.why_not == "You have decided about this already. Somebody else must decide too."
        assert shown.who_can == "Mona can."
        assert read(dashboard.waiting).suppliers == 0
        with pytest.raises(AlreadyDecided):
            transact(suppliers.approve_supplier, supplier_id=found)
    with acting_as(mona):
        done = transact(suppliers.approve_supplier, supplier_id=found)
        assert (done.status, done.given) == ("approved", 2)
    with acting_as(ann), pytest.raises(AlreadyDecided, match="Mona approved this supplier"):
        transact(suppliers.reject_supplier, supplier_id=found, reason="Too late")


def test_the_one_list_knows_the_rules_of_suppliers(ann, nancy):
    supplier("Theirs", tax_id="DK 1", status="approved")
    found = supplier("Mine", tax_id="DK-1", entered_by=ann.id)
    with acting_as(nancy):
        (row,) = read(approvals.waiting_for_me, kind="supplier").rows
        with pytest.raises(Invalid) as refused:
            transact(approvals.approve, approval_id=row.id)
        assert "Tax id is used once" in refused.value.fields["reason"]
        done = transact(approvals.approve, approval_id=row.id, reason="The same owner")
        assert (done.title, done.status) == ("Mine", "approved")
        shown = read(suppliers.supplier_detail, supplier_id=found.id)
    assert (shown.status, shown.decided, shown.reason) == ("approved", "Nancy", "The same owner")
    with acting_as(ann), pytest.raises(AlreadyDecided, match="Nancy approved this supplier"):
        transact(approvals.reject, approval_id=row.id, reason="Too late")


def test_an_application_and_an_import_wait_like_what_is_entered(ann, nancy, stranger):
    with acting_as(stranger):
        transact(
            suppliers.apply_supplier, name="S", tax_id="DK 1", contact_name="C", email="c@s.example", address="1 Quay"
        )
    with acting_as(ann):
        transact(suppliers.create_supplier, name="T")
        rows = {row.title: row for row in read(approvals.waiting_for_me).rows}
    assert rows["S"].asked_by == "the applicant"
    assert rows["S"].why_not == ""
    assert rows["T"].why_not == "You entered this supplier, so somebody else must approve it."


# What is listed


def test_the_list_counts_and_judges_by_the_same_rules(ann, nancy, mona):
    eve = person("eve", "employee")
    delegation(mona, eve)
    delegation(ann, nancy)
    decide(mona, ask(ann, 1, required=2))
    ask(nancy, 2)
    ask(mona, 3, concerned=nancy.id)
    change(ask(mona, 4), expires_at=now() - timedelta(1))
    ask(ann, 5, required=2)
    decide(eve, ask(nancy, 6, required=2))
    for actor in (ann, nancy, mona, eve, person("fay")):
        with acting_as(actor):
            able = [row for row in read(approvals.waiting_for_me).rows if not row.why_not]
            details = [read(approvals.approval_detail, approval_id=row.id) for row in able]
            assert sum(read(approvals.count_mine).values()) == len(able) == read(dashboard.waiting).others, actor.name
        assert all(detail.why_not == "" for detail in details)
        with acting_as(actor), open_session() as session:
            for row in session.exec(select(Approval)).all():
                named = {who.user_id for who in _approval_rules.who_can_decide(session, row)}
                assert (why_not_decide(session, row, actor.id) is None) == (actor.id in named)


def test_nobody_sees_what_is_not_theirs(ann, nancy):
    eve = person("eve", "employee")
    found = ask(ann)
    with acting_as(eve):
        assert read(approvals.waiting_for_me).rows == []
        assert read(approvals.decided_lately).rows == []
        assert read(approvals.approval_detail, approval_id=found) is None
        assert read(approvals.approval_detail, approval_id=4_711) is None
    decide(nancy, found)
    with acting_as(eve):
        assert read(approvals.decided_lately).rows == []
    with acting_as(ann):
        (made,) = read(approvals.decided_lately).rows
        assert (made.title, made.by, made.for_whom, made.verdict) == ("Trial 1", "Nancy", "", "approve")
        (mine,) = read(approvals.asked_by_me).rows
        assert (mine.id, mine.status) == (found, "approved")


def test_whoever_it_is_about_sees_it(ann):
    eve = person("eve", "employee")
    found = ask(ann, concerned=eve.id)
    with acting_as(eve):
        assert read(approvals.approval_detail, approval_id=found).title == "Trial 1"


def test_the_detail_says_who_can_and_for_whom(ann, nancy):
    eve = person("eve", "employee")
    found = ask(ann)
    with acting_as(ann):
        shown = read(approvals.approval_detail, approval_id=found)
        assert shown.why_not == "You asked for this, so somebody else must decide."
        assert (shown.who_can, shown.mine) == ("Nancy can.", True)
    delegation(nancy, eve)
    with acting_as(eve):
        shown = read(approvals.approval_detail, approval_id=found)
        assert (shown.why_not, shown.for_whom, shown.mine) == ("", "Nancy", False)
    with acting_as(nancy):
        assert read(approvals.approval_detail, approval_id=found).for_whom == ""
    arrange(lambda s: s.execute(sa.update(LocalUser).where(col(LocalUser.id) == nancy.id).values(enabled=False)))
    with acting_as(ann):
        shown = read(approvals.approval_detail, approval_id=found)
    assert shown.who_can == "Nobody else can: an administrator may give the permission “Approve suppliers” to somebody."


def test_disabled_people_cannot_and_are_told_so(ann, nancy):
    found = ask(ann)
    arrange(lambda s: s.execute(sa.update(LocalUser).where(col(LocalUser.id) == nancy.id).values(enabled=False)))
    with acting_as(ann), open_session() as session:
        refusal = why_not_decide(session, session.get_one(Approval, found), nancy.id)
    assert str(refusal) == "Your account is disabled. Ask an administrator."


def many(ann, number=10_000) -> None:
    """Put many open requests in, a part of which this or that rule forbids."""

    def build(session):
        nancy = session.exec(select(LocalUser.id).where(LocalUser.username == "nancy")).one()
        begin = now() - timedelta(days=30)
        ids = _approvals.request_each(
            session,
            kind=trial.KIND,
            about=[(n, [((ann.id, nancy, None)[n % 3], "entered")]) for n in range(1, number + 1)],
            permission="suppliers:approve",
            required=2,
        )
        spread = "UPDATE approval SET requested_at = :begin + id * interval '1 second'"
        session.execute(sa.text(spread), {"begin": begin})
        session.execute(
            sa.insert(ApprovalDecision),
            [
                {"approval_id": id_, "user_id": nancy, "authority_id": nancy, "verdict": "approve", "decided_at": begin}
                for id_ in ids[::9]
            ],
        )

    arrange(build)


@pytest.mark.long
def test_ten_thousand_open_requests_are_listed_and_counted_in_a_tenth_of_a_second(ann, nancy, observer):
    many(ann)
    # As the server does by itself a little later.
    observer.execute("ANALYZE")
    eve = person("eve", "employee")
    delegation(nancy, eve)
    for actor in (ann, eve):
        with acting_as(actor):
            after_ten = ""
            for _ in range(10):
                after_ten = read(approvals.waiting_for_me, cursor=after_ten).after
            for name, ask_it in {
                "first page": lambda: read(approvals.waiting_for_me),
                "tenth page": lambda: read(approvals.waiting_for_me, cursor=after_ten),  # noqa: B023  # called here
                "counts": lambda: read(dashboard.waiting),
                "decided": lambda: read(approvals.decided_lately),
            }.items():
                assert p95(ask_it) <= 0.1, (actor.name, name)


def p95(ask_it) -> float:
    ask_it()
    taken = []
    for _ in range(20):
        begin = time.perf_counter()
        ask_it()
        taken.append(time.perf_counter() - begin)
    return statistics.quantiles(taken, n=20)[-1]


def test_the_list_is_read_page_by_page_in_both_directions(ann, nancy):
    many(ann, 120)
    seen, cursor = [], ""
    with acting_as(ann):
        while True:
            page = read(approvals.waiting_for_me, cursor=cursor)
            seen += [row.id for row in page.rows]
            if not page.after:
                break
            cursor = page.after
        assert len(seen) == len(set(seen)) == 120
        assert [row.id for row in read(approvals.waiting_for_me, cursor=page.before).rows] == seen[50:100]
        assert read(approvals.waiting_for_me, kind="supplier").rows == []
        assert read(approvals.count_mine) == {"trial": 80}


def test_a_pending_supplier_of_before_was_asked_about(ann, nancy, observer):
    """As the migration left them: the parties are who entered and who edited."""
    found = supplier(entered_by=ann.id, last_edited_by=nancy.id)
    (parties,) = observer.execute(
        "SELECT array_agg(part ORDER BY part) FROM approval_party p JOIN approval a ON a.id = p.approval_id"
        " WHERE a.kind = 'supplier' AND a.subject_id = %s",
        [found.id],
    ).fetchone()
    assert parties == ["edited", "entered"]
    assert arrange(lambda s: s.scalar(sa.select(sa.func.count()).select_from(ApprovalParty))) == 2


def test_every_editor_counts_where_nobody_has_ever_decided(nancy, mona):
    """Approved before there was a trail: whoever has edited it since has a part in it all the same."""
    found = supplier("Lyngbysild", status="approved").id
    with acting_as(mona):
        transact(
            suppliers.update_supplier, supplier_id=found, version=1, name="Lyngbysild", details=Details(city="Bergen")
        )
    with acting_as(nancy):
        transact(suppliers.update_supplier, supplier_id=found, version=2, name="Lyngbysild AS", details=Details())
    for party in (mona, nancy):
        with acting_as(party), pytest.raises(NotAllowed, match="so somebody else must"):
            transact(suppliers.approve_supplier, supplier_id=found)
