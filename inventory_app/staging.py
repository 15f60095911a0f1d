"""Files that wait to be imported: privately in the data folder, for half an hour.

Not in the database: a file that nobody has decided about is no record, and every process of this application shares
the data folder. They are known by their key alone: who may see which, the database says.
"""

import contextlib
import os
import re
import secrets
import time
from pathlib import Path

from inventory_app.settings import get_settings

MINUTES = 30
_KEY = re.compile(r"[A-Za-z0-9_-]{32}")


def forget_old() -> None:
    """Remove what has waited too long, of every session."""
    for folder in _root().glob("*"):
        # Another process may be faster, and a folder that is in use is not empty.
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                if _is_old(path):
                    path.unlink(missing_ok=True)
            if _is_old(folder):
                folder.rmdir()


def _root() -> Path:
    return get_settings().data_dir / "imports"


def _is_old(path: Path) -> bool:
    return _age(path) > MINUTES * 60


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def new_file() -> tuple[str, Path]:
    """Return the key of a file to be, and where to write it. Raises `OSError` when there is no room."""
    forget_old()
    folder = _root() / "files"
    for each in (_root(), folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_urlsafe(24)
    path = folder / key
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return key, path


def path_of(key: str) -> Path | None:
    """Return where a file is kept, None when there is none (any more)."""
    path = _root() / "files" / key
    return path if _KEY.fullmatch(key) and path.is_file() and not _is_old(path) else None
