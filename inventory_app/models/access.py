"""How people prove who they are besides their password, and the links that let them in the first time."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited, unaudited
from inventory_app.models._base import Record, key, now, reference, says, text_field


class LinkPurpose(StrEnum):
    """What a one-time link lets its bearer do."""

    INVITE = "invite"
    RESET = "reset"


class AccountLink(Record, table=True):
    """A one-time link to an account: whoever has it chooses the password; only the token's SHA-256 is kept."""

    __table_args__ = (
        sa.UniqueConstraint("token_hash", name="uq_account_link_token_hash"),
        sa.CheckConstraint("purpose IN ('invite', 'reset')", name="ck_account_link_purpose"),
        {"info": audited(secret=("token_hash",))},
    )

    id: int | None = key()
    user_id: int = reference("local_user.id")
    purpose: LinkPurpose = Field(sa_type=sa.Text)
    token_hash: str = text_field()
    #: None: made by the system or on the command line.
    created_by: int | None = reference("local_user.id", nullable=True)
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class FactorKind(StrEnum):
    """What a second factor is."""

    TOTP = "totp"
    PASSKEY = "passkey"


class SecondFactor(Record, table=True):
    """An authenticator app (`sealed_seed`) or a passkey (`credential_id`, `public_key`) of a person."""

    __table_args__ = (
        sa.UniqueConstraint(
            "credential_id",
            name="uq_second_factor_credential",
            info=says("name", "This passkey is registered already."),
        ),
        sa.CheckConstraint(
            "(kind = 'totp' AND sealed_seed IS NOT NULL AND credential_id IS NULL AND public_key IS NULL) OR "
            "(kind = 'passkey' AND sealed_seed IS NULL AND credential_id IS NOT NULL AND public_key IS NOT NULL)",
            name="ck_second_factor_kind",
        ),
        {"info": audited(secret=("sealed_seed",))},
    )

    id: int | None = key()
    user_id: int = reference("local_user.id")
    kind: FactorKind = Field(sa_type=sa.Text)
    #: What the person calls it.
    name: str = text_field()
    #: The TOTP seed, encrypted with the installation's key.
    sealed_seed: str | None = text_field(nullable=True)
    #: base64url, as WebAuthn names and verifies it.
    credential_id: str | None = text_field(nullable=True)
    public_key: str | None = text_field(nullable=True)
    created_at: datetime = Field(default_factory=now)
    #: When a first code from it was right; until then it opens nothing.
    confirmed_at: datetime | None = None
    removed_at: datetime | None = None


class SecondFactorUse(Record, table=True):
    """The last use of a factor: no code twice, no passkey counter backwards."""

    __table_args__ = ({"info": unaudited("a counter; the sign-in that moved it is in the trail")},)

    factor_id: int = Field(sa_type=sa.BigInteger, foreign_key="second_factor.id", primary_key=True)
    #: TOTP: the last time step that was accepted. Passkey: its signature counter.
    counter: int = Field(sa_type=sa.BigInteger)
    used_at: datetime = Field(default_factory=now)


class RecoveryCode(Record, table=True):
    """A code for the day the second factor is lost; works once, only its hash is kept."""

    __table_args__ = ({"info": audited(secret=("code_hash",))},)

    id: int | None = key()
    user_id: int = reference("local_user.id")
    code_hash: str = text_field()
    created_at: datetime = Field(default_factory=now)
    used_at: datetime | None = None
    #: Replaced by newer ones.
    revoked_at: datetime | None = None


class ExternalIdentity(Record, table=True):
    """The person that a single sign-on provider knows as `subject`; opens nothing once it was removed."""

    __table_args__ = (
        sa.Index(
            "uq_external_identity_subject",
            "issuer",
            "subject",
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
            info=says("form", "Somebody is connected with that account already. Ask an administrator."),
        ),
        {"info": audited(personal=("subject",))},
    )

    id: int | None = key()
    user_id: int = reference("local_user.id")
    issuer: str = text_field()
    subject: str = text_field()
    created_at: datetime = Field(default_factory=now)
    removed_at: datetime | None = None


class UserPicture(Record, table=True):
    """A person's picture as we encoded it anew; the trail knows it by its SHA-256."""

    __table_args__ = ({"info": audited(secret=("content",))},)

    user_id: int = Field(sa_type=sa.BigInteger, foreign_key="local_user.id", primary_key=True)
    content: bytes = Field(sa_type=sa.LargeBinary)
    media_type: str = text_field()
    #: Part of its address, so that browsers may keep it for good.
    sha256: str = text_field()
    updated_at: datetime = Field(default_factory=now)
