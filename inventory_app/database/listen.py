"""What the database tells every process at once: `LISTEN`, kept up whatever happens to the connection."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import structlog
from psycopg import sql

from inventory_app.database.reachable import CONNECT_TIMEOUT_SECONDS, libpq

log = structlog.get_logger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0


async def notifications(url: str, channel: str) -> AsyncIterator[str | None]:
    """Yield what is notified on `channel`; None whenever listening begins (again): what was said before is lost."""
    pause = _FIRST_PAUSE
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                libpq(url), autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS
            ) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                pause = _FIRST_PAUSE
                yield None
                async for notification in connection.notifies():
                    yield notification.payload
        except psycopg.Error as error:
            log.warning("listening_interrupted", channel=channel, error_type=type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
