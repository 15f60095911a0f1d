"""Pictures and documents of a record: whoever may see the record sees them, whoever may change it keeps them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.catalog import Product
from inventory_app.models.documents import Document, DocumentContent
from inventory_app.models.purchasing import SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._operation import current_viewer, operation, query, require
from inventory_app.permissions import Permission

MOST = 50
#: Removed: the row stays, for the trail knows it, and holds nothing.
_NOTHING = b""


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of record that has documents: who sees and who changes them, and the page they are on."""

    model: type[SQLModel]
    sees: Permission
    changes: Permission
    path: str
    #: Its documents say prices: who may not see those does not see them either.
    priced: bool = False

    def shown_to(self, permissions: frozenset[str]) -> bool:
        """Tell whether somebody with these permissions sees the documents."""
        return self.sees in permissions and (not self.priced or Permission.PRICES_VIEW in permissions)


SUBJECTS = {
    "product": Subject(Product, Permission.PRODUCTS_VIEW, Permission.PRODUCTS_MANAGE, "/products"),
    "supplier": Subject(Supplier, Permission.SUPPLIERS_VIEW, Permission.SUPPLIERS_EDIT, "/suppliers"),
    "supplier_invoice": Subject(
        SupplierInvoice, Permission.INVOICES_VIEW, Permission.INVOICES_RECORD, "/invoices", priced=True
    ),
}


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A picture or a document, and where its browser finds it; `small` is empty for documents."""

    id: int
    kind: str
    name: str
    size: str
    expires_on: str
    added_by: str
    added_at: str
    href: str
    small: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A file to be sent to a browser."""

    content: bytes
    media_type: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A picture or document that is gone from its record."""

    document_id: int
    name: str


def subject_of(subject_type: str) -> Subject:
    """Return what a kind of record asks for; raises `NotFound` for one that has no documents."""
    found = SUBJECTS.get(subject_type)
    if found is None:
        raise NotFound
    return found


@operation(log=("subject_type", "subject_id", "kind", "media_type"))
def attach_document(  # noqa: PLR0913  # as many as there is to know of a file
    session: Session,
    *,
    subject_type: str,
    subject_id: int,
    kind: str,
    name: str,
    media_type: str,
    content: bytes,
    sha256: str,
    thumbnail: bytes | None = None,
    expires_on: date | None = None,
) -> int:
    """Keep a file that was examined with a record; returns its number."""
    subject = subject_of(subject_type)
    require(session, subject.changes)
    return keep(
        session,
        subject_type,
        subject_id,
        Sent(kind, name, media_type, content, sha256, thumbnail, expires_on),
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was examined."""

    kind: str
    name: str
    media_type: str
    content: bytes
    sha256: str
    thumbnail: bytes | None = None
    expires_on: date | None = None


def keep(session: Session, subject_type: str, subject_id: int, sent: Sent) -> int:
    """Keep a file with a record, inside an operation that may change the record; returns its number."""
    # Of two that are sent at once, each counts the other.
    if subject_id not in lock(session, subject_of(subject_type).model, [subject_id]):
        raise NotFound
    there = list(session.exec(_kept(subject_type, [subject_id])))
    if same := next((one for one in there if one.sha256 == sent.sha256), None):
        raise Conflict(f"{same.name} is the same file and is here already.")
    if len(there) >= MOST:
        raise Invalid(f"At most {MOST} files can be kept with a record. Remove one first.")
    document = Document(
        subject_type=subject_type,
        subject_id=subject_id,
        kind=sent.kind,
        name=sent.name,
        media_type=sent.media_type,
        size=len(sent.content),
        sha256=sent.sha256,
        expires_on=sent.expires_on,
        created_by=current_actor().name,
    )
    session.add(document)
    session.flush()
    session.add(DocumentContent(document_id=document.id or 0, content=sent.content, thumbnail=sent.thumbnail))
    return document.id or 0


@operation(log=("document_id",))
def remove_document(session: Session, *, document_id: int) -> Removed:
    """Remove a picture or document: that it was there stays on record, what was in it does not stay here."""
    document = lock(session, Document, [document_id]).get(document_id)
    if document is None:
        raise NotFound
    require(session, subject_of(document.subject_type).changes)
    if document.removed_at is not None:
        raise Conflict(f"{document.name} is removed already.")
    document.removed_at = now()
    held = session.get_one(DocumentContent, document_id, with_for_update=True)
    held.content, held.thumbnail = _NOTHING, None
    return Removed(document_id, document.name)


def _kept(subject_type: str, subject_ids: Iterable[int]) -> SelectOfScalar[Document]:
    return (
        select(Document)
        .where(
            Document.subject_type == subject_type,
            col(Document.subject_id).in_(list(subject_ids)),
            col(Document.removed_at).is_(None),
        )
        .order_by(col(Document.id))
    )


@query()
def documents_of(session: Session, *, subject_type: str, subject_id: int) -> list[DocumentRow]:
    """Return the pictures and documents of a record, for whoever may see the record."""
    if not subject_of(subject_type).shown_to(current_viewer(session).permissions):
        return []
    return [
        DocumentRow(
            id=one.id or 0,
            kind=one.kind,
            name=one.name,
            size=_size(one.size),
            expires_on=one.expires_on.isoformat() if one.expires_on else "",
            added_by=one.created_by,
            added_at=one.created_at.isoformat(),
            href=_address(one.id, one.sha256),
            small=f"{_address(one.id, one.sha256)}/small" if one.kind == "image" else "",
        )
        for one in session.exec(_kept(subject_type, [subject_id]))
    ]


@query()
def document_content(session: Session, *, document_id: int, sha256: str, small: bool = False) -> Stored:
    """Return a picture or document to who may see its record; raises `NotFound` to everybody else."""
    found = session.execute(
        sa.select(Document, DocumentContent)
        .join(DocumentContent, col(DocumentContent.document_id) == col(Document.id))
        .where(col(Document.id) == document_id, col(Document.removed_at).is_(None), col(Document.sha256) == sha256)
    ).one_or_none()
    if found is None:
        raise NotFound
    document, held = found
    if not subject_of(document.subject_type).shown_to(current_viewer(session).permissions):
        raise NotFound
    content = held.thumbnail if small else held.content
    if content is None:
        raise NotFound
    return Stored(content, document.media_type, document.name, document.kind)


def pictures_of(session: Session, subject_type: str, subject_ids: Iterable[int]) -> dict[int, str]:
    """Return where the small picture of each of these records is, inside a query that may show the records."""
    found = session.execute(_FIRST_PICTURES, {"subject_type": subject_type, "ids": list(subject_ids)})
    return {subject_id: f"{_address(id_, sha256)}/small" for subject_id, id_, sha256 in found}


# Built once: a list of products asks for them at every page.
_FIRST_PICTURES = (
    sa.select(col(Document.subject_id), col(Document.id), col(Document.sha256))
    .where(
        col(Document.subject_type) == sa.bindparam("subject_type"),
        col(Document.subject_id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))),
        col(Document.kind) == "image",
        col(Document.removed_at).is_(None),
    )
    .ext(distinct_on(col(Document.subject_id)))
    .order_by(col(Document.subject_id), col(Document.id))
)


def _address(document_id: int | None, sha256: str) -> str:
    return f"/documents/{document_id}/{sha256}"


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 2**10)):,} KB"
