"""The work nobody asks for: when each job last ran and how that went."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import unaudited
from inventory_app.models._base import Record, text_field


class Job(Record, table=True):
    """A job that runs by itself, on one process at a time."""

    __table_args__ = ({"info": unaudited("what a job changes is in the trail under its own operations")},)

    name: str = Field(sa_type=sa.Text, primary_key=True)
    started_at: datetime
    finished_at: datetime | None = None
    #: The class of the error that ended the last run; None when it went well.
    error_class: str | None = text_field(nullable=True)
