"""Documents of records: what they can belong to, how many, and that only one that is there is removed."""

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Invalid, NotFound
from inventory_app.operations import documents
from inventory_app.unit_of_work import read, transact
from tests.factories import product


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let the manager do it."""
    with acting_as(ann):
        yield


def attach(subject_type, subject_id, number=1):
    return transact(
        documents.attach_document,
        subject_type=subject_type,
        subject_id=subject_id,
        kind="document",
        name=f"{number}.txt",
        media_type="text/plain",
        content=b"as agreed",
        sha256=f"{number:064x}",
    )


def test_only_some_records_have_documents():
    with pytest.raises(NotFound):
        attach("payroll", 1)
    with pytest.raises(NotFound):
        attach("product", 999_999)
    with pytest.raises(NotFound):
        read(documents.documents_of, subject_type="payroll", subject_id=1)


def test_a_record_has_only_so_many():
    bolt = product("BOLT").id
    for number in range(documents.MOST):
        attach("product", bolt, number)
    with pytest.raises(Invalid, match=f"At most {documents.MOST} files"):
        attach("product", bolt, documents.MOST)
    assert len(read(documents.documents_of, subject_type="product", subject_id=bolt)) == documents.MOST


def test_what_is_not_there_is_not_removed():
    with pytest.raises(NotFound):
        transact(documents.remove_document, document_id=999_999)
