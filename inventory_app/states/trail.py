"""The trail as its address says it: `/audit?q=outcome:denied`, and one operation at `/audit/<id>`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import reflex as rx
from reflex.event import EventSpec, EventType

from inventory_app.models._base import now
from inventory_app.operations import _zones, trail
from inventory_app.operations.trail import OperationDetail, OperationRow, Search, Term
from inventory_app.permissions import Permission
from inventory_app.states import _view
from inventory_app.states._action import Line, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/audit"
#: So many changes of an operation are shown on the list; its own page has all of them.
SHOWN_ON_THE_LIST = 20
_LAST = {"Today": 0, "Last 7 days": 6, "Last 30 days": 29}


@dataclass(frozen=True)
class Choice:
    """A value one can choose or take off by a link."""

    label: str
    count: str
    chosen: bool
    href: str


@dataclass(frozen=True)
class Choices:
    """One way to narrow the list down."""

    title: str
    choices: list[Choice]


@dataclass(frozen=True)
class Part:
    """One part of the search, and the address without it."""

    name: str
    value: str
    href: str


class TrailState(rx.State):
    """The list of operations, what narrows it down, and the ones that are open."""

    rows: list[OperationRow] = []
    opened: dict[str, OperationDetail] = {}
    loading: bool = True
    problem: str = ""
    typed: str = ""
    parts: list[Part] = []
    after: str = ""
    before: str = ""
    total: str = ""
    capped: bool = False
    outcomes: list[Choice] = []
    facets: list[Choices] = []
    periods: list[Choice] = []
    suggestions: list[str] = []
    newer_href: str = ""
    older_href: str = ""
    #: Whose days the filter means, and what the records are called whose history this is.
    zone: str = ""
    about: str = ""

    _search: Search = Search()
    _zone: str = _zones.UTC_NAME
    _as_of: datetime | None = None

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def load(self) -> EventType[()] | None:
        """Show the operations the address asks for, and put the look on record before."""
        query = self.router.url.query_parameters
        search = trail.read_search(query.get("q", ""))
        self.loading, self.problem, self.typed, self.about = False, search.problem, "", ""
        auth_state = await self.get_state(AuthState)
        self._zone = auth_state._time_zone()  # noqa: SLF001  # ours
        self.zone = _zones.zone_words(self._zone, now())
        if search.problem:
            self.typed = query.get("q", "")[: trail.MOST_CHARACTERS]
            self.rows, self.parts, self.total, self._search = [], [], "", Search()
            return None
        with auth_state.audit_context():
            cursor = query.get("at", "")
            page = await fetch(trail.list_operations, search=str(search), cursor=cursor, zone=self._zone)
            if not page.recorded:
                await in_transaction(trail.view_trail, search=trail.looked_for(search, self._zone))
        self._search, self.rows, self.about, self._as_of = search, page.rows, page.about, page.as_of
        shown = {row.id for row in page.rows}
        self.opened = {id_: detail for id_, detail in self.opened.items() if id_ in shown}
        self.newer_href = _href(search, at=page.newer) if page.newer else ""
        self.older_href = _href(search, at=page.older) if page.older else ""
        self._say_search(search)
        return TrailState.load_facets

    def _say_search(self, search: Search) -> None:
        self.parts = [_part(search, term) for term in search.terms]
        self.after = "".join(search.values("after"))[:10]
        self.before = "".join(search.values("before"))[:10]
        today = _zones.clock(now(), self._zone)
        self.periods = [_period(search, label, today - timedelta(days=days)) for label, days in _LAST.items()]

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def load_facets(self) -> None:
        """Count what the search found; after the list, so that the list does not wait."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(trail.facets, search=str(self._search), zone=self._zone, as_of=self._as_of)
        self.total, self.capped = found.total, found.capped
        self.facets = [
            Choices(
                facet.title,
                [
                    Choice(
                        value.label if facet.qualifier != "outcome" else value.label.capitalize(),
                        f"{value.count:,}",
                        value.chosen,
                        _view.href(PATH, {"q": value.search}),
                    )
                    for value in facet.values
                ],
            )
            for facet in found.facets
        ]
        self.outcomes = [choice for choice in self.facets[0].choices if choice.label != "Succeeded"]
        self.suggestions = [
            str(Term(facet.qualifier, value.value)) for facet in found.facets for value in facet.values
        ] + [f"{name}:" for name in ("record", "ip", "after", "before")]

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def search(self, form: Mapping[str, Line]) -> list[EventSpec] | None:
        """Add what was typed to the search, or say why it cannot be read."""
        typed = trail.read_search(form.get("add", ""))
        self.problem = typed.problem
        if typed.problem:
            return None
        return [rx.set_value("trail-search", ""), rx.redirect(_href(self._search.adding(*typed.terms)))]

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def search_dates(self, side: Line, day: Line) -> EventSpec | None:
        """Begin or end at a day; an emptied field takes the limit off."""
        name = "after" if side == "after" else "before"
        limits = [term for term in self._search.terms if term.qualifier == name]
        wanted = trail.read_search(f"{name}:{day}" if day else "")
        self.problem = wanted.problem
        if wanted.problem:
            return None
        return rx.redirect(_href(self._search.without(*limits).adding(*wanted.terms)))

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def open_operation(self, operation_id: Line) -> None:
        """Show what an operation of the list changed; asked for once, it stays."""
        if operation_id in self.opened or operation_id not in {row.id for row in self.rows}:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            detail = await fetch(
                trail.operation_detail, operation_id=operation_id, size=SHOWN_ON_THE_LIST, zone=self._zone
            )
        if detail is not None:
            self.opened = {**self.opened, operation_id: detail}


class OperationState(rx.State):
    """One operation and everything it changed."""

    detail: OperationDetail | None = None
    name: str = ""
    loading: bool = True
    before_href: str = ""
    after_href: str = ""

    @rx.event
    @action(Permission.AUDIT_VIEW)
    async def load(self) -> None:
        """Show the operation the address names, and put the look on record before."""
        operation_id = self.router.url.path.rstrip("/").rpartition("/")[2]
        cursor = self.router.url.query_parameters.get("at", "")
        self.detail, self.name, self.loading = None, "", False
        auth_state = await self.get_state(AuthState)
        zone = auth_state._time_zone()  # noqa: SLF001  # ours
        with auth_state.audit_context():
            detail = await fetch(trail.operation_detail, operation_id=operation_id, cursor=cursor, zone=zone)
            if detail is None:
                return
            if not detail.recorded:
                await in_transaction(trail.view_trail, search=detail.row.id)
        path = f"{PATH}/{detail.row.id}"
        self.detail, self.name = detail, detail.row.name
        self.before_href = _view.href(path, {}, at=detail.before) if detail.before else ""
        self.after_href = _view.href(path, {}, at=detail.after) if detail.after else ""


def _href(search: Search, **changes: str) -> str:
    return _view.href(PATH, {"q": str(search)}, **changes)


def _part(search: Search, term: Term) -> Part:
    sign = "not " if term.excluded else ""
    return Part(f"{sign}{term.qualifier}:" if term.qualifier else sign, term.value, _href(search.without(term)))


def _period(search: Search, label: str, day: datetime) -> Choice:
    since = Term("after", f"{day:%Y-%m-%d}")
    limits = [term for term in search.terms if term.qualifier in ("after", "before")]
    chosen = limits == [since]
    changed = search.without(*limits) if chosen else search.without(*limits).adding(since)
    return Choice(label, "", chosen, _href(changed))
