"""Answers that are the same for everybody and slow to find, kept until something changes.

What this process commits is seen at once: every committed operation makes it forget. What other processes commit
(another worker, the command line) is seen after `SECONDS` at the latest.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlmodel import Session

Value = TypeVar("Value")

SECONDS = 2.0

_commits = count(1)
_generation = 0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Value]):
    value: Value
    generation: int
    until: float


class Remembered(Generic[Value]):
    """The answer of `find`, which must not depend on who asks."""

    def __init__(self, find: Callable[[Session], Value]) -> None:
        """Remember nothing yet."""
        self._find = find
        self._kept: WeakKeyDictionary[Engine, _Kept[Value]] = WeakKeyDictionary()

    def __call__(self, session: Session) -> Value:
        """Return the answer, found in this session's transaction unless it is still known."""
        engine = session.connection().engine
        kept = self._kept.get(engine)
        if kept and kept.generation == _generation and kept.until > time.monotonic():
            return kept.value
        # Noted before the database is asked: what is committed meanwhile may be missing in the answer.
        generation = _generation
        value = self._find(session)
        self._kept[engine] = _Kept(value, generation, time.monotonic() + SECONDS)
        return value


def forget() -> None:
    """Ask the database again: an operation of this process was committed."""
    global _generation  # noqa: PLW0603  # one number for the process is the point
    _generation = next(_commits)
