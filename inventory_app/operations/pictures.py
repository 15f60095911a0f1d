"""People's pictures: one's own to set and remove, everybody's to see for our people who are signed in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.errors import NotFound
from inventory_app.models._base import now
from inventory_app.models.access import UserPicture
from inventory_app.models.users import LocalUser
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.permissions import works_for_a_supplier

#: Removed: the row stays, for the trail knows it, and holds nothing.
_NOTHING = b""


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture to be sent to a browser."""

    content: bytes
    media_type: str


@operation(everybody=True)
def set_picture(session: Session, *, content: bytes, media_type: str, sha256: str) -> None:
    """Keep one's own picture, which we encoded ourselves, instead of the one before."""
    user_id = current_actor().id or 0
    # The account's lock: of two pictures sent at once, the later one stays.
    session.get_one(LocalUser, user_id, with_for_update=True)
    found = session.get(UserPicture, user_id, with_for_update=True)
    picture = found or UserPicture(user_id=user_id, content=content, media_type=media_type, sha256=sha256)
    picture.content, picture.media_type, picture.sha256, picture.updated_at = content, media_type, sha256, now()
    session.add(picture)


@operation(everybody=True)
def remove_picture(session: Session) -> None:
    """Remove one's own picture."""
    found = session.get(UserPicture, current_actor().id or 0, with_for_update=True)
    if found is None or not found.sha256:
        message = "There is no picture to remove."
        raise NotFound(message)
    found.content, found.sha256, found.updated_at = _NOTHING, "", now()


@query(everybody=True)
def picture(session: Session, *, user_id: int, sha256: str) -> StoredPicture:
    """Return somebody's picture, if it still is the one asked for; raises `NotFound`.

    People of suppliers see their own and nobody else's.
    """
    viewer = current_viewer(session)
    if works_for_a_supplier(viewer.permissions) and user_id != viewer.user_id:
        raise NotFound
    found = session.exec(
        select(UserPicture).where(UserPicture.user_id == user_id, UserPicture.sha256 == sha256)
    ).first()
    if found is None or not sha256:
        raise NotFound
    return StoredPicture(found.content, found.media_type)


def initials_of(name: str) -> str:
    """Return the letters that stand for somebody without a picture."""
    words = re.findall(r"\w+", name)
    return "".join(word[0] for word in (words[0], words[-1])[: len(words)]).upper() if words else ""


def picture_address(user_id: int | None, sha256: str | None) -> str:
    """Return where somebody's picture is to be fetched; empty when they have none."""
    return f"/pictures/{user_id}/{sha256}" if sha256 else ""


def picture_addresses(session: Session, user_ids: Iterable[int]) -> dict[int, str]:
    """Return where the pictures of these people are to be fetched; who has none is not in it."""
    found = select(UserPicture.user_id, UserPicture.sha256).where(
        col(UserPicture.user_id).in_(list(user_ids)), UserPicture.sha256 != ""
    )
    return {user_id: picture_address(user_id, sha256) for user_id, sha256 in session.exec(found)}
