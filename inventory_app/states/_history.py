"""What happened to one record, for the page about it: read from the trail, and the look put on record there."""

from dataclasses import dataclass

from inventory_app.operations import trail
from inventory_app.operations.trail import HistoryRow
from inventory_app.unit_of_work import fetch, in_transaction


@dataclass(frozen=True, slots=True)
class History:
    """A page of what happened, the newest first, and how the trail is searched for all of it."""

    rows: list[HistoryRow]
    later: str
    earlier: str
    search: str


async def history_of(table: str, record_id: int, cursor: str) -> History:
    """Return what happened to a record; to be called in the audit context of who looks."""
    search = trail.record_search(table, str(record_id))
    looked = await fetch(trail.list_operations, search=search)
    page = await fetch(trail.record_history, table=table, pk=str(record_id), cursor=cursor)
    if not looked.recorded:
        await in_transaction(trail.view_trail, search=search)
    return History(page.rows, page.before, page.after, search)
