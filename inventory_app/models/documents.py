"""Pictures and documents that belong to a record."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited
from inventory_app.models._base import Record, key, now, text_field


class Document(Record, table=True):
    """A file that belongs to a record (`subject_type` is its table): a picture, or a document to download."""

    __table_args__ = (
        sa.CheckConstraint("kind IN ('image', 'document')", name="ck_document_kind"),
        sa.Index("ix_document_subject", "subject_type", "subject_id", "id"),
        sa.Index("ix_document_expires_on", "expires_on", postgresql_where=sa.text("removed_at IS NULL")),
        {"info": audited()},
    )

    id: int | None = key()
    subject_type: str = text_field()
    subject_id: int = Field(sa_type=sa.BigInteger)
    kind: str = text_field()
    name: str = text_field()
    media_type: str = text_field()
    size: int
    #: Of the content as it is kept.
    sha256: str = text_field()
    expires_on: date | None = None
    created_at: datetime = Field(default_factory=now)
    created_by: str = text_field()
    removed_at: datetime | None = None
    #: When somebody was reminded that it ends.
    reminded_at: datetime | None = None


class DocumentContent(Record, table=True):
    """The bytes of a document, and of a picture also the small one for lists; the trail knows them by their SHA-256."""

    __table_args__ = ({"info": audited(secret=("content", "thumbnail"))},)

    document_id: int = Field(sa_type=sa.BigInteger, foreign_key="document.id", primary_key=True)
    content: bytes = Field(sa_type=sa.LargeBinary)
    thumbnail: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
