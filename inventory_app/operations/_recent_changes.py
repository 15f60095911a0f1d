"""Who has changed which people, suppliers, products, items and orders lately: for the open pages."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

#: Of more changes at once, of people or of stock, the newest are told: no list shows as many rows.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class RecentChange:
    """A record of `kind` (person: `LocalUser.id`, the others: their own id) was changed by `who` in `session_id`."""

    kind: str
    id: int
    who: str
    session_id: int | None


# Below the oldest transaction that is still running nothing can appear any more; at or above it something may.
_HORIZON = sa.text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
_TOUCHED = """
      (SELECT o.xid, o.auth_session_id, o.actor_name, c.id AS change, c.table_name, c.pk, c.after, c.before
        FROM audit_operation o
        JOIN audit_change c ON c.operation_id = o.id AND c.recorded_at = o.recorded_at
       WHERE o.incarnation = (SELECT max(incarnation) FROM audit_incarnation)
         AND o.xid >= CAST(:since AS xid8) AND o.xid < CAST(:horizon AS xid8)
         AND c.table_name IN ({tables}) AND c.pk <> ''
       ORDER BY o.xid DESC, c.id
       LIMIT :most)"""
# Apart, so that a file of ten thousand rows hides nobody who is disabled meanwhile.
_APART = ("'local_user', 'user_info', 'user_role', 'supplier'", "'product', 'inventory_item'", "'purchase_order'")
_CHANGED = sa.text(
    f"""
    WITH touched AS ({" UNION ALL ".join(_TOUCHED.format(tables=tables) for tables in _APART)}),
    records AS (
      SELECT t.*, CASE t.table_name WHEN 'supplier' THEN 'supplier' WHEN 'product' THEN 'product'
                               WHEN 'inventory_item' THEN 'item' WHEN 'purchase_order' THEN 'order'
                               ELSE 'person' END AS kind,
             CASE t.table_name
               WHEN 'user_info' THEN CAST(coalesce(t.after, t.before)::jsonb ->> 'user_id' AS bigint)
               WHEN 'user_role' THEN (SELECT i.user_id FROM user_info i
                                       WHERE i.id = CAST(t.pk::jsonb ->> 0 AS bigint))
               ELSE CAST(t.pk AS bigint) END AS record
        FROM touched t)
    SELECT DISTINCT ON (r.kind, r.record) r.kind, r.record,
           coalesce((SELECT i.full_name FROM auth_session s JOIN user_info i ON i.user_id = s.user_id
                      WHERE s.id = r.auth_session_id), r.actor_name) AS who,
           r.auth_session_id
      FROM records r
     ORDER BY r.kind, r.record, r.xid DESC
    """  # noqa: S608  # our own words
)


def horizon(session: Session) -> str:
    """Return the transaction below which everything is decided: where looking at changes begins."""
    return session.execute(_HORIZON).scalar_one()


def changed_since(session: Session, since: str) -> tuple[str, list[RecentChange]]:
    """Return the present horizon, and by whom each record was last changed from `since` up to it."""
    up_to = horizon(session)
    rows = session.execute(_CHANGED, {"since": since, "horizon": up_to, "most": MOST})
    return up_to, [RecentChange(*row) for row in rows]
