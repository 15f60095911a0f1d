"""What people are called where a row holds a username."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

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


# Built once: many lists ask for them at every page.
_NAMES = (
    sa.select(sa.func.lower(col(LocalUser.username)), col(UserInfo.full_name))
    .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
    .where(sa.func.lower(col(LocalUser.username)) == sa.any_(sa.bindparam("names", type_=sa.ARRAY(sa.Text))))
)


def names_of(session: Session, usernames: Iterable[str | None]) -> dict[str, str]:
    """Return what the people with these usernames are called; the text itself where there is no such account."""
    wanted = {name for name in usernames if name}
    found = session.execute(_NAMES, {"names": [name.lower() for name in wanted]})
    called_so = {username: name for username, name in found if name}
    return {name: called_so.get(name.lower(), name) for name in wanted}
