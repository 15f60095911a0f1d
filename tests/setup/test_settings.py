import os
import re
import subprocess
import sys

import pytest

from inventory_app.operator_error import OperatorError
from inventory_app.paths import PROJECT
from inventory_app.settings import Settings, get_settings
from tests.fixtures.environment import clean_environment


@pytest.fixture
def settings_from(monkeypatch):
    """Settings from exactly these variables."""

    def read(**variables: str) -> Settings:
        for name in list(os.environ):
            if name.startswith("INVENTORY_") or name in {"PORT", "DATABASE_URL", "MIGRATION_DATABASE_URL"}:
                monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        return get_settings()

    yield read
    get_settings.cache_clear()


def test_every_variable_is_explained_in_operating_md_and_every_explained_one_exists():
    known = {field.alias for field in Settings.model_fields.values()}
    text = (PROJECT / "docs" / "operating.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", text, flags=re.MULTILINE))
    assert explained == known


def test_without_any_variable_it_runs_its_own_database_on_this_machine_only(settings_from):
    settings = settings_from()
    assert settings.is_embedded
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 3000, "http://localhost:3000")
    assert settings.data_dir == PROJECT / ".data"
    assert settings.app_database_url.startswith("postgresql+psycopg://inventory_app@/inventory?host=")
    assert settings.owner_database_url.startswith("postgresql+psycopg://inventory_owner@/inventory?host=")
    assert settings.app_role == "inventory_app"
    assert settings.origins == ["http://localhost:3000", "http://127.0.0.1:3000"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_a_postgresql_address_is_understood(settings_from, scheme):
    settings = settings_from(DATABASE_URL=f"{scheme}://an%40na:s%2Fecret@db.example.com:5433/shop?sslmode=require")
    assert settings.app_database_url == (
        "postgresql+psycopg://an%40na:s%2Fecret@db.example.com:5433/shop?sslmode=require"
    )
    assert settings.owner_database_url == settings.app_database_url
    assert settings.app_role == "an@na"
    assert not settings.is_embedded


def test_migrations_have_an_address_of_their_own(settings_from):
    settings = settings_from(DATABASE_URL="postgres://app@db/shop", MIGRATION_DATABASE_URL="postgres://owner@db/shop")
    assert settings.owner_database_url == "postgresql+psycopg://owner@db/shop"
    assert settings.app_role == "app"


def test_a_public_address_is_the_only_origin(settings_from):
    settings = settings_from(INVENTORY_PUBLIC_URL="https://stock.example.com/")
    assert settings.origins == ["https://stock.example.com"]
    assert settings.is_secure


def test_http_beyond_this_machine_must_be_allowed_on_purpose(settings_from):
    assert settings_from(INVENTORY_PUBLIC_URL="http://stock.lan:3000", INVENTORY_ALLOW_HTTP="1").origins == [
        "http://stock.lan:3000"
    ]
    with pytest.raises(OperatorError, match="INVENTORY_ALLOW_HTTP=1"):
        settings_from(INVENTORY_PUBLIC_URL="http://stock.lan:3000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("DATABASE_URL", "sqlite:///inventory.db"),
        ("DATABASE_URL", "db.example.com/shop"),
        ("DATABASE_URL", "postgres://db.example.com"),
        ("MIGRATION_DATABASE_URL", "postgres://owner@db/shop"),
        ("INVENTORY_PUBLIC_URL", "stock.example.com"),
        ("INVENTORY_PUBLIC_URL", "https://stock.example.com/inventory"),
        ("INVENTORY_PUBLIC_URL", "http://stock.example.com"),
        ("INVENTORY_REGISTRATION", "yes"),
        ("INVENTORY_CURRENCY", "dollars"),
        ("INVENTORY_DB_THREADS", "0"),
        ("INVENTORY_TRUSTED_PROXY_HOPS", "-1"),
        ("INVENTORY_LOG_LEVEL", "loud"),
        ("INVENTORY_LOG_FORMAT", "xml"),
        ("INVENTORY_SESSION_DAYS", "forever"),
        ("INVENTORY_OIDC_ISSUER", "id.example.com"),
        ("INVENTORY_OIDC_ISSUER", "http://id.example.com"),
        ("INVENTORY_OIDC_ISSUER", "https://id.example.com?tenant=1"),
        ("INVENTORY_OIDC_ISSUER", "https://["),
        ("INVENTORY_OIDC_ISSUER", "https://id.example.com"),
        ("INVENTORY_OIDC_CLIENT_ID", "inventory"),
        ("INVENTORY_OIDC_SCOPES", "profile email"),
        ("INVENTORY_OIDC_ROLES", "it=admin"),
        ("INVENTORY_OIDC_CREATE", "maybe"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(settings_from, name, value):
    with pytest.raises(OperatorError) as caught:
        settings_from(**{name: value})
    assert name in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert caught.value.exit_code == 2


def test_a_wrong_password_holding_value_is_not_repeated(settings_from):
    with pytest.raises(OperatorError) as caught:
        settings_from(DATABASE_URL="mysql://ann:secret-word@db/shop")
    assert "secret-word" not in caught.value.sentence


def test_single_sign_on_is_read_whole(settings_from):
    settings = settings_from(
        INVENTORY_OIDC_ISSUER=" https://id.example.com/ ",
        INVENTORY_OIDC_CLIENT_ID="inventory",
        INVENTORY_OIDC_CLIENT_SECRET="secret-word",
        INVENTORY_OIDC_ROLES="crew=employee",
        INVENTORY_OIDC_STRONG_AMR="mfa, ,hwk",
        INVENTORY_OIDC_SCOPES="openid  groups",
        INVENTORY_PUBLIC_URL="https://stock.example.com",
    )
    # Exactly as the provider names itself: the slash at the end is part of it.
    assert settings.oidc_issuer == "https://id.example.com/"
    assert settings.oidc_redirect_uri == "https://stock.example.com/auth/oidc/callback"
    assert settings.roles_of_groups == {"crew": {"employee"}}
    assert settings.strong_methods == {"mfa", "hwk"}
    assert settings.oidc_scopes == "openid groups"
    assert "secret-word" not in repr(settings)


def test_secrets_are_not_in_the_printed_form(settings_from):
    settings = settings_from(
        DATABASE_URL="postgres://ann:secret-word@db/shop", INVENTORY_ADMIN_PASSWORD="another-secret"
    )
    assert "secret" not in repr(settings)


def test_the_command_ends_with_status_2_on_a_wrong_setting(inventory):
    answer = inventory("run", PORT="http")
    assert answer.status == 2
    assert answer.sentence.startswith("PORT: ")


def test_reflex_reads_the_same_sentence():
    result = subprocess.run(
        [sys.executable, "-c", "import rxconfig"],
        cwd=PROJECT,
        env=clean_environment(PORT="http"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("PORT: ")
    assert "Traceback" not in result.stderr


def test_an_older_python_is_told_so():
    old = "import sys; sys.version_info = (3, 9, 18); sys.version = '3.9.18 (main)'; import inventory_app"
    result = subprocess.run(
        [sys.executable, "-c", old], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("Inventory needs Python 3.11 or newer and this is 3.9.18: ")


def test_make_says_so_too_before_it_installs_anything(tmp_path):
    fake = tmp_path / "bin" / "python3"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.18 && exit\nexit 1\n', encoding="utf-8")
    fake.chmod(0o755)
    (tmp_path / "Makefile").write_bytes((PROJECT / "Makefile").read_bytes())
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    result = subprocess.run(
        ["make", "run", "PYTHONS=python3"],
        cwd=tmp_path,
        env={"PATH": f"{fake.parent}:{os.defpath}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "Inventory needs Python 3.11 or newer and finds Python 3.9.18" in result.stderr
    assert not (tmp_path / ".venv").exists()
