"""Files on their way in: what was read, what it would change, what is wrong with it, and where the work stands."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from inventory_app.audit.tables import unaudited
from inventory_app.models._base import Record, key, now, reference, text_field


class RunStatus(StrEnum):
    """Where the import of a file stands."""

    MAPPING = "mapping"
    READING = "reading"
    CHECKED = "checked"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDONE = "undone"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportRun(Record, table=True):
    """A file somebody sent to be imported: how it is to be read, how far it has come, what became of it."""

    __table_args__ = (
        sa.CheckConstraint(
            "status IN ('mapping', 'reading', 'checked', 'applying', 'applied', 'undone', 'cancelled', 'failed')",
            name="ck_import_run_status",
        ),
        sa.CheckConstraint("rule IN ('add', 'update')", name="ck_import_run_rule"),
        sa.Index("ix_import_run_newest", "created_at", "id"),
        sa.Index("ix_import_run_working", "alive_at", postgresql_where=sa.text("status IN ('reading', 'applying')")),
        {"info": unaudited("a file that waits is no record; what importing or undoing it changes is in the trail")},
    )

    id: int | None = key()
    kind: str = text_field()
    file_name: str = text_field()
    file_hash: str = text_field()
    #: What the file is kept under until it was read.
    file_key: str = text_field()
    owner_id: int | None = reference("local_user.id", nullable=True)
    owner_name: str = text_field()
    #: The names of the file's columns, how the file is written, and which of our fields stands in which column.
    header: list[str] = Field(sa_type=JSONB)
    layout: dict[str, Any] = Field(sa_type=JSONB)
    mapping: dict[str, int] = Field(sa_type=JSONB)
    rule: str = text_field(default="update")
    status: str = text_field(default=RunStatus.MAPPING)
    #: How many rows were read or written so far, and of how many.
    done_rows: int = 0
    all_rows: int = 0
    new_rows: int = 0
    changed_rows: int = 0
    same_rows: int = 0
    faulty_rows: int = 0
    notices: list[str] = Field(sa_type=JSONB)
    problem: str = text_field(default="")
    cancel_asked: bool = False
    #: The last sign of life of whoever works on it.
    alive_at: datetime = Field(default_factory=now)
    created_at: datetime = Field(default_factory=now)
    operation_id: UUID | None = None
    batch_id: int | None = reference("import_batch.id", nullable=True)


# The staged rows name their run without a foreign key: checking it for each of a hundred thousand takes as long as
# writing them, and they are deleted together.


class ImportRow(Record, table=True):
    """One row of a file as it was understood, by our fields."""

    __table_args__ = ({"info": unaudited("staged rows are no record; what is made of them is in the trail")},)

    run_id: int = Field(sa_type=sa.BigInteger, primary_key=True)
    row: int = Field(primary_key=True)
    data: dict[str, Any] = Field(sa_type=JSONB)
    state: str = text_field(default="")


class ImportFault(Record, table=True):
    """What is wrong with a row of a file, under the name the file gives the column."""

    __table_args__ = (
        sa.Index("ix_import_fault_row", "run_id", "row", "id"),
        {"info": unaudited("about a file that was refused; nothing came of it")},
    )

    id: int | None = key()
    run_id: int = reference("import_run.id", index=False)
    row: int
    field: str = text_field()
    sentence: str = text_field()


class ImportChange(Record, table=True):
    """What a row of a file makes of one record: the values that differ, and what they were."""

    __table_args__ = (
        sa.CheckConstraint("state IN ('new', 'changed', 'same')", name="ck_import_change_state"),
        {"info": unaudited("a plan; the changes it leads to are in the trail")},
    )

    run_id: int = Field(sa_type=sa.BigInteger, primary_key=True)
    #: The table, and the record in it: an id set aside for it when it is new.
    target: str = Field(sa_type=sa.Text, primary_key=True)
    target_id: int = Field(sa_type=sa.BigInteger, primary_key=True)
    row: int
    state: str = text_field()
    wanted: dict[str, Any] = Field(sa_type=JSONB)
    before: dict[str, Any] = Field(sa_type=JSONB)


class ImportMapping(Record, table=True):
    """How columns were matched the last time a file of this kind had these names."""

    __table_args__ = ({"info": unaudited("a remembered choice, shown before it is used")},)

    kind: str = Field(sa_type=sa.Text, primary_key=True)
    signature: str = Field(sa_type=sa.Text, primary_key=True)
    mapping: dict[str, int] = Field(sa_type=JSONB)
    used_at: datetime = Field(default_factory=now)
