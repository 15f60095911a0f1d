"""Rules of second factors and sessions: whose they are, what must stay, who may take them away."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from inventory_app import sealing, totp
from inventory_app.context import Actor, acting_as
from inventory_app.errors import (
    Conflict,
    FreshProofRequired,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    SecondFactorRequired,
    TooManyAttempts,
)
from inventory_app.models._base import now
from inventory_app.models.access import SecondFactor
from inventory_app.models.users import Role, SignInAttempt, UserRole
from inventory_app.operations import catalog, dashboard, devices, factors, proving
from inventory_app.operations._attempts import LONGEST_WAIT
from inventory_app.operations.proving import Proof
from inventory_app.unit_of_work import read, transact
from tests.factories import add, anonymous, arrange, person, signed_in_again
from tests.fixtures.authenticator import change_sessions, give_app, give_codes, give_passkey

NEW = "f" * 64


def needing(actor: Actor) -> Actor:
    """Give the person a role that needs a second factor."""
    role = add(Role(name="careful", needs_factor=True))
    add(UserRole(user_id=actor.id or 0, role_id=role.id or 0))
    return actor


def do(actor, operation, **arguments):
    with acting_as(actor):
        return transact(operation, **arguments)


def see(actor, query, **arguments):
    with acting_as(actor):
        return read(query, **arguments)


def set_up(actor: Actor) -> tuple[Actor, str]:
    """Set up an app as the pages do; returns the actor under the new token and the secret."""
    made = do(actor, factors.begin_totp)
    secret = made.secret.replace(" ", "")
    step_code = totp.TOTP(secret).now()
    do(actor, factors.confirm_totp, factor_id=made.factor_id, name="Phone", code=step_code, token_hash=NEW)
    return Actor("user", actor.name, actor.id, actor.session_id, NEW, actor.client_ip), secret


def test_an_app_opens_nothing_until_its_first_code_was_right(ann):
    made = do(ann, factors.begin_totp)
    assert see(ann, factors.my_factors).factors == []
    with pytest.raises(Invalid) as refused:
        do(ann, factors.confirm_totp, factor_id=made.factor_id, name="", code="000000x", token_hash=NEW)
    assert set(refused.value.fields) == {"code"}
    strong, _ = set_up(ann)
    found = see(strong, factors.my_factors)
    assert [(row.kind, row.name, row.why_not) for row in found.factors] == [("totp", "Phone", "")]
    assert found.strong


def test_the_seed_is_nowhere_in_the_database_or_the_trail(ann, observer):
    _, secret = set_up(ann)
    for (table,) in observer.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
        found = observer.execute(f"SELECT count(*) FROM public.{table} t WHERE t::text LIKE %s", [f"%{secret}%"])
        assert found.fetchone()[0] == 0, table


def test_recovery_codes_are_kept_as_hashes_and_making_new_ones_ends_the_old(ann, observer):
    ann, _ = set_up(ann)
    old, new = do(ann, factors.new_recovery_codes), do(ann, factors.new_recovery_codes)
    assert len(set(old + new)) == 20
    tables = observer.execute("SELECT string_agg(t::text, ' ') FROM recovery_code t").fetchone()[0]
    assert not [code for code in old + new if code in tables or code.replace("-", "") in tables]
    known = see(ann, proving.factors_to_check, user_id=ann.id)
    assert known.recovery_hashes == {proving.hash_code(code) for code in new}


def test_the_first_factor_ends_sessions_that_were_begun_without_one(ann):
    elsewhere = signed_in_again(ann)
    ann, _ = set_up(ann)
    assert [row.current for row in see(ann, devices.my_sessions)] == [True]
    with pytest.raises(NotSignedIn):
        see(elsewhere, devices.my_sessions)


@pytest.mark.parametrize("operation", ["begin_totp", "new_recovery_codes"])
def test_changes_need_a_proof_of_the_last_minutes(ann, operation):
    give_app(ann.id)
    change_sessions(ann.id, strong=True, reauthenticated_at=now() - timedelta(minutes=11))
    with pytest.raises(FreshProofRequired):
        do(ann, getattr(factors, operation))


def test_a_weak_session_of_somebody_with_a_factor_changes_none(ann):
    app = give_app(ann.id)
    for operation, arguments in (
        (factors.begin_totp, {}),
        (factors.new_recovery_codes, {}),
        (factors.remove_factor, {"factor_id": app.factor_id}),
        (
            factors.register_passkey,
            {"credential_id": "x", "public_key": "y", "counter": 0, "name": "", "token_hash": NEW},
        ),
    ):
        with pytest.raises(FreshProofRequired):
            do(ann, operation, **arguments)


def test_the_last_factor_stays_while_a_role_needs_one(ann):
    first, second = give_app(ann.id), give_app(ann.id)
    change_sessions(ann.id, strong=True)
    needing(ann)
    do(ann, factors.remove_factor, factor_id=first.factor_id)
    assert "your last one" in see(ann, factors.my_factors).factors[0].why_not
    with pytest.raises(NotAllowed, match="your last one"):
        do(ann, factors.remove_factor, factor_id=second.factor_id)


def test_two_removals_at_once_leave_one_factor_while_a_role_needs_it(ann):
    apps = [give_app(ann.id), give_app(ann.id)]
    change_sessions(ann.id, strong=True)
    needing(ann)
    refused: list[Exception] = []

    def remove(factor_id: int) -> None:
        try:
            do(ann, factors.remove_factor, factor_id=factor_id)
        except NotAllowed as error:
            refused.append(error)

    threads = [threading.Thread(target=remove, args=(app.factor_id,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(see(ann, factors.my_factors).factors) == 1


def test_with_the_last_factor_go_the_codes_and_the_strength(ann):
    app = give_app(ann.id)
    give_codes(ann.id, "aaaa-bbbb-cccc-dddd")
    change_sessions(ann.id, strong=True)
    do(ann, factors.remove_factor, factor_id=app.factor_id)
    found = see(ann, factors.my_factors)
    assert (found.factors, found.codes_left, found.strong) == ([], 0, False)


def test_somebody_elses_factor_does_not_exist(ann, bob):
    theirs = give_app(bob.id)
    change_sessions(ann.id, strong=True)
    for operation, arguments in (
        (factors.remove_factor, {}),
        (factors.rename_factor, {"name": "mine"}),
        (factors.confirm_totp, {"name": "", "code": theirs.code(), "token_hash": NEW}),
    ):
        with pytest.raises(NotFound):
            do(ann, operation, factor_id=theirs.factor_id, **arguments)


def test_an_app_that_is_being_set_up_is_shown_again_until_it_is_in_use_or_too_old(ann, configure):
    assert see(ann, factors.unfinished_app) is None
    made = do(ann, factors.begin_totp)
    assert see(ann, factors.unfinished_app) == made
    again = do(ann, factors.begin_totp)
    assert see(ann, factors.unfinished_app) == again
    assert again.secret != made.secret
    arrange(lambda s: s.execute(sa.update(SecondFactor).values(created_at=now() - timedelta(minutes=11))))
    assert see(ann, factors.unfinished_app) is None
    last = do(ann, factors.begin_totp)
    configure(INVENTORY_SECRET_KEY="another secret of thirty-two letters")
    assert see(ann, factors.unfinished_app) is None, "this installation cannot read it"
    with pytest.raises(Invalid):
        do(ann, factors.confirm_totp, factor_id=last.factor_id, name="", code="000000", token_hash=NEW)


def test_an_app_is_taken_into_use_once(ann):
    app = give_app(ann.id)
    change_sessions(ann.id, strong=True)
    with pytest.raises(Conflict, match="set up already"):
        do(ann, factors.confirm_totp, factor_id=app.factor_id, name="", code=app.code(), token_hash=NEW)


def test_a_second_factor_more_leaves_other_strong_sessions_alone_and_ten_are_the_most(ann):
    for _ in range(factors.MOST_FACTORS - 1):
        give_app(ann.id)
    change_sessions(ann.id, strong=True)
    other = signed_in_again(ann)
    key = {"public_key": "key", "counter": 0, "name": ""}
    do(ann, factors.register_passkey, credential_id="the tenth", token_hash=NEW, **key)
    ann = Actor("user", ann.name, ann.id, ann.session_id, NEW)
    assert {row.id for row in see(ann, devices.my_sessions)} == {ann.session_id, other.session_id}
    with pytest.raises(Conflict, match="10 already"):
        do(ann, factors.register_passkey, credential_id="one too many", token_hash="e" * 64, **key)
    assert len(see(ann, factors.my_factors).factors) == factors.MOST_FACTORS


def test_recovery_codes_are_for_who_has_a_factor(ann):
    with pytest.raises(Conflict, match="first"):
        do(ann, factors.new_recovery_codes)


def test_so_many_wrong_codes_end_a_sign_in_that_waits_and_another_may_begin(ann):
    app = give_app(ann.id)
    began = now() - timedelta(seconds=1)
    with acting_as(anonymous()):
        for _ in range(proving.WRONG_PER_SIGN_IN - 1):
            transact(proving.refuse_proof, user_id=ann.id, why="wrong code")
        assert [one.factor_id for one in read(proving.factors_to_check, user_id=ann.id, since=began).apps] == [
            app.factor_id
        ]
        transact(proving.refuse_proof, user_id=ann.id, why="wrong code")
    # What slows the pair down is over, this sign-in is nevertheless.
    arrange(lambda s: s.execute(sa.update(SignInAttempt).values(at=now() - LONGEST_WAIT)))
    with acting_as(anonymous()):
        with pytest.raises(TooManyAttempts, match="from the start"):
            read(proving.factors_to_check, user_id=ann.id, since=began - 2 * LONGEST_WAIT)
        assert read(proving.factors_to_check, user_id=ann.id, since=now()).apps


def test_a_factor_that_was_just_removed_proves_nothing(ann):
    app = give_app(ann.id)
    change_sessions(ann.id, strong=True)
    do(ann, factors.remove_factor, factor_id=app.factor_id)
    with pytest.raises(Conflict, match="removed a moment ago"):
        do(
            ann,
            proving.confirm_identity,
            verified_hash=None,
            proof=Proof("totp", app.factor_id, 100),
            token_hash=NEW,
        )


def test_a_factor_is_called_as_its_owner_says_and_keeps_its_name_otherwise(ann):
    app = give_app(ann.id)
    for given, shown in (("My phone", "My phone"), (" ", "My phone")):
        do(ann, factors.rename_factor, factor_id=app.factor_id, name=given)
        assert [row.name for row in see(ann, factors.my_factors).factors] == [shown]
    with pytest.raises(Invalid):
        do(ann, factors.rename_factor, factor_id=app.factor_id, name="x" * 61)


def test_a_recovery_code_that_was_used_a_moment_ago_proves_nothing(ann):
    give_app(ann.id)
    give_codes(ann.id, "aaaa-bbbb-cccc-dddd")
    proof = Proof("recovery_code", code_hash=proving.hash_code("AAAA bbbb cccc dddd"))
    do(ann, proving.confirm_identity, verified_hash=None, proof=proof, token_hash=NEW)
    again = Actor("user", ann.name, ann.id, ann.session_id, NEW, ann.client_ip)
    with pytest.raises(Conflict, match="used already"):
        do(again, proving.confirm_identity, verified_hash=None, proof=proof, token_hash="e" * 64)


def test_who_gave_the_right_password_is_asked_for_what_they_have(ann, bob):
    give_app(ann.id)
    give_passkey(bob.id, "https://inventory.example")
    for who, app, passkey in ((ann, True, False), (bob, False, True)):
        found = see(anonymous(), proving.ways_of, user_id=who.id)
        assert (found.app, found.passkey) == (app, passkey)


def test_a_code_moves_its_counter_forward_only(ann):
    app = give_app(ann.id)
    with acting_as(ann):
        transact(proving.confirm_identity, verified_hash=None, proof=Proof("totp", app.factor_id, 100), token_hash=NEW)
    again = Actor("user", ann.name, ann.id, ann.session_id, NEW)
    for step in (100, 99):
        with pytest.raises(Conflict, match="used already"):
            do(
                again,
                proving.confirm_identity,
                verified_hash=None,
                proof=Proof("totp", app.factor_id, step),
                token_hash="e" * 64,
            )


def test_a_passkey_that_counts_nothing_can_be_used_again_and_again(ann):
    do(ann, factors.register_passkey, credential_id="id", public_key="key", counter=0, name="", token_hash=NEW)
    ann = Actor("user", ann.name, ann.id, ann.session_id, NEW)
    (key,) = see(ann, proving.factors_to_check, user_id=ann.id).passkeys
    for token in ("a" * 64, NEW):
        proof = Proof("passkey", key.factor_id, 0)
        do(ann, proving.confirm_identity, verified_hash=None, proof=proof, token_hash=token)
        ann = Actor("user", ann.name, ann.id, ann.session_id, token)


def test_nobody_confirms_with_nothing(ann):
    with pytest.raises(NotAllowed):
        do(ann, proving.confirm_identity, verified_hash=None, proof=None, token_hash=NEW)


def test_a_role_that_needs_a_factor_opens_only_the_way_to_one(ann):
    needing(ann)
    for query in (dashboard.waiting,):
        with pytest.raises(SecondFactorRequired):
            see(ann, query)
    with pytest.raises(SecondFactorRequired):
        do(ann, catalog.create_location, code="X", name="Yard")
    see(ann, factors.my_factors)
    see(ann, devices.my_sessions)
    strong, _ = set_up(ann)
    see(strong, dashboard.waiting)


# The reset by somebody else


def test_an_administrator_takes_lost_factors_away_and_the_sessions_end(ada, ann, trail):
    give_app(ann.id)
    give_codes(ann.id, "aaaa-bbbb-cccc-dddd")
    do(ada, factors.reset_factors, user_id=ann.id, reason="Phone stolen")
    known = see(ada, proving.factors_to_check, user_id=ann.id)
    assert (known.apps, known.recovery_hashes) == ([], frozenset())
    assert see(ada, devices.sessions_of, user_id=ann.id).sessions == []
    entry = trail.last(name="factors.reset_factors")
    assert (entry.outcome, entry.reason) == ("succeeded", "Phone stolen")


def test_nobody_resets_or_ends_what_may_do_more_than_they(ada, ann):
    helper = person("helper", "accountant")
    arrange(
        lambda session: (
            session.exec(select(Role).where(Role.name == "accountant"))
            .one()
            .set_permissions({"users:manage", "users:view"}, session)
        )
    )
    give_app(ada.id)
    for operation, arguments in (
        (factors.reset_factors, {"reason": "x"}),
        (devices.end_sessions_of, {}),
        (devices.end_sessions_of, {"session_id": ada.session_id}),
    ):
        with pytest.raises(NotAllowed, match="This account may do what you may not"):
            do(helper, operation, user_id=ada.id, **arguments)
    shown = see(helper, devices.sessions_of, user_id=ada.id)
    assert shown.why_not
    assert (shown.sessions, shown.factors) == ([], 0), "where they are, and how they sign in, is not shown either"
    assert see(ada, devices.my_sessions)


def test_a_reset_needs_a_reason_a_factor_and_somebody_else(ada, ann):
    give_app(ada.id)
    with pytest.raises(NotAllowed, match="your own"):
        do(ada, factors.reset_factors, user_id=ada.id, reason="x")
    with pytest.raises(Conflict, match="no second factor"):
        do(ada, factors.reset_factors, user_id=ann.id, reason="x")
    give_app(ann.id)
    with pytest.raises(Invalid):
        do(ada, factors.reset_factors, user_id=ann.id, reason=" ")
    with pytest.raises(NotFound):
        do(ada, factors.reset_factors, user_id=999_999, reason="x")


def test_the_command_line_resets_without_a_fresh_proof(ann):
    give_app(ann.id)
    cli = Actor("cli", "cli:root")
    user_id = see(cli, devices.number_of, username="ANN")
    assert do(cli, factors.reset_factors, user_id=user_id, reason="lost") == "ann"


# Sessions


def test_one_ends_ones_own_sessions_and_nobody_elses(ann, bob):
    other = signed_in_again(ann)
    with pytest.raises(NotFound):
        do(ann, devices.end_my_session, session_id=bob.session_id)
    with pytest.raises(NotAllowed, match="sign out instead"):
        do(ann, devices.end_my_session, session_id=ann.session_id)
    do(ann, devices.end_my_session, session_id=other.session_id)
    with pytest.raises(NotFound):
        do(ann, devices.end_my_session, session_id=other.session_id)
    assert see(bob, devices.my_sessions)
    signed_in_again(ann)
    do(ann, devices.end_my_other_sessions)
    assert [row.id for row in see(ann, devices.my_sessions)] == [ann.session_id]


def test_sessions_of_nobody_are_not_found(ada):
    with pytest.raises(NotFound, match="no account nobody"):
        see(Actor("cli", "cli:root"), devices.number_of, username="nobody")
    with pytest.raises(NotFound, match="no such person"):
        see(ada, devices.sessions_of, user_id=999_999)
    with pytest.raises(NotFound, match="no such person"):
        do(ada, devices.end_sessions_of, user_id=999_999)


def test_an_administrator_ends_sessions_of_a_person_one_or_all(ada, ann):
    other = signed_in_again(ann)
    with pytest.raises(NotFound):
        do(ada, devices.end_sessions_of, user_id=ann.id, session_id=ada.session_id)
    do(ada, devices.end_sessions_of, user_id=ann.id, session_id=other.session_id)
    assert [row.id for row in see(ada, devices.sessions_of, user_id=ann.id).sessions] == [ann.session_id]
    do(ada, devices.end_sessions_of, user_id=ann.id)
    assert see(ada, devices.sessions_of, user_id=ann.id).sessions == []


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("\u202e\x00<b>", "<b>"),
        (None, "Unknown device"),
    ],
)
def test_a_device_is_named_in_words(agent, device):
    assert devices.device_of(agent) == device


# The secret of the installation


def test_the_secret_is_made_once_readable_by_its_owner_only(configure, tmp_path, monkeypatch):
    monkeypatch.delenv("INVENTORY_SECRET_KEY")
    configure(INVENTORY_DATA_DIR=str(tmp_path / "data"))
    sealed = sealing.seal("test", {"a": 1})
    file = tmp_path / "data" / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="ascii")
    sealing._secret.cache_clear()
    assert sealing.unseal("test", sealed) == {"a": 1}
    assert file.read_text(encoding="ascii") == text
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("purpose", ["test", "other"])
def test_what_is_sealed_opens_for_its_purpose_here_and_in_time_only(configure, purpose):
    sealed = sealing.seal("test", "x")
    if purpose == "other":
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(purpose, sealed)
        return
    configure(INVENTORY_SECRET_KEY="another secret of thirty-two letters")
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(purpose, sealed)


def test_codes_of_the_step_before_now_and_after_count_and_no_other():
    seed = totp.new_seed()
    at = 1_000_000_000.0
    right = {n for n in range(-4, 5) if totp.matching_step(seed, totp.TOTP(seed).at(int(at) + 30 * n), after=-1, at=at)}
    assert right == {-1, 0, 1}
    now_code = totp.TOTP(seed).at(int(at))
    assert totp.matching_step(seed, f" {now_code[:3]} {now_code[3:]} ", after=-1, at=at) == int(at) // 30
    assert totp.matching_step(seed, now_code, after=int(at) // 30, at=at) is None
    for wrong in ("", "12345", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666", "abcdef"):
        assert totp.matching_step(seed, wrong, after=-1, at=at) is None
