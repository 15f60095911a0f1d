"""The same key is the same deed: done once, answered as often as it is asked."""

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, KeyReused, NotAllowed
from inventory_app.models.users import Role
from inventory_app.unit_of_work import transact
from tests.factories import arrange, person, signed_in_again
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations import trial


@pytest.fixture(autouse=True)
def no_mails():
    trial.mails.clear()


def remembered(observer):
    return observer.execute("SELECT actor_key, operation, key, result FROM idempotency").fetchall()


def test_the_same_key_gives_the_same_answer_and_one_deed(ann, trail, log_lines):
    with acting_as(ann):
        first = transact(trial.add_location, idempotency_key="k1", code="NEW")
        again = transact(trial.add_location, idempotency_key="k1", code="NEW")
    assert first == again
    assert type(again) is trial.Added
    assert len(trail.operations(name="trial.add_location")) == 1
    assert trial.mails == ["NEW"]
    assert [line["event"] for line in log_lines if line["event"] != "operation_started"][-2:] == [
        "operation_succeeded",
        "operation_replayed",
    ]


def test_the_same_key_with_other_data_is_refused(ann, trail):
    with acting_as(ann):
        transact(trial.add_location, idempotency_key="k1", code="NEW")
        with pytest.raises(KeyReused):
            transact(trial.add_location, idempotency_key="k1", code="OTHER")
    assert [(o.outcome, o.error_class) for o in trail.operations(name="trial.add_location")] == [
        ("succeeded", None),
        ("failed", "KeyReused"),
    ]


def test_a_key_belongs_to_a_person_and_an_operation(ann, observer):
    with acting_as(ann):
        transact(trial.add_location, idempotency_key="k1", code="NEW")
        transact(trial.anybody_signed_in, idempotency_key="k1")
    with acting_as(signed_in_again(ann)):
        transact(trial.add_location, idempotency_key="k1", code="NEW")
    with acting_as(person("carl", "manager")), pytest.raises(Conflict, match="A location of this code exists"):
        transact(trial.add_location, idempotency_key="k1", code="NEW")
    assert [(actor, operation) for actor, operation, *_ in remembered(observer)] == [
        (f"user:{ann.id}", "trial.add_location"),
        (f"user:{ann.id}", "trial.anybody_signed_in"),
    ]


def test_a_stranger_may_have_a_key_too(stranger, trail):
    with acting_as(stranger):
        for _ in range(2):
            assert transact(trial.public, idempotency_key="k1") is None
    assert len(trail.operations(name="trial.public")) == 1


@pytest.mark.parametrize("fail", ["rule", "missing", "duplicate"])
def test_a_failure_leaves_no_answer_and_can_be_tried_again(ann, observer, fail):
    with acting_as(ann):
        with pytest.raises(Exception, match=r"\w"):
            transact(trial.add_location, idempotency_key="k1", code="NEW", fail=fail)
        assert remembered(observer) == []
        transact(trial.add_location, idempotency_key="k1", code="NEW")
    assert len(remembered(observer)) == 1


def test_an_answer_is_not_given_to_somebody_who_may_no_longer_ask(ann):
    with acting_as(ann):
        transact(trial.add_location, idempotency_key="k1", code="NEW")
        arrange(lambda s: s.execute(sa.update(Role).values(active=False)))
        with pytest.raises(NotAllowed):
            transact(trial.add_location, idempotency_key="k1", code="NEW")


def test_of_two_at_once_exactly_one_runs_and_both_get_its_answer(ann, observer, trail):
    def send():
        return transact(trial.add_location, idempotency_key="k1", code="NEW")

    with acting_as(ann), Side(send, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(send) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("transactionid", "ShareLock")]
            one.go_on()
            assert one.result() == other.result()
    assert len(trail.operations(name="trial.add_location")) == 1
    assert trial.mails == ["NEW"]


def test_when_the_first_of_two_at_once_fails_the_second_runs(ann, observer, trail):
    def send(fail=""):
        return transact(trial.add_location, idempotency_key="k1", code="NEW", fail=fail)

    first_point = "INSERT INTO location"
    from tests.fixtures.seeing import after

    with acting_as(ann), Side(lambda: send("rule"), until=after(first_point)) as one:
        holder = one.reaches_its_point()
        with Side(lambda: transact(trial.add_location, idempotency_key="k1", code="NEW")) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert type(one.error()) is Conflict
            assert other.result().code == "NEW"
    assert sorted(o.outcome for o in trail.operations(name="trial.add_location")) == ["failed", "succeeded"]
