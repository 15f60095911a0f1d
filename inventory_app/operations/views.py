"""Views of lists that people keep under a name, for themselves or for everybody, and with which one a list begins.

A view is kept as its list writes it (`Listing.written`), and read as its reader may have it: what they may not see of
it does not reach them. Somebody's own view does not exist for others until it is shared.
"""

from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, NotAllowed, NotFound, Stale
from inventory_app.models._base import now, sort_key
from inventory_app.models.lists import DefaultView, SavedView
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations._fields import Fields
from inventory_app.operations._lists import LISTS, Listing
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query, require

#: Of more views of one list nobody keeps an overview.
MOST = 50
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class KeptView:
    """A view as its reader may have it: `query` is what its list reads, `owner` who shares it."""

    id: int
    name: str
    query: dict[str, str]
    mine: bool
    shared: bool
    owner: str
    version: int


@dataclass(frozen=True, slots=True)
class KeptViews:
    """The views of a list that somebody can choose from, and with which one it begins for them (0: with none)."""

    views: tuple[KeptView, ...] = ()
    default: int = 0


@query()
def kept_views(session: Session, *, page: str) -> KeptViews:
    """Return one's own views of a list, and after them those that others share."""
    viewer, listing = current_viewer(session), _listing(page)
    if listing.permission not in viewer.permissions:
        raise NotAllowed
    found = session.execute(
        sa.select(SavedView, col(UserInfo.full_name))
        .outerjoin(UserInfo, col(UserInfo.user_id) == col(SavedView.owner_id))
        .where(col(SavedView.page) == page, col(SavedView.removed_at).is_(None))
        .where(sa.or_(col(SavedView.owner_id) == viewer.user_id, col(SavedView.shared)))
    )
    views = [
        KeptView(
            kept.id or 0,
            kept.name,
            _as_allowed(listing, kept.view, viewer.permissions),
            kept.owner_id == viewer.user_id,
            kept.shared,
            owner or "",
            kept.version,
        )
        for kept, owner in found
    ]
    views.sort(key=lambda one: (not one.mine, sort_key(one.name), one.id))
    chosen = session.scalar(
        sa.select(col(DefaultView.view_id)).where(
            col(DefaultView.user_id) == viewer.user_id, col(DefaultView.page) == page
        )
    )
    # What was removed, or is not shared any more, is none.
    return KeptViews(tuple(views), next((one.id for one in views if one.id == chosen), 0))


def _as_allowed(listing: Listing, kept: dict[str, str], permissions: frozenset[str]) -> dict[str, str]:
    view = listing.read(kept)
    allowed = listing.allowed(view, permissions)
    return listing.written(allowed if view.columns else replace(allowed, columns=()))


@operation(log=("page",))
def save_view(session: Session, *, page: str, name: str, view: dict[str, str], shared: bool = False) -> int:
    """Keep a view of a list under a name; returns its id."""
    listing, owner_id = _listing(page), _person(session)
    require(session, listing.permission)
    named = _name(name)
    # Nobody else adds to these, and whoever counts them holds the lock.
    own = [col(SavedView.owner_id) == owner_id, col(SavedView.page) == page, col(SavedView.removed_at).is_(None)]
    if (session.scalar(sa.select(sa.func.count()).where(*own)) or 0) >= MOST:
        message = f"You have {MOST} views of this list. Remove one that you do not need any more."
        raise Conflict(message)
    kept = SavedView(page=page, name=named, owner_id=owner_id, shared=shared, view=_written(listing, view))
    session.add(kept)
    session.flush()
    return kept.id or 0


@operation(log=("view_id",))
def overwrite_view(session: Session, *, view_id: int, version: int, view: dict[str, str]) -> str:
    """Keep another view of the list under the name of a kept one; returns the name."""
    kept = _mine(session, view_id, version)
    kept.view = _written(_listing(kept.page), view)
    kept.version += 1
    return kept.name


@operation(log=("view_id",))
def rename_view(session: Session, *, view_id: int, version: int, name: str) -> str:
    """Call a view something else; returns the name as it is kept."""
    kept = _mine(session, view_id, version)
    kept.name = _name(name)
    kept.version += 1
    return kept.name


@operation(log=("view_id", "shared"))
def share_view(session: Session, *, view_id: int, version: int, shared: bool) -> str:
    """Show a view to everybody who may see its list, or to nobody else any more; returns its name."""
    kept = _mine(session, view_id, version)
    kept.shared = shared
    kept.version += 1
    return kept.name


@operation(log=("view_id",))
def remove_view(session: Session, *, view_id: int, version: int) -> str:
    """Remove a view, for everybody it was shared with as well; returns its name."""
    kept = _mine(session, view_id, version)
    kept.removed_at = now()
    kept.version += 1
    return kept.name


@operation(log=("page", "view_id"))
def choose_default_view(session: Session, *, page: str, view_id: int | None) -> str:
    """Begin a list with a view from now on, or (None) with everything; returns the view's name."""
    listing, user_id = _listing(page), _person(session)
    require(session, listing.permission)
    kept = None if view_id is None else _seen(session, view_id)
    if kept is not None and kept.page != page:
        raise NotFound
    chosen = session.get(DefaultView, (user_id, page))
    if chosen is None:
        session.add(DefaultView(user_id=user_id, page=page, view_id=view_id))
    else:
        chosen.view_id = view_id
    return kept.name if kept else ""


def _listing(page: str) -> Listing:
    if page not in LISTS:
        raise NotFound
    return LISTS[page]


def _person(session: Session) -> int:
    """Lock whoever acts, so that they do one thing about their views at a time; return their id."""
    me = acting_user_id()
    if me is None:
        message = "This needs a person: views are somebody's own."
        raise NotAllowed(message)
    lock(session, LocalUser, [me])
    return me


def _name(name: str) -> str:
    fields = Fields()
    named = fields.line("name", name, most=_LONGEST_NAME, required=True)
    fields.check()
    return named or ""


def _written(listing: Listing, view: dict[str, str]) -> dict[str, str]:
    """Keep of a view what its list knows, and not under which name it was kept before."""
    return listing.written(replace(listing.read(view), saved=""))


def _seen(session: Session, view_id: int) -> SavedView:
    """Lock a view that is there for whoever acts: their own, or a shared one of a list they may see."""
    kept = lock(session, SavedView, [view_id]).get(view_id)
    if kept is None or kept.removed_at is not None or not (kept.shared or kept.owner_id == acting_user_id()):
        raise NotFound
    require(session, _listing(kept.page).permission)
    return kept


def _mine(session: Session, view_id: int, version: int) -> SavedView:
    kept = _seen(session, view_id)
    if kept.owner_id != acting_user_id():
        message = "Only whoever has saved this view can change it. Save it under a name of your own."
        raise NotAllowed(message)
    if kept.version != version:
        raise Stale
    return kept
