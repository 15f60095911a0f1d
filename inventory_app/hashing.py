"""The threads passwords are hashed and judged on: slow work that must hold neither a connection nor the event loop."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import ParamSpec, TypeVar

from inventory_app.buckets import Buckets
from inventory_app.errors import TooManyAttempts
from inventory_app.passwords import Strength, strength

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_NICE = 10


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="hashing", initializer=_yield_to_others)


def _yield_to_others() -> None:
    """Let whoever answers people's clicks have the processor first; on Linux each thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


#: How often one address may have a password judged: it takes up to 50 ms.
_judged = Buckets(4, 20)


async def judge(address: str, password: str, about: Iterable[str]) -> Strength:
    """Judge a new password for somebody at `address` (an `address_key`); raises `TooManyAttempts`."""
    if not _judged.take(address):
        raise TooManyAttempts
    return await slowly(strength, password, tuple(about))


async def slowly(function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run `function` on a thread of its own kind; the others wait in line."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), lambda: function(*args, **kwargs))
