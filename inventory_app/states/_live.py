"""What happens elsewhere reaches open tabs: ended sessions and changed roles at once, changed rows within a second.

The database notifies when a session ends or roles change (`audit_tell_people`); rows are read from the trail, once a
second for the whole process. Neither carries any content to a tab: it makes the tab send itself an event of its own,
which passes the guard like every other and reads what its person may see.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import reflex as rx
import structlog
from reflex.istate.manager.memory import StateManagerMemory
from reflex_base.event import Event
from sqlalchemy.exc import SQLAlchemyError

from inventory_app import people
from inventory_app.database.listen import notifications
from inventory_app.operations import _recent_changes as recent
from inventory_app.operations._recent_changes import RecentChange
from inventory_app.operations.sessions import SignedIn
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import in_thread, open_session

log = structlog.get_logger(__name__)

CHANNEL = "inventory_people"
_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(slots=True)
class _Tab:
    """What is known of an open tab: whose it is, what it shows, and what was changed under it."""

    person: SignedIn | None = None
    #: Who it was when the last notification came: what the tab is to be told the difference to.
    before: SignedIn | None = None
    kind: str = ""
    reload: Any = None
    changed: dict[int, str] = field(default_factory=dict)


_tabs: dict[str, _Tab] = {}


def seen(token: str) -> None:
    """Remember that there is such a tab, whoever it may be of: the guard says so before anything else."""
    _tabs.setdefault(token, _Tab())


def noticed(token: str, person: SignedIn | None) -> None:
    """Remember whose tab this is: the guard says so at every event."""
    tab = _tabs.setdefault(token, _Tab())
    tab.person = person


def watch(state: rx.State, kind: str, reload: Any) -> None:
    """Send the event `reload` to this tab whenever a record of `kind` is changed elsewhere."""
    tab = _tab_of(state)
    tab.kind, tab.reload = kind, reload
    tab.changed.clear()


def unwatch(state: rx.State) -> None:
    """Forget what the tab showed: another page is loading."""
    tab = _tab_of(state)
    tab.kind, tab.reload = "", None
    tab.changed.clear()


def changed(state: rx.State) -> dict[int, str]:
    """Return who changed which of the watched records since the tab was last told, by id."""
    tab = _tab_of(state)
    found, tab.changed = tab.changed, {}
    return found


def before(state: rx.State) -> SignedIn | None:
    """Return who the tab belonged to before the last notification."""
    return _tab_of(state).before


def _tab_of(state: rx.State) -> _Tab:
    return _tabs.setdefault(str(state.router_data.get("token", "")), _Tab())


async def serve(app: rx.App, person_changed: Any) -> None:
    """Listen and look until cancelled; `person_changed` is the event of a tab whose person is not what they were."""
    async with asyncio.TaskGroup() as both:
        both.create_task(_hear(app, person_changed), name="live people")
        both.create_task(_look(app), name="live rows")


async def _hear(app: rx.App, person_changed: Any) -> None:
    async for payload in notifications(get_settings().app_database_url, CHANNEL):
        # What is no number, "*" or nonsense, concerns everybody: rather ask once too often than never again.
        who = int(payload) if payload and payload.isascii() and payload.isdecimal() else None
        people.forget_person(who)
        for token, tab in _open_tabs(app):
            if tab.person is not None and who in (None, tab.person.user_id):
                tab.before = tab.person
                await _send(app, token, person_changed)


async def _look(app: rx.App) -> None:
    """Look once a second, also while nobody does: whoever opens a list must not miss what follows its loading."""
    since: str | None = None
    while True:
        try:
            since, changes = await in_thread(_changes, since)
        except SQLAlchemyError as error:
            log.warning("changes_not_read", error_type=type(error).__name__)
            since, changes = None, []
        for token, tab in _open_tabs(app):
            if tab.kind and (found := _for(tab, changes)):
                tab.changed |= found
                await _send(app, token, tab.reload)
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _changes(since: str | None) -> tuple[str, list[RecentChange]]:
    with open_session() as session:
        return (recent.horizon(session), []) if since is None else recent.changed_since(session, since)


def _for(tab: _Tab, changes: Iterable[RecentChange]) -> dict[int, str]:
    """Pick what concerns the tab: of the kind it shows, and not of its own doing."""
    mine = tab.person.session_id if tab.person else None
    return {one.id: one.who for one in changes if one.kind == tab.kind and one.session_id != mine}


def _open_tabs(app: rx.App) -> list[tuple[str, _Tab]]:
    """Return the tabs whose websocket is open in this process, and forget the others; of strangers, their State too."""
    namespace = app.event_namespace
    sockets = namespace._token_manager.token_to_socket if namespace else {}  # noqa: SLF001  # Reflex has no public way
    for token in _tabs.keys() - sockets.keys():
        if _tabs[token].person is not None or _forget_state(app, token):
            del _tabs[token]
    return list(_tabs.items())


def _forget_state(app: rx.App, token: str) -> bool:
    """Let go of the State of a tab that is gone; False while an event of it is still being handled.

    Reflex keeps it for an hour, and anybody can open tabs until the memory is full. It holds nothing that is missed:
    who comes back with the token begins with what their page loads, as after every connection.
    """
    manager = app.state_manager
    if not isinstance(manager, StateManagerMemory):
        return True
    lock = manager._states_locks.get(token)  # noqa: SLF001  # Reflex has no public way
    if lock is not None and lock.locked():
        return False
    if kept := manager._token_expires_at.get(token):  # noqa: SLF001  # as above
        manager._purge_token(kept[1])  # noqa: SLF001  # as above
    return True


async def _send(app: rx.App, token: str, handler: Any) -> None:
    """Let the tab send itself an event: outside every handler, so that nobody else's context comes along."""
    for event in Event.from_event_type(handler):
        await app.event_processor.enqueue(token, event)
