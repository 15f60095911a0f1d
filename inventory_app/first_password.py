"""The file that holds the first administrator's generated password until it is replaced."""

import hmac
import os
from pathlib import Path

import structlog

from inventory_app.settings import get_settings

log = structlog.get_logger(__name__)

_MOST_BYTES = 1_000


def _path() -> Path:
    return get_settings().data_dir / "first-password.txt"


def write(password: str) -> Path:
    """Write the password to a file only this user can read, in place of whatever lies there; return where."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(password + "\n")
    return path


def remove_if_it_was(replaced: str) -> bool:
    """Remove the file if it holds `replaced`, a password that is worth nothing any more; tells whether it did.

    A file that holds anything else was not written for this password and stays.
    """
    path = _path()
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            held = file.read(_MOST_BYTES)
        if not hmac.compare_digest(held, f"{replaced}\n".encode()):
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        # The password is changed all the same: what is left is worth nothing, but somebody should tidy it up.
        log.warning("first_password_left", path=str(path), problem=os.strerror(error.errno or 0))
        return False
    log.info("first_password_removed", path=str(path))
    return True
