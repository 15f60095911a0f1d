"""Somebody of a supplier against everything the application offers, generated from the registries.

The other supplier's papers, what is ours alone and our people's names are marked by words; none of them may come out.
"""

import importlib
import inspect
import pkgutil
import typing
from datetime import date, datetime, timedelta
from itertools import product

import pytest
import sqlalchemy as sa
from reflex.model import get_engine

from inventory_app import operations
from inventory_app.context import acting_as
from inventory_app.errors import AppError, NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.models.suppliers import SupplierUser
from inventory_app.operations._operation import OPERATIONS, QUERIES
from inventory_app.permissions import Permission
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, supplier_person
from tests.operations.test_portal import change
from tests.papers import OURS, papers

for module in pkgutil.iter_modules(operations.__path__):
    importlib.import_module(f"{operations.__name__}.{module.name}")

MARK = "zzother"
EVERYTHING = [*OPERATIONS.values(), *QUERIES.values()]
#: What somebody of a supplier gets through the door of, by what was declared: theirs, or their own account.
OPEN = [
    one
    for one in EVERYTHING
    if not one.spec.machine
    and not one.spec.public
    and (one.spec.permission == Permission.PORTAL_USE or (one.spec.permission is None and one.spec.everybody))
]
SHUT = [one for one in EVERYTHING if one not in OPEN and not one.spec.public]
#: Every id that the rows of both suppliers and of our people have in these small databases, and some beyond.
IDS = [*range(1, 16), 2**40]
OWN_ACCOUNT = {
    "accounts", "devices", "factors", "pictures", "proving", "sessions", "single_sign_on",
}  # fmt: skip


@pytest.fixture
def sue(database):
    """Somebody of acme, beside another supplier and people of ours."""
    person("ada", "admin")
    mine = papers("acme")
    other = papers(MARK)
    supplier_person("otto", other.supplier)
    return supplier_person("sue", mine.supplier)


def argument(parameter, hints, number):
    """Return what an attacker would send: an id of somebody else's, or anything of the right type."""
    kind = hints[parameter.name]
    options = typing.get_args(kind) or (kind,)
    for one in options:
        if not isinstance(one, type):
            continue
        made = {int: number, str: f"{MARK}-{number}", bool: True, bytes: b"x", float: 1.0}.get(one)
        if made is not None:
            return made
        if issubclass(one, date):
            return now() if issubclass(one, datetime) else now().date() + timedelta(days=3)
    return [] if typing.get_origin(kind) is list else None


def attempts(declared):
    """Return the arguments of every attempt: each id in the place of each number."""
    hints = typing.get_type_hints(inspect.unwrap(declared))
    parameters = [one for name, one in inspect.signature(declared).parameters.items() if name != "session"]
    numbers = IDS if any(hints[one.name] in (int, int | None) for one in parameters) else IDS[:1]
    for number, version in product(numbers, (1,)):
        arguments = {one.name: argument(one, hints, number) for one in parameters}
        if "version" in arguments:
            arguments["version"] = version
        if "cursor" in arguments:
            arguments["cursor"] = ""
        yield arguments


def said(actor, declared, arguments):
    """Return everything that comes back: the answer, or the refusal in words."""
    run = read if declared in QUERIES.values() else transact
    with acting_as(actor):
        try:
            return repr(run(declared, **arguments))
        except AppError as error:
            return f"{type(error).__name__}: {error} {error.fields}"


def without_what_was_sent(text, arguments):
    """Take out of an answer what the attacker wrote into the question."""
    for value in arguments.values():
        if isinstance(value, str) and value:
            text = text.replace(value, "")
    return text


def test_the_open_doors_are_those_of_the_portal_and_of_ones_own_account():
    assert {one.spec.name.partition(".")[0] for one in OPEN} == OWN_ACCOUNT | {"portal"}
    assert len(OPEN) > 25
    assert len(SHUT) > 150


@pytest.mark.parametrize("declared", OPEN, ids=lambda one: one.spec.name)
def test_what_is_open_tells_nothing_of_others_and_changes_nothing_of_theirs(sue, trail, declared):
    before = len(trail.changes("*"))
    for arguments in attempts(declared):
        told = without_what_was_sent(said(sue, declared, arguments), arguments)
        assert MARK not in told.casefold(), (arguments, told)
        assert OURS not in told, (arguments, told)
        assert "otto" not in told.casefold(), (arguments, told)
    for touched in trail.changes("*")[before:]:
        text = f"{touched.before} {touched.after}".casefold()
        assert MARK not in text.replace(f"{MARK}-", ""), (touched.table, text)


def test_everything_else_is_shut_whatever_is_asked(sue):
    wrong = []
    for declared in SHUT:
        if declared.spec.machine:
            continue
        for arguments in list(attempts(declared))[:3]:
            told = said(sue, declared, arguments)
            if not told.startswith("NotAllowed"):
                wrong.append((declared.spec.name, told))
            assert MARK not in without_what_was_sent(told, arguments).casefold(), (declared.spec.name, told)
    assert not wrong


def test_refusals_are_the_same_whether_something_exists_or_not(sue):
    """Of other people's papers, of our drafts, and of nothing at all."""
    soon = now().date() + timedelta(days=3)
    answers = set()
    for number in range(3, 40):
        with acting_as(sue), pytest.raises(NotFound) as refused:
            transact(OPERATIONS["portal.confirm_delivery"], order_id=number, on=soon, version=1)
        answers.add(str(refused.value))
    assert len(answers) == 1


def test_as_many_statements_are_asked_whether_something_exists_or_not(sue):
    """What an attacker could measure: the same work for another supplier's order, a draft of ours, and nothing."""
    counts = set()
    for number in (2, 3, 4, 99):
        sent = []
        listener = (get_engine(), "before_cursor_execute", lambda *args, sent=sent: sent.append(args[2]))
        sa.event.listen(*listener)
        try:
            with acting_as(sue):
                assert read(QUERIES["portal.my_order"], order_id=number) is None
        finally:
            sa.event.remove(*listener)
        counts.add(len(sent))
    assert len(counts) == 1


@pytest.mark.parametrize("name", sorted(name for name in {**OPERATIONS, **QUERIES} if name.startswith("portal.")))
def test_what_was_ended_a_moment_ago_is_shut(sue, name):
    declared = {**OPERATIONS, **QUERIES}[name]
    change(SupplierUser, sue.id, active=False)
    for arguments in list(attempts(declared))[:2]:
        arguments.update({key: "sue@acme.com" for key in ("email",) if key in arguments})
        arguments.update({key: "" for key in ("phone", "website", "country", "city") if key in arguments})
        told = said(sue, declared, arguments)
        assert told.startswith("NotAllowed: Your access to the portal has been ended"), told


def test_a_number_can_be_anybodys_only_through_the_account(sue):
    """No operation or query of the portal takes a supplier, a person or an account to choose from."""
    for declared in EVERYTHING:
        if declared.spec.permission == Permission.PORTAL_USE:
            taken = set(inspect.signature(declared).parameters)
            assert not taken & {"supplier_id", "user_id", "account_id", "company_id"}, declared.spec.name


def test_nobody_of_ours_sees_the_portal_without_working_for_a_supplier(sue):
    ada = person("eve", "admin")
    for name, declared in QUERIES.items():
        if name.startswith("portal."):
            with acting_as(ada), pytest.raises(NotAllowed):
                read(declared, **next(iter(attempts(declared))))


def test_the_papers_hold_what_is_looked_for(sue):
    """The test above can fail: what must not come out is there."""
    kept = arrange(lambda s: repr(s.connection().exec_driver_sql("SELECT note FROM purchase_order").all()))
    assert OURS in kept
