"""Erasing somebody's personal data: the one way there is, who may, and that the record keeps its shape."""

import psycopg
import pytest
from sqlmodel import select

from inventory_app.audit import drift
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Invalid, NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity, UserPicture
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations import accounts, dashboard, pictures, users
from inventory_app.operations import trail as trail_queries
from inventory_app.operations._lists import View
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import add, arrange, begin_as, person

ISSUER = "https://id.example"
WHY = "Asked for in letter 17"
REFUSED = "AU008"


@pytest.fixture
def carla(ada):
    """Somebody who has left: her name was changed once, and her account is disabled."""
    carla = person("carla", "employee")

    def rename(session):
        info = session.exec(select(UserInfo).where(UserInfo.user_id == carla.id)).one()
        info.full_name, info.email = "Carla Étoile", "etoile@example.org"

    arrange(rename)
    with acting_as(system_actor("test")):
        transact(users.deactivate_user, user_id=carla.id)
    return carla


def erase(actor, whom, reason=WHY):
    with acting_as(actor):
        return transact(users.erase_personal_data, user_id=whom.id, reason=reason)


def everything(observer) -> str:
    """All that the database holds about people, as text."""
    tables = (
        "user_info",
        "local_user",
        "external_identity",
        "user_picture",
        "audit_change",
        "audit_operation",
        "audit_personal",
        "idempotency",
    )
    return "\n".join(str(observer.execute(f"SELECT * FROM {table}").fetchall()) for table in tables)


def record(observer):
    """The part of the trail that hashes will be computed over."""
    operations = set(observer.execute("SELECT o::text FROM audit_operation o").fetchall())
    return operations, set(observer.execute("SELECT c::text FROM audit_change c").fetchall())


def test_name_and_address_are_gone_from_the_person_and_from_the_trail(ada, carla, observer):
    for word in ("Étoile", "etoile@example.org", "carla@example.com"):
        assert word in everything(observer)
    number = erase(ada, carla)
    left = everything(observer)
    for word in ("Étoile", "etoile@example.org", "carla@example.com", "Carla"):
        assert word not in left
    # Three columns each: when she was entered, renamed and disabled (whole rows), and given the pseudonym.
    assert number == 12
    row = observer.execute("SELECT email, full_name, sort_key FROM user_info WHERE user_id = %s", [carla.id]).fetchone()
    assert row == (f"erased-{carla.id}@erased.invalid", f"Erased person {carla.id}", f"erased person {carla.id}")
    assert observer.execute("SELECT username FROM local_user WHERE id = %s", [carla.id]).fetchone() == ("carla",)


def test_who_they_are_to_a_provider_and_their_picture_go_too(ada, carla, observer):
    """The connection they have and one that was taken away; the trail keeps that there were such."""
    gone = add(ExternalIdentity(user_id=carla.id, issuer=ISSUER, subject="carla-before", removed_at=now()))
    live = add(ExternalIdentity(user_id=carla.id, issuer=ISSUER, subject="carla-etoile-4711"))
    dora = person("dora")
    hers = add(ExternalIdentity(user_id=dora.id, issuer=ISSUER, subject="dora-0815"))
    add(UserPicture(user_id=carla.id, content=b"a face", media_type="image/webp", sha256="f" * 64))
    assert "carla-etoile-4711" in everything(observer)
    number = erase(ada, carla)
    left = everything(observer)
    for word in ("carla-etoile-4711", "carla-before", "Étoile"):
        assert word not in left
    assert "dora-0815" in left
    rows = "SELECT id, subject, removed_at IS NOT NULL FROM external_identity ORDER BY id"
    assert observer.execute(rows).fetchall() == [
        (gone.id, f"erased-{gone.id}", True),
        (live.id, f"erased-{live.id}", True),
        (hers.id, "dora-0815", False),
    ]
    assert observer.execute("SELECT content, sha256 FROM user_picture").fetchone() == (b"", "")
    erased = dict(
        observer.execute("SELECT table_name || pk, erased_values FROM audit_erasure WHERE table_name <> 'user_info'")
    )
    # Entered, and given the pseudonym.
    assert erased == {f"external_identity{gone.id}": 2, f"external_identity{live.id}": 2}
    assert number == 12 + 4


def test_nobody_elses_values_are_touched(ada, carla, observer):
    mine = "SELECT count(*) FROM audit_personal p JOIN audit_change c ON c.id = p.change_id WHERE c.pk <> %s"
    pk = str(observer.execute("SELECT id FROM user_info WHERE user_id = %s", [carla.id]).fetchone()[0])
    before = observer.execute(mine, [pk]).fetchone()
    erase(ada, carla)
    assert observer.execute(mine, [pk]).fetchone() == before != (0,)


def test_every_record_keeps_its_shape_and_the_erasure_adds_its_own(ada, carla, observer, trail):
    operations, changes = record(observer)
    erase(ada, carla)
    after_operations, after_changes = record(observer)
    assert operations <= after_operations
    assert changes <= after_changes
    done = trail.last()
    assert (done.name, done.actor_name, done.reason, done.outcome) == (
        "users.erase_personal_data", "ada", WHY, "succeeded",
    )  # fmt: skip
    rows = observer.execute("SELECT operation_id, table_name, erased_values FROM audit_erasure").fetchall()
    assert rows == [(done.id, "user_info", 12)]
    assert {change.table for change in trail.changes(done.id)} == {"user_info"}


def test_their_sessions_end(ada, observer):
    """An account that was disabled without its sessions being ended, as by hand."""
    dora = person("dora", enabled=False)
    live = "SELECT count(*) FROM auth_session WHERE user_id = %s AND revoked_at IS NULL"
    assert observer.execute(live, [dora.id]).fetchone() == (1,)
    erase(ada, dora)
    assert observer.execute(live, [dora.id]).fetchone() == (0,)


def test_the_trail_says_when_and_by_whom(ada, carla, observer, trail):
    renamed = trail.last(name="tests.arrange")
    erase(ada, carla)
    day = observer.execute(
        "SELECT to_char(recorded_at AT TIME ZONE 'UTC', 'FMDD Mon YYYY') FROM audit_erasure"
    ).fetchone()
    with acting_as(ada):
        detail = read(trail_queries.operation_detail, operation_id=str(renamed.id))
    fields = {field.name: (field.before, field.after) for row in detail.changes for field in row.fields}
    words = f"erased on {day[0]} by ada"
    assert fields == {"email": (words, words), "full_name": (words, words)}


def test_the_list_says_so_and_offers_nothing_more(ada, carla):
    def row():
        with acting_as(ada):
            return next(r for r in read(users.list_users).page.rows if r.username == "carla")

    assert (row().erased, row().why_not_erase) == (False, "")
    erase(ada, carla)
    assert (row().erased, row().why_not_erase) == (True, "This person's data has been erased already.")


@pytest.mark.parametrize("reason", ["", "  \n", "\x00", "x" * 501])
def test_it_needs_a_reason(ada, carla, reason, observer):
    with pytest.raises(Invalid):
        erase(ada, carla, reason)
    assert "Étoile" in everything(observer)


def test_it_refuses_an_account_that_can_still_sign_in(ada):
    with pytest.raises(NotAllowed, match="Disable the account first"):
        erase(ada, person("dora"))


def test_nobody_erases_themselves(ada):
    with pytest.raises(NotAllowed, match="your own data"):
        erase(ada, ada)


def test_nobody_erases_somebody_who_may_what_they_may_not(database):
    def build(session):
        role = session.exec(select(users.Role).where(users.Role.name == "auditor")).one()
        role.set_permissions(["users:manage", "users:view"], session)

    arrange(build)
    clerk, boss = person("clerk", "auditor"), person("boss", "admin", enabled=False)
    person("ada", "admin")
    with pytest.raises(NotAllowed, match="may do what you may not"):
        erase(clerk, boss)
    erase(clerk, person("eve", enabled=False))


def test_erasing_twice_is_refused_and_an_erased_account_is_not_enabled_again(ada, carla):
    erase(ada, carla)
    with pytest.raises(NotAllowed, match="erased already"):
        erase(ada, carla)
    with acting_as(ada), pytest.raises(NotAllowed, match="nobody is behind the account"):
        transact(users.enable_user, user_id=carla.id)


def test_an_unknown_person_is_not_found(ada):
    with acting_as(ada), pytest.raises(NotFound):
        transact(users.erase_personal_data, user_id=999_999, reason=WHY)


# The database decides the same, whoever calls the function


CALL = "SELECT audit_erase_person(%s)"
BEGIN = "SELECT audit_begin_as(gen_random_uuid(), %s, 'succeeded', 'cli', 'cli:x', NULL, NULL, NULL, %s, NULL, NULL)"


@pytest.mark.parametrize(
    "begin",
    [None, ("users.deactivate_user", WHY), ("users.erase_personal_data", None), ("users.erase_personal_data", "")],
    ids=["no operation", "another operation", "no reason", "an empty reason"],
)
def test_the_function_needs_its_own_operation_with_a_reason(database, ada, carla, begin):
    with database.as_app() as connection:
        if begin:
            connection.execute(BEGIN, begin)
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(CALL, [carla.id])
    assert refused.value.sqlstate == REFUSED


def test_the_function_erases_nobody_who_can_sign_in(database, ada):
    with database.as_app() as connection:
        connection.execute(BEGIN, ("users.erase_personal_data", WHY))
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(CALL, [ada.id])
    assert refused.value.sqlstate == REFUSED


@pytest.mark.parametrize("role", ["as_owner", "as_superuser"])
def test_nobody_deletes_values_without_an_erasure_on_record_in_the_same_transaction(database, ada, carla, role):
    """Also not of another person while one is erased, and not later under the old erasure."""
    person("dora")
    with getattr(database, role)() as connection:
        begin_as(connection)
        with pytest.raises(psycopg.Error) as refused:
            connection.execute("DELETE FROM audit_personal")
    assert refused.value.sqlstate == "AU007"
    with getattr(database, role)() as connection:
        connection.execute(BEGIN, ("users.erase_personal_data", WHY))
        connection.execute(CALL, [carla.id])
        with pytest.raises(psycopg.Error) as refused:
            connection.execute("DELETE FROM audit_personal")
    assert refused.value.sqlstate == "AU007"


def test_an_erasure_leaves_no_drift_and_a_failed_one_leaves_everything(database, ada, carla, observer):
    with open_session() as session, acting_as(ada):
        assert users.erase_personal_data(session, user_id=carla.id, reason=WHY) == 12
        assert session.get_one(LocalUser, carla.id).username == "carla"
        session.rollback()
    assert "Étoile" in everything(observer)
    assert observer.execute("SELECT count(*) FROM audit_erasure").fetchone() == (0,)
    erase(ada, carla)
    with database.as_app() as connection:
        drift.check(connection)


def test_who_was_never_let_in_and_is_erased_waits_no_longer(ada):
    eve = person("eve", enabled=False)
    arrange(lambda session: setattr(session.get_one(LocalUser, eve.id), "enabled_at", None))

    def counts():
        with acting_as(ada):
            found, waiting = read(users.count_users), read(users.list_users, view=View(filters={"tab": "waiting"}))
            disabled = read(users.list_users, view=View(filters={"tab": "disabled"}))
            return found.waiting, read(dashboard.waiting).people, len(waiting.page.rows), len(disabled.page.rows)

    assert counts() == (1, 1, 1, 0)
    erase(ada, eve)
    assert counts() == (0, 0, 0, 1)


def test_their_picture_and_the_answers_that_name_them_are_gone_too(ada, observer):
    """What an operation with a key answered is remembered for a month: it held the name and the address in clear."""
    dora = person("dora")
    with acting_as(dora):
        transact(pictures.set_picture, content=b"her face", media_type="image/webp", sha256="a" * 64)
        transact(accounts.update_own_email, email="dora.d@example.org", version=1, idempotency_key="own")
    with acting_as(ada):
        transact(
            accounts.edit_user,
            user_id=dora.id, full_name="Dora “Dee” Übel", email="dee@example.org", version=2, idempotency_key="hers",
        )  # fmt: skip
        transact(users.deactivate_user, user_id=dora.id, idempotency_key="shut")
    erase(ada, dora)
    kept = observer.execute("SELECT key, result FROM idempotency").fetchall()
    assert [key for key, _ in kept] == ["shut"]
    assert observer.execute("SELECT content, sha256 FROM user_picture").fetchall() == [(b"", "")]
    for word in ("dora.d@", "Übel", "dee@"):
        assert word not in everything(observer)


def test_what_is_remembered_of_others_stays(ada, carla, observer):
    with acting_as(ada):
        transact(users.enable_user, user_id=person("eve", enabled=False).id, idempotency_key="let in")
    erase(ada, carla)
    assert observer.execute("SELECT key FROM idempotency").fetchall() == [("let in",)]
