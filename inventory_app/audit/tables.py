"""The tables of the trail, and how a table declares whether and how it is audited.

Written only by the owner's functions in `functions.sql`; the application role may
read them and nothing else. The record format (`FORMAT`) is final: the hashes of the
seal are computed over exactly these columns.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType
from sqlmodel import SQLModel

#: Version byte of the record format, part of what is hashed.
FORMAT = 1


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Name the type in DDL."""
        return "xid8"


# Reflection of an unknown type warns, and warnings are errors here.
ischema_names["xid8"] = Xid8  # pyright: ignore[reportArgumentType]  # the dictionary is typed by what it holds today


def audited(*, secret: tuple[str, ...] = (), personal: tuple[str, ...] = ()) -> dict[str, object]:
    """Declare a table audited.

    `secret` columns appear in the trail as the SHA-256 of what is stored; `personal`
    columns as a salted hash, their values in `audit_personal`, which can be erased.
    """
    return {"audit": {"secret": secret, "personal": personal}}


def unaudited(reason: str) -> dict[str, object]:
    """Declare a table not audited, and say why."""
    return {"unaudited": reason}


metadata = SQLModel.metadata
_OWN = "written only by the functions of the trail itself"

audit_incarnation = sa.Table(
    "audit_incarnation",
    metadata,
    sa.Column("incarnation", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("origin", UUID, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("why", sa.Text, nullable=False),
    info=unaudited(_OWN),
)

audit_operation = sa.Table(
    "audit_operation",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("xid", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("incarnation", sa.Integer, nullable=False),
    sa.Column("format", sa.SmallInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_id", sa.BigInteger),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("auth_session_id", sa.BigInteger),
    sa.Column("client_ip", sa.Text),
    sa.Column("user_agent", sa.Text),
    sa.Column("request_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("error_class", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    # What was denied or failed takes no change: a change points here, where only what succeeds has its transaction.
    sa.Column("accepts", Xid8, sa.Computed("CASE WHEN outcome = 'succeeded' THEN xid END", persisted=True)),
    sa.UniqueConstraint("id", "accepts", name="uq_audit_operation_id_accepts"),
    sa.CheckConstraint("outcome IN ('succeeded', 'failed', 'denied')", name="ck_audit_operation_outcome"),
    sa.CheckConstraint("actor_kind IN ('user', 'anonymous', 'system', 'cli')", name="ck_audit_operation_actor"),
    # The trail's own lists: newest first, by person, by operation, by outcome.
    sa.Index("ix_audit_operation_newest", "recorded_at", "id"),
    sa.Index("ix_audit_operation_actor", "actor_name", "recorded_at", "id"),
    sa.Index("ix_audit_operation_name", "name", "recorded_at", "id"),
    sa.Index(
        "ix_audit_operation_refused",
        "recorded_at",
        "id",
        postgresql_where=sa.text("outcome <> 'succeeded'"),
    ),
    # One operation per transaction; and the order in which a sealer takes what lies below its horizon.
    sa.Index("uq_audit_operation_transaction", "incarnation", "xid", unique=True),
    info=unaudited(_OWN),
)

audit_change = sa.Table(
    "audit_change",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        primary_key=True,
        server_default=sa.func.now(),
    ),
    sa.Column("operation_id", UUID, nullable=False),
    sa.Column("xid", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("pk", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    # Both xid columns default to the current transaction, so that only the transaction
    # that opened an operation can add to it.
    sa.ForeignKeyConstraint(
        ["operation_id", "xid"],
        ["audit_operation.id", "audit_operation.accepts"],
        name="fk_audit_change_operation",
    ),
    sa.CheckConstraint(
        "kind IN ('insert', 'update', 'delete', 'truncate', 'schema', 'baseline')",
        name="ck_audit_change_kind",
    ),
    sa.Index("ix_audit_change_record", "table_name", "pk", "id"),
    sa.Index("ix_audit_change_operation", "operation_id", "id"),
    info=unaudited(_OWN),
    postgresql_partition_by="RANGE (recorded_at)",
)

audit_personal = sa.Table(
    "audit_personal",
    metadata,
    sa.Column("change_id", sa.BigInteger, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("salt", sa.Text, nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    info=unaudited(_OWN),
)

audit_erasure = sa.Table(
    "audit_erasure",
    metadata,
    sa.Column("operation_id", UUID, primary_key=True),
    sa.Column("xid", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("pk", sa.Text, primary_key=True),
    sa.Column("erased_values", sa.Integer, nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.ForeignKeyConstraint(
        ["operation_id", "xid"],
        ["audit_operation.id", "audit_operation.accepts"],
        name="fk_audit_erasure_operation",
    ),
    sa.Index("ix_audit_erasure_record", "table_name", "pk"),
    info=unaudited(_OWN),
)
