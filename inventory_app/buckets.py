"""Token buckets: who empties theirs waits. Imports nothing of ours."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Tokens that refill with time: who empties it waits."""

    rate: float
    burst: float
    left: float = field(init=False)
    filled: float = field(init=False)

    def __post_init__(self) -> None:
        """Start full."""
        self.left, self.filled = self.burst, time.monotonic()

    def take(self) -> bool:
        """Take one token if there is one."""
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.filled) * self.rate)
        self.filled = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Buckets:
    """One bucket per key; the keys least used are forgotten."""

    def __init__(self, rate: float, burst: float, most: int = 10_000) -> None:
        """Refill `rate` tokens a second up to `burst` for each of at most `most` keys."""
        self._rate, self._burst, self._most = rate, burst, most
        self._held: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str) -> bool:
        """Take a token for `key`."""
        bucket = self._held.get(key)
        if bucket is None:
            bucket = self._held[key] = Bucket(self._rate, self._burst)
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return bucket.take()
