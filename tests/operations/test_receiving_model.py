"""Whatever is received, sent back and corrected in whatever order: the order, its papers and the ledger agree."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from inventory_app.context import acting_as
from tests.factories import location, person
from tests.operations.receiving_machine import Receiving
from tests.operations.shelf import Ledger


def test_the_order_and_the_ledger_stay_together(database, observer):
    Receiving.ledger, Receiving.place = Ledger(observer), location("DOCK").id or 0
    with acting_as(person("ann", "manager")):
        run_state_machine_as_test(
            Receiving,
            settings=settings(
                max_examples=40,
                stateful_step_count=40,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
