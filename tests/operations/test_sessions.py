"""Signing in and out, being slowed down, changing the password."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app import jobs
from inventory_app.context import Actor, acting_as
from inventory_app.errors import AccountDisabled, Conflict, NotFound, NotSignedIn, TooManyAttempts
from inventory_app.models._base import now
from inventory_app.models.users import AuthSession, Idempotency, LocalUser, SessionActivity, SignInAttempt
from inventory_app.operations import _attempts, _session_life, sessions
from inventory_app.operations._attempts import account_key, address_key
from inventory_app.passwords import verify_password
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import PASSWORD, anonymous, arrange, password_hash, person, signed_in_again
from tests.fixtures.authenticator import give_app
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked

HOME, OFFICE, ELSEWHERE = "192.0.2.10", "192.0.2.20", "198.51.100.66"


def fail(times: int, address: str = HOME, account: str = "ann") -> None:
    """Be refused `times` times, in one transaction because only the counter matters."""
    arrange(
        lambda s: s.add_all(
            SignInAttempt(account=account_key(account), address=address_key(address), succeeded=False)
            for _ in range(times)
        )
    )


def ask(address: str = HOME, account: str = "ann") -> sessions.Credentials:
    with acting_as(anonymous(address)):
        return read(sessions.credentials, username=account)


def slowed(address: str = HOME, account: str = "ann") -> bool:
    try:
        ask(address, account)
    except TooManyAttempts:
        return True
    return False


def sign_in(address: str = HOME, *, account: str = "ann", token: str = "token", remember: bool = False, **changed):  # noqa: S107  # opens nothing
    known = ask(address, account)
    values = {"user_id": known.user_id, "verified_hash": known.password_hash, "renewed_hash": None} | changed
    with acting_as(anonymous(address)):
        transact(sessions.sign_in, token_hash=sessions.hash_token(token), remember=remember, **values)


def session_rows(user_id: int) -> list[dict]:
    return arrange(
        lambda s: [
            row.model_dump()
            for row in s.exec(select(AuthSession).where(AuthSession.user_id == user_id).order_by(col(AuthSession.id)))
        ]
    )


def test_signing_in_makes_a_session_that_is_recorded(ann, trail):
    sign_in(token="fresh")
    assert [(c.table, c.kind) for c in trail.changes()] == [("auth_session", "insert")]
    assert (trail.last().name, trail.last().outcome, trail.last().client_ip) == ("sessions.sign_in", "succeeded", HOME)
    with acting_as(replace(ann, token_hash=sessions.hash_token("fresh"))):
        me = read(sessions.who_is_this)
    assert (me.user_id, me.username, me.full_name, me.roles) == (ann.id, "ann", "Ann", ("manager",))
    assert "products:manage" in me.permissions


def test_the_token_itself_is_stored_nowhere(ann, observer):
    sign_in(token="the-cookie-itself")
    tables = observer.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (table,) in tables:
        assert "the-cookie-itself" not in str(observer.execute(f"SELECT array_agg(t::text) FROM {table} t").fetchone())


def test_a_session_lasts_as_long_as_was_asked(ann, configure):
    configure(INVENTORY_SESSION_DAYS="3", INVENTORY_SESSION_IDLE_MINUTES="25")
    sign_in(token="a", remember=False)
    sign_in(token="b", remember=True)
    short, long = session_rows(ann.id)[1:]
    assert short["idle_minutes"] == 25
    assert short["expires_at"] - short["created_at"] < timedelta(hours=17)
    assert long["idle_minutes"] == 3 * 24 * 60
    assert timedelta(days=2, hours=23) < long["expires_at"] - long["created_at"] < timedelta(days=3, hours=1)


def test_an_aged_hash_is_renewed_while_signing_in(ann, trail):
    sign_in(renewed_hash="$argon2id$stronger")
    assert sorted((c.table, c.kind) for c in trail.changes()) == [("auth_session", "insert"), ("local_user", "update")]


def test_a_disabled_person_does_not_get_in(ann, trail):
    arrange(lambda s: s.execute(sa.update(LocalUser).values(enabled=False)))
    with pytest.raises(AccountDisabled):
        sign_in()
    assert trail.last().outcome == "denied"
    assert len(session_rows(ann.id)) == 1


def test_a_password_that_changed_since_it_was_checked_does_not_let_in(ann):
    with pytest.raises(Conflict, match="changed a moment ago"):
        sign_in(verified_hash="$argon2id$old")
    with pytest.raises(NotFound):
        sign_in(user_id=4711)


def test_a_second_factor_that_was_just_set_up_is_not_gone_around(ann):
    give_app(ann.id)
    with pytest.raises(Conflict, match="second factor was set up"):
        sign_in()
    assert len(session_rows(ann.id)) == 1


def test_an_unknown_person_looks_like_a_wrong_password(ann):
    assert ask(account="nobody") == sessions.Credentials(None, None)
    assert verify_password(PASSWORD, None) == (False, None)
    assert ask(account="ANN").user_id == ann.id
    assert verify_password(PASSWORD, ask().password_hash)[0]


def test_a_refused_sign_in_is_counted_and_recorded_as_denied(ann, trail):
    with acting_as(anonymous(HOME)):
        transact(sessions.refuse_sign_in, account="Ann", why="wrong password")
    found = trail.last()
    assert (found.name, found.outcome, found.reason, found.actor_kind) == (
        "sessions.sign_in",
        "denied",
        "wrong password",
        "anonymous",
    )
    counted = arrange(lambda s: [(a.account, a.address, a.succeeded) for a in s.exec(select(SignInAttempt))])
    assert counted == [(account_key("ann"), HOME, False)]


def test_a_few_mistakes_cost_nothing_and_more_slow_the_pair_down(ann):
    fail(_attempts.FREE_FAILURES - 1)
    assert not slowed()
    fail(1)
    assert slowed()
    assert not slowed(OFFICE), "the same account from another address"
    assert not slowed(account="bob"), "another account from the same address"


def test_the_wait_grows_and_ends(ann):
    fail(_attempts.FREE_FAILURES + 3)
    with pytest.raises(TooManyAttempts, match=r"Wait [5678] seconds"):
        ask()
    fail(20)
    with pytest.raises(TooManyAttempts, match=r"Wait (900|89\d) seconds"):
        ask()
    arrange(lambda s: s.execute(sa.update(SignInAttempt).values(at=now() - _attempts.LONGEST_WAIT)))
    assert not slowed()


def test_a_success_forgives_earlier_mistakes(ann):
    fail(_attempts.FREE_FAILURES - 1)
    sign_in()
    fail(_attempts.FREE_FAILURES - 1)
    assert not slowed()


def test_an_address_that_tries_many_accounts_is_slowed_for_every_account(ann):
    for number in range(_attempts.FREE_FAILURES_OF_AN_ADDRESS):
        fail(1, ELSEWHERE, f"account-{number}")
    assert slowed(ELSEWHERE)
    assert slowed(ELSEWHERE, "somebody-new")
    assert not slowed(HOME)


def test_an_address_with_a_recent_success_is_never_slowed_by_strangers(ann):
    sign_in(HOME)
    fail(200, ELSEWHERE)
    for number in range(40):
        fail(1, HOME, f"account-{number}")
    assert slowed(ELSEWHERE)
    assert slowed(HOME, "bob")
    assert not slowed(HOME)


def test_a_success_long_ago_is_no_recent_success(ann):
    sign_in(HOME)
    arrange(lambda s: s.execute(sa.update(SignInAttempt).values(at=now() - _attempts.TRUSTED_FOR)))
    for number in range(40):
        fail(1, HOME, f"account-{number}")
    assert slowed(HOME)


def test_an_account_can_be_unlocked_from_the_command_line(ann, trail):
    fail(_attempts.FREE_FAILURES)
    fail(_attempts.FREE_FAILURES, OFFICE)
    fail(1, account="bob")
    sign_in(ELSEWHERE)
    with acting_as(Actor(kind="cli", name="cli:root")):
        assert transact(sessions.unlock, username="Ann") == 2 * _attempts.FREE_FAILURES
    assert (trail.last().name, trail.last().actor_name) == ("sessions.unlock", "cli:root")
    assert not slowed()
    assert not slowed(OFFICE)
    kept = arrange(lambda s: [(a.account, a.succeeded) for a in s.exec(select(SignInAttempt))])
    assert sorted(kept, key=lambda row: row[1]) == [
        (account_key("bob"), False),
        (account_key("ann"), True),
    ]


def test_one_customers_ipv6_addresses_count_as_one(ann):
    fail(_attempts.FREE_FAILURES, "2001:db8:1:2::1")
    assert slowed("2001:db8:1:2:ffff::9")
    assert not slowed("2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_an_address_is_counted_under_one_name_however_it_is_written(address, key):
    assert address_key(address) == key


def test_an_account_is_counted_whatever_its_case_and_what_was_typed_is_not_kept():
    assert account_key("  ANN ") == account_key("ann") != account_key("bob")
    assert "secret" not in account_key("my secret password")
    assert len(account_key("x" * 100_000)) == 64


def test_signing_out_ends_this_session_and_no_other(ann):
    other = signed_in_again(ann)
    with acting_as(ann):
        transact(sessions.sign_out)
        with pytest.raises(NotSignedIn):
            read(sessions.who_is_this)
        with pytest.raises(NotSignedIn):
            transact(sessions.sign_out)
    with acting_as(other):
        assert read(sessions.who_is_this).username == "ann"


def change_password(actor, verified: str | None = None, token: str = "rotated"):  # noqa: S107  # opens nothing
    with acting_as(actor):
        transact(
            sessions.change_password,
            verified_hash=verified or password_hash(),
            new_hash="$argon2id$new",
            token_hash=sessions.hash_token(token),
        )


def test_changing_the_password_keeps_this_session_under_a_new_token_and_ends_the_others(ann, trail):
    other = signed_in_again(ann)
    change_password(ann)
    assert sorted((c.table, c.kind) for c in trail.changes()) == [
        ("auth_session", "update"),
        ("auth_session", "update"),
        ("local_user", "update"),
    ]
    for gone in (ann, other):
        with acting_as(gone), pytest.raises(NotSignedIn):
            read(sessions.who_is_this)
    with acting_as(replace(ann, token_hash=sessions.hash_token("rotated"))):
        assert read(sessions.who_is_this).session_id == ann.session_id


def test_a_password_given_by_somebody_else_is_replaced_at_first_sign_in(database):
    carl = person("carl", "employee", must_change_password=True)
    with acting_as(carl):
        assert read(sessions.who_is_this).must_change_password
    change_password(carl)
    with acting_as(replace(carl, token_hash=sessions.hash_token("rotated"))):
        assert not read(sessions.who_is_this).must_change_password


def test_of_two_password_changes_at_once_exactly_one_succeeds(ann, observer):
    other = signed_in_again(ann)
    with Side(lambda: change_password(ann, token="a"), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: change_password(other, token="b")) as two:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting)
            one.go_on()
            assert one.error() is None
            assert isinstance(two.error(), Conflict | NotFound | NotSignedIn)
    revoked = [row["revoked_at"] is not None for row in session_rows(ann.id)]
    assert revoked == [False, True]


def test_a_session_is_touched_at_most_once_a_minute(ann, observer):
    def touch() -> object:
        with open_session() as session:
            _session_life.touch_session(session, session_id=ann.session_id)
            session.commit()
        return observer.execute("SELECT seen_at, xmin::text FROM session_activity").fetchone()

    first = touch()
    assert touch() == first
    arrange(lambda s: s.execute(sa.update(SessionActivity).values(seen_at=now() - timedelta(seconds=61))))
    assert touch()[0] >= first[0]


def test_what_no_longer_matters_is_forgotten(ann, observer):
    fail(2)
    arrange(lambda s: s.execute(sa.update(SignInAttempt).values(at=now() - _attempts.TRUSTED_FOR - timedelta(1))))
    fail(3)
    with acting_as(ann):
        transact(sessions.sign_out, idempotency_key="new")
    with acting_as(signed_in_again(ann)):
        transact(sessions.sign_out, idempotency_key="old")
    old = now() - sessions.ANSWERS_KEPT_FOR - timedelta(1)
    arrange(lambda s: s.execute(sa.update(Idempotency).where(col(Idempotency.key) == "old").values(created_at=old)))
    jobs.forget_old_attempts()
    assert observer.execute("SELECT count(*) FROM sign_in_attempt").fetchone() == (3,)
    assert observer.execute("SELECT key FROM idempotency").fetchall() == [("new",)]
