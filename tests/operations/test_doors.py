"""Every operation and query with every default role: generated from the registry, nothing can be forgotten.

Arguments are never needed: the door is decided before the body runs. Whoever gets through fails on the
missing arguments, or runs; whoever does not is refused with the class that says why.
"""

import importlib
import pkgutil

import pytest
import sqlalchemy as sa

from inventory_app import operations
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import AccountDisabled, NotAllowed, NotSignedIn, PasswordChangeRequired
from inventory_app.models.users import AuthSession, LocalUser, Role
from inventory_app.operations import _operation
from inventory_app.operations._operation import OPERATIONS, QUERIES
from inventory_app.permissions import DEFAULT_ROLES, NEEDS_A_PERSON, SUPPLIER
from inventory_app.unit_of_work import open_session
from tests.factories import anonymous, arrange, person

for module in pkgutil.iter_modules(operations.__path__):
    importlib.import_module(f"{operations.__name__}.{module.name}")

EVERYTHING = {**OPERATIONS, **{f"{name} (query)": query for name, query in QUERIES.items()}}
each = pytest.mark.parametrize("declared", EVERYTHING.values(), ids=EVERYTHING.keys())
DOORS = (NotSignedIn, AccountDisabled, PasswordChangeRequired, NotAllowed)


def stopped_by(actor, declared) -> type[Exception] | None:
    """Return what stops `actor` at the door, None when they get through; nothing is committed."""
    query = declared in QUERIES.values()
    door = _operation._view if query else _operation._begin
    with acting_as(actor), open_session() as session:
        try:
            arguments = () if query else ({},)
            _operation._translated(door, session, declared.spec, *arguments)
        except DOORS as error:
            return type(error)
    return None


@each
def test_the_doors_of_every_operation_open_for_those_who_may_and_for_nobody_else(database, declared):
    spec = declared.spec
    for role, (_, held) in DEFAULT_ROLES.items():
        expected = None
        if spec.machine or (spec.permission is not None and spec.permission not in held):
            expected = NotAllowed
        if role == SUPPLIER and spec.permission is None and not (spec.public or spec.everybody):
            # What has no permission is for all of us, and not for strangers with an account.
            expected = NotAllowed
        assert stopped_by(person(role, role), declared) is expected, role
    nobody = person("bob")
    expected = NotAllowed if spec.machine or spec.permission is not None else None
    assert stopped_by(nobody, declared) is expected
    stranger = NotAllowed if spec.machine else None if spec.public else NotSignedIn
    assert stopped_by(anonymous(), declared) is stranger
    machine = NotAllowed if spec.permission in NEEDS_A_PERSON else None
    assert stopped_by(system_actor("night"), declared) is machine


@each
def test_they_close_for_whoever_is_disabled_signed_out_or_loses_the_role_in_mid_session(database, declared):
    if declared.spec.machine:
        return
    boss = person("boss", "admin")
    assert stopped_by(boss, declared) is None

    def with_change(model, **values):
        arrange(lambda session: session.execute(sa.update(model).values(**values)))
        return stopped_by(boss, declared)

    without_role = None if declared.spec.permission is None else NotAllowed
    assert with_change(Role, active=False) is without_role
    assert with_change(LocalUser, must_change_password=True) is (
        without_role if declared.spec.stale_password else PasswordChangeRequired
    )
    assert with_change(LocalUser, enabled=False) is AccountDisabled
    assert with_change(AuthSession, revoked_at=sa.func.now()) is NotSignedIn


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_refused_attempt_at_any_operation_leaves_no_trace_but_its_record(bob, trail, name):
    """Through the whole way a handler takes, with no arguments at all."""
    from inventory_app.unit_of_work import transact

    declared = OPERATIONS[name]
    if declared.spec.permission is None and not declared.spec.machine:
        return
    before, changes = len(trail.operations()), trail.changes("*")
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(declared)
    assert len(trail.operations()) == before + 1
    found = trail.last()
    assert (found.name, found.outcome, found.error_class, found.actor_name) == (name, "denied", "NotAllowed", "bob")
    assert trail.changes("*") == changes
