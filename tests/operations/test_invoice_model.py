"""Whatever people do with invoices in whatever order, they stand as plain dictionaries say."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.factories import person
from tests.operations.invoice_machine import Invoices


def test_invoices_stand_as_dictionaries_say_and_nothing_else_is_payable(database):
    Invoices.clerk, Invoices.boss = person("cleo", "accountant"), person("mia", "accountant")
    run_state_machine_as_test(
        Invoices,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
