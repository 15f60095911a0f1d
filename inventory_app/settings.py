"""Every setting of the application, read once from the environment and checked before anything starts."""

import getpass
import os
import re
import sys
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from inventory_app import group_roles
from inventory_app.operator_error import OperatorError
from inventory_app.paths import APP_ROLE, OWNER_ROLE, PROJECT, Cluster, cluster_of

WRONG_SETTING = 2
_DRIVER = "postgresql+psycopg"
#: As the schema of files for the bank has it.
_BIC = "^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$"
_SCHEMES = ("postgres", "postgresql", _DRIVER)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class Settings(BaseSettings):
    """The settings in force. `docs/operating.md` explains each variable; a test compares the two."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str | None = Field(None, alias="DATABASE_URL", repr=False)
    migration_database_url: str | None = Field(None, alias="MIGRATION_DATABASE_URL", repr=False)
    port: int = Field(3000, alias="PORT", ge=1, le=65535)
    host: str = Field("127.0.0.1", alias="INVENTORY_HOST")
    public_url: str = Field("", alias="INVENTORY_PUBLIC_URL")
    allow_http: bool = Field(default=False, alias="INVENTORY_ALLOW_HTTP")
    data_dir: Path = Field(Path(".data"), alias="INVENTORY_DATA_DIR")
    pg_bin: Path | None = Field(None, alias="INVENTORY_PG_BIN")
    admin_password: str | None = Field(None, alias="INVENTORY_ADMIN_PASSWORD", repr=False)
    secret_key: str | None = Field(None, alias="INVENTORY_SECRET_KEY", min_length=32, repr=False)
    registration: Literal["open", "approval", "closed"] = Field("approval", alias="INVENTORY_REGISTRATION")
    currency: str = Field("USD", alias="INVENTORY_CURRENCY", pattern="^[A-Z]{3}$")
    company: Text = Field("Inventory", alias="INVENTORY_COMPANY")
    trusted_proxy_hops: int = Field(0, alias="INVENTORY_TRUSTED_PROXY_HOPS", ge=0, le=10)
    db_threads: int = Field(8, alias="INVENTORY_DB_THREADS", ge=1, le=64)
    events_per_second: float = Field(300, alias="INVENTORY_EVENTS_PER_SECOND", ge=1)
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", alias="INVENTORY_LOG_LEVEL")
    log_format: Literal["json", "console"] = Field(
        alias="INVENTORY_LOG_FORMAT", default_factory=lambda: "console" if sys.stdout.isatty() else "json"
    )
    session_idle_minutes: int = Field(480, alias="INVENTORY_SESSION_IDLE_MINUTES", ge=1, le=60 * 24 * 90)
    link_hours: int = Field(72, alias="INVENTORY_LINK_HOURS", ge=1, le=24 * 30)
    smtp_url: str | None = Field(None, alias="SMTP_URL", repr=False, pattern=r"^smtps?://[^/]+/?$")
    mail_from: str = Field("", alias="INVENTORY_MAIL_FROM")
    fresh_minutes: int = Field(10, alias="INVENTORY_FRESH_MINUTES", ge=1, le=60 * 24)
    supplier_approvals: int = Field(1, alias="INVENTORY_SUPPLIER_APPROVALS", ge=1, le=10)
    price_approval_percent: Decimal = Field(Decimal(0), alias="INVENTORY_PRICE_APPROVAL_PERCENT", ge=0, le=1000)
    order_approvals: str = Field("1000:1,10000:2", alias="INVENTORY_ORDER_APPROVALS")
    over_receipt_percent: Decimal = Field(Decimal(0), alias="INVENTORY_OVER_RECEIPT_PERCENT", ge=0, le=100)
    price_tolerance_percent: Decimal = Field(Decimal(2), alias="INVENTORY_PRICE_TOLERANCE_PERCENT", ge=0, le=100)
    payment_approval_amount: Decimal = Field(Decimal(10000), alias="INVENTORY_PAYMENT_APPROVAL_AMOUNT", ge=0)
    bank_iban: str | None = Field(None, alias="INVENTORY_BANK_IBAN")
    bank_bic: str | None = Field(None, alias="INVENTORY_BANK_BIC", pattern=_BIC)
    supplier_reminder_days: int = Field(30, alias="INVENTORY_SUPPLIER_REMINDER_DAYS", ge=1, le=365)
    session_days: int = Field(14, alias="INVENTORY_SESSION_DAYS", ge=1, le=365)
    oidc_issuer: str | None = Field(None, alias="INVENTORY_OIDC_ISSUER")
    oidc_client_id: Text | None = Field(None, alias="INVENTORY_OIDC_CLIENT_ID")
    oidc_client_secret: str | None = Field(None, alias="INVENTORY_OIDC_CLIENT_SECRET", repr=False)
    oidc_name: Text = Field("your company account", alias="INVENTORY_OIDC_NAME")
    oidc_scopes: str = Field("openid profile email", alias="INVENTORY_OIDC_SCOPES")
    oidc_groups_claim: Text = Field("groups", alias="INVENTORY_OIDC_GROUPS_CLAIM")
    oidc_roles: str | None = Field(None, alias="INVENTORY_OIDC_ROLES")
    oidc_create: Literal["no", "approval", "yes"] = Field("no", alias="INVENTORY_OIDC_CREATE")
    oidc_strong_amr: str = Field("mfa,otp,hwk", alias="INVENTORY_OIDC_STRONG_AMR")

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _postgresql_only(cls, url: str | None) -> str | None:
        if url is None:
            return None
        scheme, separator, rest = url.strip().partition("://")
        if not separator or scheme not in _SCHEMES:
            message = "must be a PostgreSQL address such as postgresql://user:password@host/database"
            raise ValueError(message)
        if not urlsplit(f"{_DRIVER}://{rest}").path.strip("/"):
            message = "names no database: add /database at its end"
            raise ValueError(message)
        return f"{_DRIVER}://{rest}"

    @field_validator("data_dir")
    @classmethod
    def _in_the_project(cls, path: Path) -> Path:
        # Not in the current folder: the same command typed elsewhere must not start an empty second database.
        return Path(os.path.normpath(PROJECT / path.expanduser()))

    @field_validator("pg_bin")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if url and (
            parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query
        ):
            message = "must be the address people type, such as https://inventory.example.com, without a path"
            raise ValueError(message)
        return url.strip().rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _a_safe_address(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_address(url.strip()):
            message = (
                "must be the https address of the provider exactly as it names itself, such as https://id.example.com"
            )
            raise ValueError(message)
        return None if url is None else url.strip()

    @field_validator("oidc_scopes")
    @classmethod
    def _with_openid(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            message = "must contain openid: without it the provider does not say who signs in"
            raise ValueError(message)
        return " ".join(scopes.split())

    @field_validator("order_approvals")
    @classmethod
    def _rising(cls, text: str) -> str:
        thresholds(text)
        return text

    @field_validator("bank_iban")
    @classmethod
    def _an_iban(cls, text: str | None) -> str | None:
        if text is None:
            return None
        iban = "".join(text.split()).upper()
        if not (re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban) and _checks(iban)):
            message = "must be an IBAN; one of its characters is wrong or missing"
            raise ValueError(message)
        return iban

    @field_validator("oidc_roles")
    @classmethod
    def _readable(cls, roles: str | None) -> str | None:
        if roles is not None:
            group_roles.parse(roles)
        return roles

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            message = "INVENTORY_OIDC_ISSUER and INVENTORY_OIDC_CLIENT_ID belong together: set both or neither"
            raise ValueError(message)
        if self.migration_database_url and not self.database_url:
            message = "MIGRATION_DATABASE_URL is set without DATABASE_URL: set both or neither"
            raise ValueError(message)
        if not self.public_url:
            # Frozen against later changes; this is still construction.
            object.__setattr__(self, "public_url", f"http://localhost:{self.port}")
        if not (self.is_secure or is_loopback(self.public_host) or self.allow_http):
            message = (
                f"INVENTORY_PUBLIC_URL is {self.public_url}, where passwords would travel unencrypted: "
                "use https (a proxy in front), or set INVENTORY_ALLOW_HTTP=1 if the network is private"
            )
            raise ValueError(message)
        return self

    @property
    def is_embedded(self) -> bool:
        """Whether the application runs its own PostgreSQL."""
        return self.database_url is None

    @property
    def cluster(self) -> Cluster:
        """The place of the embedded cluster."""
        return cluster_of(self.data_dir)

    @property
    def app_database_url(self) -> str:
        """The database as the application sees it: a role that owns nothing."""
        return self.database_url or self.cluster.url(APP_ROLE)

    @property
    def owner_database_url(self) -> str:
        """The database as migrations see it: the role that owns the tables."""
        return self.migration_database_url or self.database_url or self.cluster.url(OWNER_ROLE)

    @property
    def app_role(self) -> str:
        """The role name the application connects as; migrations grant to it."""
        # Without a name in the address, PostgreSQL's library takes the one of the system user.
        return unquote(urlsplit(self.app_database_url).username or "") or getpass.getuser()

    @property
    def owner_role(self) -> str:
        """The role name migrations connect as, as far as the settings say."""
        return unquote(urlsplit(self.owner_database_url).username or "") or getpass.getuser()

    @property
    def is_secure(self) -> bool:
        """Whether people reach the application over https (the cookie is `Secure` then)."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """The host name people type, without port."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def sender(self) -> str:
        """The address our mail comes from."""
        return self.mail_from or f"inventory@{self.public_host}"

    @property
    def roles_of_groups(self) -> group_roles.GroupRoles:
        """The roles that groups of the sign-in provider give; empty when none do."""
        return group_roles.parse(self.oidc_roles) if self.oidc_roles else {}

    @property
    def strong_methods(self) -> frozenset[str]:
        """What a provider says (`amr`, `acr`) when somebody proved themselves by more than a password."""
        return frozenset(filter(None, (part.strip() for part in self.oidc_strong_amr.split(","))))

    @property
    def oidc_redirect_uri(self) -> str:
        """Where the provider sends people back to: what is registered there."""
        return f"{self.public_url}/auth/oidc/callback"

    @property
    def origins(self) -> list[str]:
        """The origins a browser may send: the public address, and its loopback twin."""
        parts = urlsplit(self.public_url)
        if not is_loopback(self.public_host):
            return [self.public_url]
        port = f":{parts.port}" if parts.port else ""
        return [f"{parts.scheme}://{host}{port}" for host in ("localhost", "127.0.0.1")]


def _checks(iban: str) -> bool:
    """Whether the two check digits agree with the rest."""
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


def thresholds(text: str) -> list[tuple[Decimal, int]]:
    """Read "1000:1,10000:2": from which amount how many people must agree, the amounts rising; `ValueError` else."""
    found: list[tuple[Decimal, int]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        amount, _, people = part.partition(":")
        try:
            step = (Decimal(amount), int(people))
        except (ArithmeticError, ValueError):
            step = (Decimal(-1), 0)
        if not step[0].is_finite() or step[0] < 0 or step[1] < 1 or (found and step[0] <= found[-1][0]):
            message = 'must be rising amounts with a number of people each, such as "1000:1,10000:2"'
            raise ValueError(message)
        found.append(step)
    return found


def is_safe_address(url: str) -> bool:
    """Whether secrets may be sent to this address: https, or this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return (
        not parts.query
        and not parts.fragment
        and bool(host)
        and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
    )


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def sentence_of(error: ValidationError) -> str:
    """The first thing wrong with the environment, in one sentence that names the variable and never its value."""
    problem = error.errors()[0]
    what = problem["msg"].removeprefix("Value error, ")
    name = str(problem["loc"][0]) if problem["loc"] else ""
    return f"{name}: {what}." if name else f"{what}."


@lru_cache
def get_settings() -> Settings:
    """The settings of this process; a wrong value raises the sentence for the operator."""
    try:
        return Settings()  # pyright: ignore[reportCallIssue] - every value comes from the environment
    except ValidationError as error:
        raise OperatorError(sentence_of(error), exit_code=WRONG_SETTING) from error
