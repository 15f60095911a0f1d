"""Asking for an account: account, person and role, or nothing of the three."""

import pytest

from inventory_app.errors import Conflict, Invalid, NotAllowed
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.passwords import verify_password
from tests.factories import arrange, register


def test_registering_makes_account_person_and_role_and_waits_to_be_let_in(stranger, trail):
    done = register(stranger)
    assert not done.enabled
    assert trail.last().actor_kind == "anonymous"
    assert [(c.table, c.kind) for c in trail.changes()] == [
        ("local_user", "insert"),
        ("user_info", "insert"),
        ("user_role", "insert"),
    ]
    found = arrange(
        lambda s: (s.get_one(LocalUser, done.user_id).model_dump(), s.get_one(UserInfo, done.user_info_id).model_dump())
    )
    assert (found[0]["enabled"], found[0]["enabled_at"]) == (False, None)
    assert verify_password("a long password", found[0]["password_hash"])[0]
    assert found[1]["sort_key"] == "carla etoile"


def test_registration_can_be_open_or_closed(stranger, configure):
    configure(INVENTORY_REGISTRATION="open")
    assert register(stranger).enabled
    configure(INVENTORY_REGISTRATION="closed")
    with pytest.raises(NotAllowed, match="made by an administrator"):
        register(stranger, username="other", email="other@example.com")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": "ab"}, "username"),
        ({"username": "has space"}, "username"),
        ({"username": "x" * 41}, "username"),
        ({"username": "-dash"}, "username"),
        ({"username": "Anonymous"}, "username"),
        ({"full_name": "  "}, "full_name"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "x" * 250 + "@example.com"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
    ],
    ids=str,
)
def test_registering_says_which_field_is_wrong(stranger, observer, changed, field):
    with pytest.raises(Invalid) as refused:
        register(stranger, **changed)
    assert list(refused.value.fields) == [field]
    assert observer.execute("SELECT count(*) FROM local_user").fetchone() == (0,)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": "CARLA", "email": "other@example.com"}, "username"),
        ({"username": "other", "email": "Carla@Example.COM"}, "email"),
    ],
)
def test_a_name_or_address_in_use_is_said_whatever_its_case_and_leaves_nothing(stranger, observer, changed, field):
    register(stranger)
    with pytest.raises(Conflict) as refused:
        register(stranger, **changed)
    assert list(refused.value.fields) == [field]
    assert observer.execute("SELECT count(*), (SELECT count(*) FROM user_info) FROM local_user").fetchone() == (1, 1)
