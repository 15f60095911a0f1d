"""Maker and checker: what waits for other people's agreement, who agreed, and who decides for whom while away."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited
from inventory_app.models._base import Record, key, now, reference, says, text_field


class ApprovalStatus(StrEnum):
    """Where a request stands; only an open one can be decided."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What one person decides."""

    APPROVE = "approve"
    REJECT = "reject"


class Approval(Record, table=True):
    """A request that `required` distinct people must agree to; one rejection ends it."""

    __table_args__ = (
        sa.CheckConstraint(
            "status IN ('open', 'approved', 'rejected', 'expired', 'withdrawn')", name="ck_approval_status"
        ),
        sa.CheckConstraint("required >= 1", name="ck_approval_required"),
        sa.Index(
            "uq_approval_open",
            "kind",
            "subject_id",
            unique=True,
            postgresql_where=sa.text("status = 'open'"),
            info=says("form", "This waits for a decision already."),
        ),
        sa.Index("ix_approval_queue", "status", "requested_at", "id"),
        sa.Index("ix_approval_subject", "kind", "subject_id", "id"),
        {"info": audited()},
    )

    id: int | None = key()
    #: What is asked for: supplier, role_grant, ...; `subject_id` is the key of that record.
    kind: str = text_field()
    subject_id: int = Field(sa_type=sa.BigInteger)
    #: What happens once it is approved, as JSON that the kind understands; None when the subject says it all.
    asked: str | None = text_field(nullable=True)
    #: Who may decide: the name of a permission.
    permission: str = text_field()
    required: int = Field(default=1)
    #: None: a stranger, an import or the system asked.
    requested_by: int | None = reference("local_user.id", nullable=True)
    requested_at: datetime = Field(default_factory=now)
    reason: str | None = text_field(nullable=True)
    expires_at: datetime | None = None
    status: ApprovalStatus = Field(default=ApprovalStatus.OPEN, sa_type=sa.Text)
    closed_at: datetime | None = None
    version: int = Field(default=1)


class ApprovalParty(Record, table=True):
    """Somebody with a part in what is asked for, who therefore cannot decide about it."""

    __table_args__ = (
        sa.Index("ix_approval_party_user", "user_id"),
        {"info": audited()},
    )

    approval_id: int = Field(sa_type=sa.BigInteger, foreign_key="approval.id", primary_key=True)
    user_id: int = Field(sa_type=sa.BigInteger, foreign_key="local_user.id", primary_key=True)
    #: requested, entered, edited, concerned.
    part: str = Field(sa_type=sa.Text, primary_key=True)


class ApprovalDecision(Record, table=True):
    """One person's decision; a deputy decides with the authority of whoever is away, and each authority counts once."""

    __table_args__ = (
        sa.UniqueConstraint(
            "approval_id", "user_id", name="uq_approval_decision_user", info=says("form", "You have decided already.")
        ),
        sa.UniqueConstraint(
            "approval_id",
            "authority_id",
            name="uq_approval_decision_authority",
            info=says("form", "This has been decided with the same authority already."),
        ),
        sa.CheckConstraint("verdict IN ('approve', 'reject')", name="ck_approval_decision_verdict"),
        {"info": audited()},
    )

    id: int | None = key()
    approval_id: int = reference("approval.id", index=False)
    user_id: int = reference("local_user.id")
    #: Whose permission was used: their own, or that of the person they stand in for.
    authority_id: int = reference("local_user.id")
    verdict: Verdict = Field(sa_type=sa.Text)
    reason: str | None = text_field(nullable=True)
    decided_at: datetime = Field(default_factory=now)


class Delegation(Record, table=True):
    """Somebody who is away lets another person decide with one of their permissions, for a time."""

    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ck_delegation_time"),
        sa.CheckConstraint("from_user_id <> to_user_id", name="ck_delegation_people"),
        {"info": audited()},
    )

    id: int | None = key()
    from_user_id: int = reference("local_user.id")
    to_user_id: int = reference("local_user.id")
    permission_id: int = reference("permission.id")
    starts_at: datetime = Field(default_factory=now)
    ends_at: datetime
    reason: str | None = text_field(nullable=True)
    created_at: datetime = Field(default_factory=now)
    revoked_at: datetime | None = None
