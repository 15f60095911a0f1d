"""Every kind of request is known, whoever imports the engine first."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

from inventory_app import operations
from inventory_app.operations import _approval_rules, _approvals
from inventory_app.operations._approvals import Kind
from inventory_app.paths import PROJECT
from tests.fixtures.environment import clean_environment


def test_every_kind_that_is_written_is_known_to_the_engine_and_to_the_rules():
    names = [module.name for module in pkgutil.iter_modules(operations.__path__)]
    modules = [importlib.import_module(f"{operations.__name__}.{name}") for name in names]
    written = {kind.name: kind for module in modules for kind in vars(module).values() if isinstance(kind, Kind)}
    assert written == _approvals.KINDS
    assert written
    assert {name: kind.parts for name, kind in written.items()} == _approval_rules.SENTENCES
    assert {name: kind.closed for name, kind in written.items() if kind.closed} == _approval_rules.CLOSED


@pytest.mark.parametrize("first", ["_approvals", "_approval_rules", "_approval_views", "home"])
def test_it_makes_no_difference_what_is_imported_first(first):
    code = f"import inventory_app.operations.{first}; from inventory_app.operations import _approvals as engine; "
    code += "print(*engine.KINDS)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert set(answer.stdout.split()) == set(_approvals.KINDS)
