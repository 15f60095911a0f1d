"""One secret of the installation: what must be readable by this server and by nobody who has only the database.

TOTP seeds and pre-session cookies are sealed with it (Fernet: AES-128-CBC with HMAC-SHA256 and a time stamp), each
purpose under a key of its own. It comes from INVENTORY_SECRET_KEY, or from the file `secret.key` of the data folder.
"""

import base64
import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from inventory_app.data_folder import disk_errors
from inventory_app.operator_error import OperatorError
from inventory_app.settings import Settings, get_settings

KEY_FILE = "secret.key"
_SHORTEST = 32
_BYTES = 32


class Unreadable(Exception):
    """It was not sealed by this installation for this purpose, or too long ago."""


def prepare(settings: Settings) -> None:
    """Make the secret at the first start, and refuse one that cannot be used."""
    _secret(settings.secret_key, settings.data_dir)


def seal(purpose: str, value: Any) -> str:
    """Encrypt and sign a value (anything JSON can hold) for `purpose`."""
    return _fernet(purpose).encrypt(json.dumps(value).encode()).decode()


def unseal(purpose: str, sealed: str, *, seconds: int | None = None) -> Any:
    """Return what was sealed for `purpose`, at most `seconds` ago; raises `Unreadable` for anything else."""
    try:
        return json.loads(_fernet(purpose).decrypt(sealed.encode(errors="replace"), ttl=seconds))
    except (InvalidToken, ValueError) as error:
        raise Unreadable from error


def _fernet(purpose: str) -> Fernet:
    settings = get_settings()
    return _derived(_secret(settings.secret_key, settings.data_dir), purpose)


@lru_cache(maxsize=16)
def _derived(secret: bytes, purpose: str) -> Fernet:
    key = HKDF(SHA256(), length=_BYTES, salt=None, info=f"inventory:{purpose}".encode()).derive(secret)
    return Fernet(base64.urlsafe_b64encode(key))


@lru_cache(maxsize=4)
def _secret(given: str | None, folder: Path) -> bytes:
    if given is not None:
        return given.encode()
    file = folder / KEY_FILE
    with disk_errors("writing the installation's secret", folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _make(file)
        text = file.read_text(encoding="ascii", errors="replace").strip()
    if len(text) < _SHORTEST:
        raise OperatorError(
            f"{file} does not hold the installation's secret: put the file back from where you keep it, "
            "or remove it (authenticator apps must then be set up again)."
        )
    return text.encode()


def _make(file: Path) -> None:
    """Write a new secret whole before it has its name: a start that is killed leaves no half of one."""
    part = file.with_name(f"{KEY_FILE}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as stream:
        stream.write(base64.urlsafe_b64encode(os.urandom(_BYTES)).decode() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    # Another process may have made one just now: that one counts.
    with suppress(FileExistsError):
        os.link(part, file)
    part.unlink()
