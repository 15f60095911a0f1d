"""Who gets through the door of an operation, and what is on record of those who do not."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from inventory_app.context import Actor, Unattributed, acting_as, system_actor
from inventory_app.database.errors import sqlstate
from inventory_app.errors import (
    AccountDisabled,
    AppError,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PasswordChangeRequired,
)
from inventory_app.models._base import now
from inventory_app.models.users import AuthSession, LocalUser, Role, SessionActivity
from inventory_app.operations._operation import current_viewer
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import anonymous, arrange, location, person
from tests.operations import trial


def change(model, id_, **values):
    arrange(lambda session: session.execute(sa.update(model).where(col(model.id) == id_).values(**values)))


def refused(actor: Actor, operation=trial.add_location, **arguments) -> AppError:
    """Return what the operation says to `actor`; whatever it says, it must leave nothing behind."""
    if operation is trial.add_location:
        arguments.setdefault("code", "NEW")
    with acting_as(actor), pytest.raises(AppError) as raised:
        transact(operation, **arguments)
    with acting_as(system_actor("test")):
        assert "NEW" not in read(trial.list_codes)
    return raised.value


def test_a_signed_in_person_with_the_permission_may(ann, trail):
    with acting_as(ann):
        answer = transact(trial.add_location, code="NEW", why="we grow")
    found = trail.last()
    assert (found.name, found.outcome, found.actor_name, found.reason) == (
        "trial.add_location",
        "succeeded",
        "ann",
        "we grow",
    )
    assert answer.by == str(found.id)
    assert [c.after["code"] for c in trail.changes()] == ["NEW"]


def test_nobody_acts_outside_an_audit_context(database, trail):
    before = trail.operations()
    with pytest.raises(Unattributed):
        transact(trial.add_location, code="NEW")
    with pytest.raises(Unattributed):
        read(trial.list_codes)
    with pytest.raises(Unattributed), acting_as(None):
        pass
    assert trail.operations() == before


def test_it_refuses_a_person_without_the_permission(bob, trail):
    error = refused(bob)
    assert type(error) is NotAllowed
    found = trail.last()
    assert (found.outcome, found.actor_kind, found.actor_id, found.actor_name) == ("denied", "user", bob.id, "bob")
    assert (found.error_class, found.detail) == ("NotAllowed", f"{error} (code NEW)")


def test_it_refuses_a_person_whose_role_was_deactivated(ann):
    with acting_as(ann):
        transact(trial.add_location, code="FIRST")
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "manager").values(active=False)))
    assert type(refused(ann)) is NotAllowed


def test_it_refuses_a_person_who_was_disabled(ann, trail):
    change(LocalUser, ann.id, enabled=False)
    assert type(refused(ann)) is AccountDisabled
    assert (trail.last().outcome, trail.last().actor_name) == ("denied", "ann")


def test_it_refuses_a_session_that_was_ended_and_still_names_the_person(ann, trail):
    change(AuthSession, ann.session_id, revoked_at=now())
    assert type(refused(ann)) is NotSignedIn
    assert (trail.last().outcome, trail.last().actor_name, trail.last().auth_session_id) == (
        "denied",
        "ann",
        ann.session_id,
    )


def test_it_refuses_a_session_that_has_expired(ann):
    change(AuthSession, ann.session_id, expires_at=now() - timedelta(seconds=1))
    assert type(refused(ann)) is NotSignedIn


def test_it_refuses_a_session_that_was_idle_for_too_long(ann):
    change(AuthSession, ann.session_id, created_at=now() - timedelta(minutes=61))
    assert type(refused(ann)) is NotSignedIn


def test_a_session_in_use_outlives_its_idle_time(ann):
    change(AuthSession, ann.session_id, created_at=now() - timedelta(minutes=61))
    arrange(lambda s: s.add(SessionActivity(session_id=ann.session_id, seen_at=now() - timedelta(minutes=59))))
    with acting_as(ann):
        transact(trial.add_location, code="NEW")


def test_it_refuses_whoever_must_change_the_password_except_to_change_it(database, trail):
    carl = person("carl", "manager", must_change_password=True)
    assert type(refused(carl)) is PasswordChangeRequired
    assert type(refused(carl, trial.anybody_signed_in)) is PasswordChangeRequired
    with acting_as(carl):
        with pytest.raises(PasswordChangeRequired):
            read(trial.list_codes)
        transact(trial.stale_password)
    assert (trail.last().name, trail.last().outcome) == ("trial.stale_password", "succeeded")


def test_it_refuses_a_token_nobody_has_and_records_a_stranger(ann, trail):
    forged = replace(ann, token_hash="0" * 64)
    assert type(refused(forged)) is NotSignedIn
    found = trail.last()
    assert (found.actor_kind, found.actor_name, found.actor_id) == ("anonymous", "anonymous", None)
    assert found.client_ip == ann.client_ip


def test_who_somebody_claims_to_be_counts_for_nothing(ann, bob, trail):
    """The name and id of an `Actor` are for the log; the database goes by the token."""
    assert type(refused(replace(bob, name="ann", id=ann.id))) is NotAllowed
    assert (trail.last().actor_name, trail.last().actor_id) == ("bob", bob.id)
    with acting_as(replace(ann, name="bob", id=bob.id)):
        transact(trial.add_location, code="NEW")
    assert (trail.last().actor_name, trail.last().actor_id) == ("ann", ann.id)


def test_a_stranger_may_only_what_is_public(stranger, trail):
    for operation in (trial.add_location, trial.anybody_signed_in, trial.stale_password):
        assert type(refused(stranger, operation)) is NotSignedIn
        assert (trail.last().outcome, trail.last().actor_kind) == ("denied", "anonymous")
    with acting_as(stranger):
        transact(trial.public)
        with pytest.raises(NotSignedIn):
            read(trial.list_codes)
    assert (trail.last().outcome, trail.last().client_ip) == ("succeeded", stranger.client_ip)


@pytest.mark.parametrize("machine", [system_actor("night"), Actor(kind="cli", name="cli:root")])
def test_a_machine_may_all_but_what_needs_a_person(database, trail, machine):
    with acting_as(machine):
        transact(trial.add_location, code="OTHER")
        transact(trial.machine)
    error = refused(machine, trial.approve)
    assert "needs a person" in str(error)
    assert (trail.last().outcome, trail.last().actor_name) == ("denied", machine.name)


def test_a_person_cannot_do_what_is_for_machines(ada, stranger):
    assert type(refused(ada, trial.machine)) is NotAllowed
    assert type(refused(stranger, trial.machine)) is NotAllowed


@pytest.mark.parametrize(
    ("fail", "expected", "sentence"),
    [
        ("rule", Conflict, "NEW is not wanted here."),
        ("missing", NotFound, NotFound.sentence),
        ("duplicate", Conflict, "A location of this code exists."),
    ],
)
def test_a_refused_attempt_is_recorded_once_with_its_sentence_and_its_changes_are_gone(
    ann, trail, fail, expected, sentence
):
    before = len(trail.operations()), len(trail.changes("*"))
    error = refused(ann, code="NEW", why="because", fail=fail)
    assert type(error) is expected
    found = trail.last(name="trial.add_location")
    assert (found.outcome, found.error_class, found.detail) == ("failed", expected.__name__, f"{sentence} (code NEW)")
    assert (found.actor_name, found.reason, found.attempts) == ("ann", "because", 1)
    assert (len(trail.operations()), len(trail.changes("*"))) == (before[0] + 1, before[1])


def test_a_constraint_names_the_field_it_is_about(ann):
    assert refused(ann, code="NEW", fail="duplicate").fields == {"code": "A location of this code exists."}


def test_an_unexpected_fault_is_recorded_without_the_librarys_words(ann, trail):
    with acting_as(ann), pytest.raises(ZeroDivisionError):
        transact(trial.add_location, code="NEW", fail="fault")
    found = trail.last()
    assert (found.outcome, found.error_class, found.detail) == ("failed", "ZeroDivisionError", None)
    assert trail.changes() == []


def test_an_operation_inside_an_operation_is_refused(ann, trail):
    with acting_as(ann), pytest.raises(DBAPIError) as raised:
        transact(trial.nested)
    assert sqlstate(raised.value) == "AU005"
    assert (trail.last().name, trail.last().outcome) == ("trial.nested", "failed")
    assert trail.operations(name="trial.add_location") == []


def test_an_operation_never_commits_itself(ann, trail):
    with acting_as(ann), open_session() as session:
        trial.add_location(session, code="NEW")
    assert trail.operations(name="trial.add_location") == []


def test_a_query_cannot_write(ann, observer):
    with acting_as(ann), pytest.raises(DBAPIError) as raised:
        read(trial.write_in_a_query)
    assert sqlstate(raised.value) == "25006"
    assert observer.execute("SELECT 1 FROM location WHERE code = 'SNEAKY'").fetchall() == []


def test_a_query_leaves_the_pooled_connection_able_to_write(ann):
    with acting_as(ann):
        read(trial.list_codes)
        transact(trial.add_location, code="NEW")
        assert "NEW" in read(trial.list_codes)


def test_a_query_knows_what_its_viewer_may_see(ann, bob):
    with acting_as(ann), open_session() as session:
        trial.list_codes(session)
        viewer = current_viewer(session)
    assert (viewer.user_id, viewer.session_id) == (ann.id, ann.session_id)
    assert "inventory:view" in viewer.permissions
    assert "users:manage" not in viewer.permissions
    with acting_as(bob), pytest.raises(NotAllowed):
        read(trial.list_codes)


def test_a_refused_read_is_not_in_the_trail(bob, trail):
    before = trail.operations()
    with acting_as(bob), pytest.raises(NotAllowed):
        read(trial.list_codes)
    assert trail.operations() == before


def test_a_reason_is_kept_whatever_is_in_it(ann, trail):
    """The attempt is recorded even when its words could not be stored."""
    location("NEW2")
    refused(ann, code="NEW", why="nul \0 and half a pair \ud800" + "x" * 10_000, fail="rule")
    found = trail.last()
    assert found.reason.startswith("nul \ufffd and half a pair ?xxx")
    assert len(found.reason) == 4_000


def test_a_text_that_cannot_be_stored_is_said_to_the_person(ann, trail):
    for code in ("a\0b", "a\ud800b"):
        error = refused(ann, code=code)
        assert "cannot be stored" in str(error)
        assert trail.last().outcome == "failed"


def test_a_stranger_is_recorded_with_a_shortened_browser_name(database, trail):
    with acting_as(replace(anonymous(), user_agent="x" * 5_000)):
        transact(trial.public)
    assert len(trail.last().user_agent) == 400


def test_attempts_that_were_refused_before_any_operation_are_recorded_with_their_number(stranger, trail):
    from inventory_app.unit_of_work import record_denial

    with acting_as(stranger):
        record_denial("stock.transfer_inventory", NotSignedIn(), 17)
    found = trail.last()
    assert (found.name, found.outcome, found.attempts) == ("stock.transfer_inventory", "denied", 17)
    assert (found.error_class, found.detail, found.client_ip) == (
        "NotSignedIn",
        NotSignedIn.sentence,
        stranger.client_ip,
    )
