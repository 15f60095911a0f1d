"""The numbers of our own papers: PO-2026-0409, one after the other within a year, none twice and none left out."""

from datetime import date

from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col

from inventory_app.models.purchasing import NumberSeries

ORDER, RECEIPT, PAYMENT, BATCH = "PO", "GR", "PAY", "BAT"


def draw(session: Session, kind: str, on: date) -> str:
    """Return the next number of a kind for a day; holds the series until the end, so it is the last lock taken."""
    first = postgresql.insert(NumberSeries).values(kind=kind, year=on.year, last=1)
    statement = first.on_conflict_do_update(
        index_elements=[col(NumberSeries.kind), col(NumberSeries.year)], set_={"last": NumberSeries.last + 1}
    ).returning(col(NumberSeries.last))
    session.flush()
    number = session.execute(statement).scalar_one()
    return f"{kind}-{on.year}-{number:04d}"
