"""Who is acting, on this thread of work, right now. Imports nothing of ours.

The guard resolves an `Actor` once per event; `audit_context()` puts it in force
without any I/O; everything below asks `current_actor()`. A `ContextVar` carries
it, so two people's work never mixes, whatever thread or task it runs on.
"""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, Protocol
from uuid import UUID

#: The name of somebody who has not proved to be anybody; no account may have it.
NOBODY = "anonymous"

ActorKind = Literal["user", "anonymous", "system", "cli"]


class Unattributed(RuntimeError):
    """A change was tried outside `audit_context()`: a fault of the code, not of the person."""


class AuditScope(Protocol):
    """Anything that can say under whose name the next changes happen."""

    def audit_context(self) -> AbstractContextManager[None]:
        """Put the person in force for the block; nests, does no I/O."""
        ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts and from where; for a `user`, the database decides again by `token_hash`."""

    kind: ActorKind
    name: str
    id: int | None = None
    session_id: int | None = None
    token_hash: str | None = field(default=None, repr=False)
    client_ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None

    def audit_context(self) -> AbstractContextManager[None]:
        """Put this actor in force: every `Actor` is an `AuditScope`."""
        return acting_as(self)


_actor: ContextVar[Actor | None] = ContextVar("inventory_actor", default=None)
#: The attribute of an error that names the operation which failed by it.
_FAILED = "failed_in_operation"
_operation: ContextVar[dict[str, str] | None] = ContextVar("inventory_operation", default=None)


@contextmanager
def acting_as(actor: Actor | None) -> Iterator[None]:
    """Put `actor` in force for the block; raises `Unattributed` when there is none."""
    if actor is None:
        message = "audit_context() was entered without a person behind it"
        raise Unattributed(message)
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """Return the actor in force; raises `Unattributed` outside every audit context."""
    actor = _actor.get()
    if actor is None:
        message = "no audit_context() is in force"
        raise Unattributed(message)
    return actor


def system_actor(name: str) -> Actor:
    """Return the actor `system:<name>` for work that no person asked for."""
    return Actor(kind="system", name=f"system:{name}")


@contextmanager
def operation_in_progress(name: str, operation_id: UUID) -> Iterator[None]:
    """Name the running operation for every log line written inside the block."""
    token = _operation.set({"operation": name, "operation_id": str(operation_id)})
    try:
        yield
    finally:
        _operation.reset(token)


def failed_in_operation(error: BaseException) -> None:
    """Note on an error which operation failed by it, for who tells of it after the operation is over."""
    error.__dict__[_FAILED] = dict(_operation.get() or {})


def failed_operation(error: BaseException) -> dict[str, str]:
    """Return the name and the id of the operation that failed by an error, for the log; empty where it was none."""
    return error.__dict__.get(_FAILED, {})


def log_context() -> dict[str, str | None]:
    """Return what every log line must carry: actor, address, request and operation."""
    actor = _actor.get()
    bound: dict[str, str | None] = dict(_operation.get() or {})
    if actor is not None:
        bound["actor"] = actor.name
        bound["actor_kind"] = actor.kind
        bound["actor_id"] = None if actor.id is None else str(actor.id)
        bound["client_ip"] = actor.client_ip
        bound["request_id"] = actor.request_id
    return bound


class _Uuid7Clock:
    """Milliseconds that never repeat or step back within one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last = 0

    def next(self) -> int:
        """Return 60 bits: milliseconds and a counter that fills RFC 9562's `rand_a`."""
        now = (time.time_ns() << 12) // 1_000_000
        with self._lock:
            self._last = max(self._last + 1, now)
            return self._last


_clock = _Uuid7Clock()


def generate_operation_id() -> UUID:
    """Return a UUID version 7 (RFC 9562, method 3), increasing within this process."""
    ticks = _clock.next()
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=value)
