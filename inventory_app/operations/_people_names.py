"""What people are called where a row holds a username."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import col

from inventory_app.models.users import LocalUser, UserInfo


def called(username: sa.ColumnElement[Any] | Mapped[str]) -> sa.ColumnElement[str]:
    """Return the name of the person whose username this is; the text itself where there is no such account."""
    name = (
        sa.select(sa.func.nullif(col(UserInfo.full_name), ""))
        .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
        .where(sa.func.lower(col(LocalUser.username)) == sa.func.lower(username))
        .correlate_except(UserInfo, LocalUser)
    )
    return sa.func.coalesce(name.scalar_subquery(), username)
