"""What every operation and query must have, whoever writes it."""

import importlib
import inspect
import pkgutil
import typing

import pytest
from pydantic import TypeAdapter
from sqlmodel import SQLModel

from inventory_app import operations
from inventory_app.operations._operation import OPERATIONS, QUERIES
from inventory_app.permissions import DEFAULT_ROLES, NEEDS_A_PERSON, Permission

for module in pkgutil.iter_modules(operations.__path__):
    importlib.import_module(f"{operations.__name__}.{module.name}")

EVERYTHING = {**OPERATIONS, **QUERIES}


def each(registry):
    return pytest.mark.parametrize("declared", registry.values(), ids=registry.keys())


@each(EVERYTHING)
def test_it_promises_something_in_its_docstring(declared):
    assert inspect.getdoc(declared)


@each(EVERYTHING)
def test_its_arguments_are_named_and_typed(declared):
    first, *others = inspect.signature(declared).parameters.values()
    assert first.name == "session"
    hints = typing.get_type_hints(inspect.unwrap(declared))
    for parameter in others:
        assert parameter.kind is parameter.KEYWORD_ONLY, parameter.name
        assert parameter.name in hints, parameter.name


@each(OPERATIONS)
def test_its_answer_can_be_stored_and_given_again(declared):
    adapter = TypeAdapter(typing.get_type_hints(inspect.unwrap(declared))["return"])
    assert adapter.json_schema(mode="serialization")


@each(EVERYTHING)
def test_it_hands_out_plain_rows_and_no_models(declared):
    returned = typing.get_type_hints(inspect.unwrap(declared))["return"]
    parts = [returned, *typing.get_args(returned)]
    assert not [part for part in parts if isinstance(part, type) and issubclass(part, SQLModel)]


@each(OPERATIONS)
def test_what_it_logs_and_takes_for_its_reason_are_arguments_of_it_and_no_secrets(declared):
    spec, names = declared.spec, set(inspect.signature(declared).parameters)
    assert set(spec.log) <= names
    assert set(spec.reason) <= names
    assert not [name for name in spec.log if any(word in name for word in ("password", "hash", "token", "email"))]


@each(OPERATIONS)
def test_it_never_commits_itself(declared):
    source = inspect.getsource(inspect.unwrap(declared))
    assert ".commit(" not in source
    assert ".rollback(" not in source


@pytest.mark.parametrize("permission", list(Permission))
def test_every_permission_has_a_role_a_label_and_a_category(permission):
    assert any(permission in held for _, held in DEFAULT_ROLES.values())
    assert permission.label
    assert permission.category


@pytest.mark.parametrize("permission", list(Permission))
def test_every_permission_guards_something(permission):
    used = {declared.spec.permission for declared in EVERYTHING.values()}
    seen = list(pkgutil.walk_packages(operations.__path__, f"{operations.__name__}."))
    sources = " ".join(inspect.getsource(importlib.import_module(module.name)) for module in seen)
    assert permission in used or f"Permission.{permission.name}" in sources


def test_what_needs_a_person_is_a_permission_of_an_operation():
    assert {declared.spec.permission for declared in OPERATIONS.values()} >= NEEDS_A_PERSON
