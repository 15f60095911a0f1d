"""Answers that are the same for everybody and slow to find, kept until something changes.

What this process commits is seen at once: every committed operation makes it forget. What other processes commit
(another worker, the command line) is seen after `SECONDS` at the latest. Two kinds cost less than that:

- an answer with a `mark` stays as long as its mark does: something cheap to ask for that changes with what it is from;
- an answer that is `dear`, since there is much it is found from, is never waited for once there is one: it is given as
  it was and found anew beside, at most so often that this takes a twentieth of the time. It says itself how old it is.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import count
from threading import Lock, Thread
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

Value = TypeVar("Value")

log = structlog.get_logger(__name__)

SECONDS = 2.0
#: A dear answer is found anew after so many times what finding it took.
_PAUSES = 20

_commits = count(1)
_generation = 0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Value]):
    value: Value
    mark: Hashable
    generation: int
    until: float
    #: Before this nobody looks for a dear answer again.
    rests_until: float

    def fresh(self) -> bool:
        return self.generation == _generation and self.until > time.monotonic()


class Remembered(Generic[Value]):
    """The answer of `find`, which must not depend on who asks."""

    def __init__(
        self,
        find: Callable[[Session], Value],
        *,
        mark: Callable[[Session], Hashable] | None = None,
        dear: Callable[[Value], bool] = lambda _: False,
    ) -> None:
        """Remember nothing yet."""
        self._find, self._mark, self._dear = find, mark, dear
        self._kept: WeakKeyDictionary[Engine, _Kept[Value]] = WeakKeyDictionary()
        self._lock = Lock()
        self._refreshing: WeakKeyDictionary[Engine, Thread] = WeakKeyDictionary()

    def __call__(self, session: Session) -> Value:
        """Return the answer, found in this session's transaction unless it is still known."""
        engine = session.connection().engine
        kept = self._kept.get(engine)
        if kept is None:
            return self._found(session, engine).value
        if kept.fresh():
            return kept.value
        if self._dear(kept.value):
            self._refresh(engine, kept)
            return kept.value
        return self._found(session, engine, kept).value

    def _found(self, session: Session, engine: Engine, known: _Kept[Value] | None = None) -> _Kept[Value]:
        # Noted before the database is asked: what is committed meanwhile may be missing in the answer.
        generation, began = _generation, time.monotonic()
        mark = self._mark(session) if self._mark else None
        same = known is not None and self._mark is not None and known.mark == mark
        value = known.value if known is not None and same else self._find(session)
        ended = time.monotonic()
        kept = _Kept(value, mark, generation, ended + SECONDS, ended + (ended - began) * _PAUSES)
        self._kept[engine] = kept
        return kept

    def _refresh(self, engine: Engine, kept: _Kept[Value]) -> None:
        """Find it anew on a thread of its own, unless one does already or it was found a moment ago."""
        with self._lock:
            running = self._refreshing.get(engine)
            if time.monotonic() < kept.rests_until or (running and running.is_alive()):
                return
            thread = Thread(target=self._find_beside, args=(engine,), name="remembered", daemon=True)
            self._refreshing[engine] = thread
            thread.start()

    def _find_beside(self, engine: Engine) -> None:
        try:
            with Session(engine) as session:
                self._found(session, engine)
        except Exception:
            # Nobody waits for it: what is known stays, and shows its age; whoever looks next has it tried again.
            log.exception("remembered_not_found")

    def settle(self) -> None:
        """Wait until nothing is being found beside."""
        for thread in list(self._refreshing.values()):
            thread.join()


def forget() -> None:
    """Ask the database again: an operation of this process was committed."""
    global _generation  # noqa: PLW0603  # one number for the process is the point
    _generation = next(_commits)
