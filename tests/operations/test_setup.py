"""The first start: permissions, roles, units, and the first administrator, made once."""

import stat
import sys

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app import first_password, first_run
from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.errors import PasswordChangeRequired
from inventory_app.models.catalog import Location
from inventory_app.models.users import LocalUser, Permission, Role, RolePermission, UserInfo
from inventory_app.operations import sessions, setup, users
from inventory_app.operations.catalog import DEFAULT_LOCATION
from inventory_app.passwords import hash_password, verify_password
from inventory_app.permissions import ADMIN, DEFAULT_ROLES
from inventory_app.permissions import Permission as Known
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import anonymous, arrange, person
from tests.fixtures.seeing import Side, before, before_commit, locks_waited_for, wait_until_blocked


def held(role: str) -> set[str]:
    with open_session() as session:
        return users.permissions_of_roles(session, [role])


@pytest.fixture
def data_dir(configure, tmp_path):
    configure(INVENTORY_DATA_DIR=str(tmp_path / "data"))
    return tmp_path / "data"


def test_roles_and_permissions_are_those_of_the_code(database):
    with open_session() as session:
        assert set(session.exec(select(Permission.name))) == set(Known)
        roles = {role.name: role for role in session.exec(select(Role))}
        assert roles.keys() == DEFAULT_ROLES.keys()
        assert all(role.built_in and role.active for role in roles.values())
    for name, (_, wanted) in DEFAULT_ROLES.items():
        assert held(name) == wanted, name


def test_there_is_a_place_to_keep_things_from_the_first_start_on(database):
    with open_session() as session:
        assert [(place.code, place.name) for place in session.exec(select(Location))] == [DEFAULT_LOCATION]


def test_a_second_start_writes_nothing(database, trail):
    before = trail.operations()
    first_run.check_and_prepare()
    assert trail.operations() == before


def test_running_it_again_changes_nothing(database, trail):
    with acting_as(system_actor("setup")):
        transact(setup.prepare)
    assert trail.changes() == []


def _take_away(role: str, permission: str) -> None:
    def build(session) -> None:
        ids = [
            session.exec(select(Role.id).where(Role.name == role)).one(),
            session.exec(select(Permission.id).where(Permission.name == permission)).one(),
        ]
        session.execute(
            sa.delete(RolePermission).where(
                col(RolePermission.role_id) == ids[0], col(RolePermission.permission_id) == ids[1]
            )
        )

    arrange(build)


def _forget(permission: str) -> None:
    """Make the permission one that the database has not seen yet."""

    def build(session) -> None:
        row = session.exec(select(Permission).where(Permission.name == permission)).one()
        session.execute(sa.delete(RolePermission).where(col(RolePermission.permission_id) == row.id))
        session.flush()
        row.name = "former:name"

    arrange(build)


def test_a_new_permission_goes_to_its_roles_and_what_was_changed_by_hand_stays(database):
    _take_away("manager", "inventory:import")
    _forget("audit:view")
    first_run.check_and_prepare()
    assert "audit:view" in held("manager") & held("auditor") & held(ADMIN)
    assert "audit:view" not in held("employee")
    assert "inventory:import" not in held("manager")


def test_admin_equals_the_enum_again_after_every_start(database):
    _take_away(ADMIN, "users:manage")
    first_run.check_and_prepare()
    assert held(ADMIN) == set(Known)


def test_the_first_administrator_gets_the_given_password(database, configure, data_dir, trail):
    configure(INVENTORY_ADMIN_PASSWORD="a given password")
    assert first_run.ensure_first_administrator() == (
        "Sign in as admin with the password from INVENTORY_ADMIN_PASSWORD."
    )
    assert (trail.last().actor_name, trail.last().name) == ("system:setup", "setup.create_first_administrator")
    with acting_as(anonymous()):
        known = read(sessions.credentials, username="admin")
    assert verify_password("a given password", known.password_hash)[0]
    assert not data_dir.exists()


def test_a_generated_password_is_in_a_private_file_and_valid_once(database, data_dir):
    line = first_run.ensure_first_administrator()
    file = data_dir / "first-password.txt"
    assert str(file) in line
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = file.read_text().strip()
    assert password not in line
    with acting_as(anonymous()):
        known = read(sessions.credentials, username="admin")
        assert verify_password(password, known.password_hash)[0]
        transact(
            sessions.sign_in,
            user_id=known.user_id,
            verified_hash=known.password_hash,
            renewed_hash=None,
            token_hash=sessions.hash_token("t"),
            remember=False,
        )
    with (
        acting_as(Actor(kind="user", name="admin", token_hash=sessions.hash_token("t"))),
        pytest.raises(PasswordChangeRequired),
    ):
        read(users.list_users)


def test_the_file_goes_when_its_password_is_replaced_and_not_before(database, data_dir):
    first_run.ensure_first_administrator()
    file = data_dir / "first-password.txt"
    password = file.read_text().strip()
    assert not first_password.remove_if_it_was("another")
    assert not first_password.remove_if_it_was(password[:-1])
    assert file.exists()
    assert first_password.remove_if_it_was(password)
    assert not file.exists()
    assert not first_password.remove_if_it_was(password)


def test_a_file_that_is_not_the_one_written_here_stays(data_dir, tmp_path, configure, log_lines):
    data_dir.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("the password\n")
    (data_dir / "first-password.txt").symlink_to(elsewhere)
    assert not first_password.remove_if_it_was("the password")
    assert elsewhere.exists()
    assert (data_dir / "first-password.txt").is_symlink()
    assert [line["event"] for line in log_lines] == ["first_password_left"]


def test_a_generated_password_is_shown_on_a_terminal_and_written_nowhere(database, data_dir, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    line = first_run.ensure_first_administrator()
    assert "(to be replaced at once)" in line
    assert not data_dir.exists()


def test_a_left_over_file_of_somebody_else_is_not_written_through(database, data_dir, tmp_path):
    data_dir.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (data_dir / "first-password.txt").symlink_to(victim)
    first_run.ensure_first_administrator()
    assert victim.read_text() == "mine"


def test_where_somebody_has_an_account_no_administrator_is_made(database, data_dir, observer):
    person("ann", "manager")
    assert first_run.ensure_first_administrator() is None
    assert observer.execute("SELECT username FROM local_user").fetchall() == [("ann",)]


def test_two_first_starts_at_once_make_one_administrator(database, observer):
    def make() -> bool:
        with acting_as(system_actor("setup")):
            return transact(
                setup.create_first_administrator,
                username="admin",
                password_hash=hash_password("a given password"),
                must_change_password=False,
            )

    with Side(make, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(make) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert [one.result(), other.result()] == [True, False]
    assert observer.execute("SELECT count(*) FROM local_user").fetchone() == (1,)


def test_when_the_other_start_was_faster_nothing_is_said(database, data_dir):
    with Side(first_run.ensure_first_administrator, until=before("pg_advisory_xact_lock")) as slow:
        slow.reaches_its_point()
        person("ann", "admin")
        slow.go_on()
        assert slow.result() is None
    assert not data_dir.exists()


def test_the_first_administrator_is_complete(database, data_dir):
    first_run.ensure_first_administrator()
    user, info = arrange(
        lambda s: (s.exec(select(LocalUser)).one().model_dump(), s.exec(select(UserInfo)).one().get_roles())
    )
    assert (user["username"], user["enabled"], user["must_change_password"]) == ("admin", True, True)
    assert info == [ADMIN]
    assert get_settings().admin_password is None
