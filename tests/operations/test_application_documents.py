"""Documents of an application, as the rule has it: few, small, in time, and few from one address."""

import hashlib
from datetime import timedelta

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, NotFound, TooManyAttempts
from inventory_app.models._base import now
from inventory_app.operations import application_documents as rule
from inventory_app.unit_of_work import transact
from tests.factories import anonymous, supplier


def send(supplier_id, content=b"as agreed", name="note.txt"):
    return transact(
        rule.attach_to_application,
        supplier_id=supplier_id,
        name=name,
        media_type="text/plain",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )


@pytest.fixture
def acme(database):
    """Return a company that has just applied."""
    return supplier(source="application").id


def test_a_document_is_kept_on_record_as_sent_by_a_stranger(acme, stranger, trail):
    with acting_as(stranger):
        assert send(acme) == "note.txt"
    (change,) = trail.changes(table="document")
    assert (change.after["subject_id"], change.after["created_by"]) == (acme, "anonymous")
    assert trail.last().actor_kind == "anonymous"


def test_at_most_five_are_taken_and_at_most_five_an_hour_from_one_address(acme, stranger):
    with acting_as(stranger):
        for number in range(rule.MOST):
            send(acme, bytes([65 + number]))
        with pytest.raises(TooManyAttempts):
            send(acme, b"one more")
    with acting_as(anonymous("198.51.100.9")), pytest.raises(Invalid, match="At most 5 documents"):
        send(acme, b"one more")


@pytest.mark.parametrize(
    "values", [{"status": "approved"}, {"source": "staff"}, {"submitted_at": now() - timedelta(hours=2)}]
)
def test_only_an_application_that_waits_takes_documents_for_an_hour(values, stranger):
    found = supplier(**({"source": "application"} | values)).id
    with acting_as(stranger), pytest.raises(Conflict, match="takes no more documents"):
        send(found)


def test_too_large_a_file_and_one_for_nobody_are_refused(acme, stranger):
    with acting_as(stranger):
        with pytest.raises(Invalid, match="at most 5 MB"):
            send(acme, b"x" * (rule.LARGEST_FILE + 1))
        with pytest.raises(NotFound):
            send(4_711)
