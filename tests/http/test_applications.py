"""Documents sent with an application: only by its sender, for an hour, a few, and only what they say they are."""

import secrets
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inventory_app import sealing
from inventory_app.context import acting_as
from inventory_app.models._base import now
from inventory_app.models.documents import Document
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import application_documents, documents
from inventory_app.unit_of_work import open_session, read
from tests.factories import arrange, supplier
from tests.fixtures.server import Site, Visitor

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"


def pdf(number: int = 0) -> bytes:
    return PDF.replace(b"<<>>", f"<<{number}>>".encode())


@pytest.fixture
def visitor(site: Site) -> Visitor:
    return site.visitor()


@pytest.fixture
def acme(site: Site) -> int:
    made = supplier(f"Acme {secrets.token_hex(4)}", source="application")
    return made.id or 0


def sealed(supplier_id: int) -> str:
    return sealing.seal(application_documents.SEALED_FOR, supplier_id)


def send(visitor: Visitor, application: str, content: bytes = PDF, name: str = "Kbis.pdf"):
    return visitor.post_form(
        "/apply/documents",
        {"application": application},
        files={"file": (name, content, "application/octet-stream")},
    )


def kept(supplier_id: int) -> list[Document]:
    with open_session() as session:
        statement = select(Document).where(Document.subject_type == "supplier", Document.subject_id == supplier_id)
        return list(session.exec(statement.order_by(col(Document.id))))


def test_a_document_is_kept_with_the_application_it_was_sent_with(site: Site, visitor: Visitor, acme: int):
    answer = send(visitor, sealed(acme))
    assert answer.headers["location"] == "/apply?sent=1"
    (row,) = kept(acme)
    assert (row.name, row.kind, row.media_type, row.created_by) == (
        "Kbis.pdf",
        "document",
        "application/pdf",
        "anonymous",
    )
    ann = site.person("ann", "manager")
    with acting_as(ann.actor):
        (shown,) = read(documents.documents_of, subject_type="supplier", subject_id=acme)
    assert site.signed_in(ann).get(shown.href).content == PDF
    # Who sent it does not get it back: a link is no key.
    assert visitor.get(shown.href).status_code == 404


def test_without_the_sealed_number_nothing_is_kept(visitor: Visitor, acme: int):
    for token in ("", str(acme), sealing.seal("pending", acme), sealed(acme)[:-2], sealing.seal("application", "x")):
        send(visitor, token)
        assert kept(acme) == []


def test_what_is_no_document_is_refused(visitor: Visitor, acme: int):
    send(visitor, sealed(acme), b"<html><script>alert(1)</script>")
    send(visitor, sealed(acme), b"MZ\x90\x00")
    send(visitor, sealed(acme), b"")
    visitor.post_form("/apply/documents", {"application": sealed(acme)})
    assert kept(acme) == []


def test_a_file_above_the_limit_is_refused(visitor: Visitor, acme: int):
    send(visitor, sealed(acme), PDF[:-6] + b" " * application_documents.LARGEST_FILE + b"%%EOF\n")
    assert kept(acme) == []


def test_files_are_looked_at_only_so_often_for_one_address(visitor: Visitor, acme: int):
    token = sealed(acme)
    for _ in range(11):
        send(visitor, token, b"MZ\x90\x00")
    send(visitor, token)
    assert kept(acme) == []


def test_only_so_many_are_kept_and_none_twice(site: Site, acme: int):
    first, second = site.visitor(), site.visitor()
    for number in (0, 0, 1, 2):
        send(first, sealed(acme), pdf(number))
    for number in (3, 4, 5):
        send(second, sealed(acme), pdf(number))
    assert len(kept(acme)) == application_documents.MOST


@pytest.mark.parametrize(
    "values",
    [
        {"status": "approved"},
        {"source": "staff"},
        {"submitted_at": now() - timedelta(hours=2)},
    ],
)
def test_an_application_that_was_decided_or_is_old_takes_no_more(visitor: Visitor, acme: int, values):
    def change(session):
        row = session.get_one(Supplier, acme)
        for name, value in values.items():
            setattr(row, name, value)

    arrange(change)
    send(visitor, sealed(acme))
    assert kept(acme) == []
