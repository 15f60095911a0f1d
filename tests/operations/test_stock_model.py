"""Whatever people do in whatever order, stock and its worth are what plain dictionaries say."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from inventory_app.context import acting_as
from inventory_app.operations import stock
from tests.factories import location, person
from tests.operations.shelf import Ledger
from tests.operations.stock_machine import PLACES_OF, Stock


@pytest.mark.parametrize("way", ["in one statement", "in steps"])
def test_the_stock_is_what_a_dictionary_says(database, observer, configure, tmp_path, monkeypatch, way):
    configure(INVENTORY_DATA_DIR=str(tmp_path))
    if way == "in steps":
        monkeypatch.setattr(stock, "move", lambda *_, **__: None)
    Stock.ledger = Ledger(observer)
    Stock.places = [location(code, name=code).id or 0 for code in PLACES_OF]
    with acting_as(person("ann", "manager", "accountant")):
        run_state_machine_as_test(
            Stock,
            settings=settings(
                max_examples=12,
                stateful_step_count=40,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
