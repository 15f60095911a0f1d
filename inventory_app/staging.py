"""Files that wait to be imported: privately in the data folder, for one session, for half an hour.

Not in the database: a file that nobody has decided about is no record, and every process of this
application shares the data folder.
"""

import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from inventory_app.settings import get_settings

MINUTES = 30
#: Of one session; the oldest goes when another one comes.
MOST_FILES = 5
_KEY = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class Staged:
    """A file as it was sent, and what is said to be in it."""

    kind: str
    name: str
    content: bytes


def keep(session_hash: str, staged: Staged) -> str:
    """Keep a file for the session; returns the key it is found by. Raises `OSError` when there is no room."""
    forget_old()
    folder = _folder(session_hash)
    for each in (_root(), folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in sorted(folder.iterdir(), key=_age)[MOST_FILES - 1 :]:
        path.unlink(missing_ok=True)
    key = secrets.token_urlsafe(24)
    part = folder / f"{key}.part"
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(json.dumps({"kind": staged.kind, "name": staged.name}).encode() + b"\n")
            file.write(staged.content)
        part.rename(folder / key)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return key


def find(session_hash: str, key: str) -> Staged | None:
    """Return the session's file, None when there is none (any more)."""
    path = _path(session_hash, key)
    try:
        if path is None or _is_old(path):
            return None
        facts, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return Staged(**json.loads(facts), content=content)


def drop(session_hash: str, key: str) -> None:
    """Forget the session's file: it was imported, or is not wanted."""
    path = _path(session_hash, key)
    if path is not None:
        path.unlink(missing_ok=True)


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


def _folder(session_hash: str) -> Path:
    # Not the hash the database finds a session by: a folder's name is seen in backups and listings.
    return _root() / hashlib.sha256(b"imports:" + session_hash.encode()).hexdigest()[:32]


def _path(session_hash: str, key: str) -> Path | None:
    """Return where the file would be; None for a key that is none of ours."""
    return _folder(session_hash) / key if session_hash and _KEY.fullmatch(key) else None


def _is_old(path: Path) -> bool:
    return _age(path) > MINUTES * 60


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


# Files of the larger kind, which are read as streams and known by their key alone: who may see one, the database says


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
