"""Who last changed a record, read from the trail: for tables that do not keep it themselves."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.operations._people_names import names_of

# One look into the index of the records each.
_LAST = sa.text(
    """
    SELECT asked.id, o.actor_name, o.recorded_at
      FROM unnest(CAST(:ids AS bigint[])) AS asked(id)
     CROSS JOIN LATERAL (
       SELECT c.operation_id, c.recorded_at FROM audit_change c
        WHERE c.table_name = :table_name AND c.pk = CAST(asked.id AS text) ORDER BY c.id DESC LIMIT 1) newest
      JOIN audit_operation o ON o.id = newest.operation_id AND o.recorded_at = newest.recorded_at
    """
)


def last_changes(session: Session, table: str, ids: Iterable[int]) -> dict[int, tuple[str, datetime]]:
    """Return by whom and when each record was last changed; what came before the trail is not in it."""
    found = session.execute(_LAST, {"ids": list(ids), "table_name": table}).all()
    names = names_of(session, (who for _, who, _ in found))
    return {id_: (names[who], at) for id_, who, at in found}
