"""What every list's State shares: the view in the address, the links that change it, and the selection.

    class ItemsState(ListState, rx.State):
        _listing: ClassVar[Listing] = items.LIST
        _path: ClassVar[str] = "/inventory"

        @rx.event
        @action(Permission.INVENTORY_VIEW)
        async def load(self) -> None:
            found = await fetch(items.overview, view=await self._asked())
            self.rows = ...
            self._show_list(Listed(found.view, found.page, found.count, found.summary.items), options)

The handlers here are every such State's own, with the permission of its listing. The view is in the address and
nowhere else: a handler that changes it goes to another address, and that loads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import reflex as rx

from inventory_app.errors import Invalid
from inventory_app.operations._list_filters import AnyOf, Filter, OneOf
from inventory_app.operations._lists import LISTS, SIZES, Column, View, say_count
from inventory_app.operations._paging import Page
from inventory_app.states import _view
from inventory_app.states._action import OWN, Id, Line, Note, action, own_permission
from inventory_app.states._list_views import KeptViewsState
from inventory_app.states.auth import AuthState

_MOST_SELECTED = 1_000

Options = Mapping[str, list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, as a sentence, and the address without it."""

    key: str
    label: str
    operator: str
    value: str
    off: str


@dataclass(frozen=True, slots=True)
class Choosable:
    """A column, an order or a number of rows that can be chosen, and whether it is."""

    key: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Option:
    """What can be ticked in the form of filters."""

    name: str
    label: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One filter of the form: its kind says which controls it has, `low` and `high` what is in them."""

    key: str
    label: str
    kind: str
    low: str = ""
    high: str = ""
    negated: bool = False
    options: list[Option] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list, as its query has answered: `everything` is how many rows there are without filters."""

    view: View
    page: Page[Any]
    count: int
    everything: int


class ListState(KeptViewsState, rx.State, mixin=True):
    """A list as its address says, and what is selected in it."""

    loading: bool = True
    q: str = ""
    sort: str = ""
    direction: str = "asc"
    #: The keys of the columns that are shown.
    columns: list[str] = []
    #: The filters that are on, by key, as the address has them.
    filters: dict[str, str] = {}
    chips: list[Chip] = []
    #: Addresses: `sort_<column>`, `<filter>=<option>` of filters with a control of their own, `plain` without any.
    hrefs: dict[str, str] = {}
    column_lines: list[Choosable] = []
    size_lines: list[Choosable] = []
    #: For the phone, which has no heads of columns.
    sort_lines: list[Choosable] = []
    sort_label: str = ""
    shown: str = ""
    #: What is said above rows that are not called as was searched for, but are spelt like it.
    similar: str = ""
    previous_href: str = ""
    next_href: str = ""

    #: The selected rows, over all pages; or all that match, which no list of ids says.
    selected: list[int] = []
    all_selected: bool = False
    matching: str = ""
    more_match: bool = False
    #: The rows of this page.
    present: list[int] = []

    filtering: bool = False
    filter_fields: list[Field] = []

    @rx.var
    def whole_page(self) -> bool:
        """Whether every row of this page is selected."""
        return bool(self.present) and set(self.present) <= set(self.selected)

    #: The view that is shown, what it says of which rows there are, and what the links were made from.
    _shown_view: View | None = None
    _narrowed: str = ""
    _drawn: str = ""
    _choices: str = ""
    _options: dict[str, list[tuple[str, str]]] = {}

    @classmethod
    def __init_subclass__(cls, mixin: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002  # Reflex's own
        """Give the handlers of a list the permission of its listing, and let its views be kept."""
        super().__init_subclass__(mixin=mixin, **kwargs)
        if not mixin:
            own_permission(cls, cls._listing.permission)
            LISTS[cls._path] = cls._listing

    async def _show_list(self, listed: Listed, present: Iterable[int], options: Options | None = None) -> None:
        """Show everything but the rows themselves: links, chips, counts, and what is still selected."""
        view, page = listed.view, listed.page
        self.present = list(present)
        self._keep_selection(view)
        self._shown_view = replace(view, cursor="")
        address = self._listing.written(view)
        self.q = view.search
        count = say_count(listed.count)
        self.matching = count
        self.similar = page.note
        self.more_match = listed.count > len(self.present)
        self.shown = f"{count} of {listed.everything:,}" if view.narrows else count
        self.previous_href = _view.href(self._path, address, at=page.before) if page.before else ""
        self.next_href = _view.href(self._path, address, at=page.after) if page.after else ""
        await self._show_kept(view)
        auth_state, named = await self.get_state(AuthState), dict(options or {})
        offered = [key for key, one in self._listing.columns.items() if _may_see(auth_state, one)]
        # A delta sends whole vars: turning the page changes none of the links, and few links change the choices.
        drawn, choices = (
            f"{address} {named} {self._kept.default} {self.view_id}",
            f"{offered} {view.columns} {view.sort} {view.size}",
        )
        if drawn != self._drawn:
            self._drawn, self._options = drawn, named
            self._draw(view, address)
        if choices != self._choices:
            self._choices = choices
            self._draw_choices(view, offered)
        self.loading = False

    def _draw(self, view: View, address: dict[str, str]) -> None:
        listing = self._listing
        self.sort, self.direction = view.sort, "desc" if view.descending else "asc"
        self.filters = dict(view.filters)
        sortable = tuple(key for key, column in listing.columns.items() if column.by is not None)
        links = _view.sort_hrefs(self._path, address | {"sort": view.sort}, sortable)
        self.hrefs = {f"sort_{key}": link for key, link in links.items()} | self._quiet_links(address)
        self.chips = [
            Chip(
                key,
                one.label,
                *one.said(view.filters[key], self._labels(key)),
                _view.href(self._path, address, **{key: ""}),
            )
            for key, one in listing.filters.items()
            if key in view.filters and not one.quiet
        ]

    def _draw_choices(self, view: View, offered: list[str]) -> None:
        columns = self._listing.columns
        self.columns, self.sort_label = list(view.columns), columns[view.sort].label
        self.column_lines = [
            Choosable(key, columns[key].label, key in view.columns) for key in offered if not columns[key].fixed
        ]
        self.sort_lines = [
            Choosable(key, columns[key].label, key == view.sort) for key in offered if columns[key].by is not None
        ]
        self.size_lines = [Choosable(str(size), f"{size} rows a page", view.size == size) for size in SIZES]

    def _quiet_links(self, address: dict[str, str]) -> dict[str, str]:
        if self.view_id:
            # From a kept view they lead back to the list as it is, and not to a part of that view.
            address = {}
        address = {**address, "saved": self._without_view()}
        links = {"plain": _view.href(self._path, {name: address[name] for name in address.keys() - self._narrowing()})}
        for key, one in self._listing.filters.items():
            if one.quiet and isinstance(one, OneOf):
                links |= {
                    f"{key}={option}": _view.href(self._path, address, **{key: option}) for option in ("", *one.options)
                }
        return links

    def _narrowing(self) -> set[str]:
        return {"q", *self._listing.filters}

    def _href(self, view: View) -> str:
        return _view.href(self._path, self._listing.written(view))

    def _labels(self, key: str) -> dict[str, str]:
        return dict(self._options.get(key, []))

    # Searching and filtering: the address changes, and with it the list

    @rx.event
    @action(OWN)
    async def search(self, text: Line) -> Any:
        """Search as one types."""
        view = replace(await self._asked(), search=text)
        return rx.redirect(self._href(view), replace=True)

    @rx.event
    @action(OWN)
    async def toggle_column(self, key: Line) -> Any:
        """Show a column, or take it away."""
        view = await self._asked()
        shown = replace(view, columns=tuple(self.columns))
        return rx.redirect(self._href(self._listing.toggled(shown, key))) if key in self._listing.columns else None

    @rx.event
    @action(OWN)
    async def resize(self, size: Line) -> Any:
        """Show more or fewer rows a page."""
        known = {str(one): one for one in SIZES}
        return rx.redirect(self._href(replace(await self._asked(), size=known[size]))) if size in known else None

    @rx.event
    @action(OWN)
    async def open_filters(self) -> None:
        """Ask what the list is to be narrowed down to."""
        view, auth_state = await self._asked(), await self.get_state(AuthState)
        self._new_form()
        self.filter_fields = [
            self._field(one, view.filters.get(key, ""))
            for key, one in self._listing.filters.items()
            if not one.quiet and _may_see(auth_state, one) and self._can_choose(one)
        ]
        self.filtering = True

    def _can_choose(self, one: Filter) -> bool:
        return not isinstance(one, AnyOf) or bool(self._options.get(one.key)) or one.key in self.filters

    def _field(self, one: Filter, text: str) -> Field:
        parts = one.parts(text)
        if isinstance(one, AnyOf):
            # What is chosen and no more on offer can still be taken off.
            offered = dict(self._options.get(one.key, []))
            offered |= {name: name for part in parts if (name := part.partition(":=")[2]) and name not in offered}
            ticks = [
                Option(f"{one.key}:={value}", label, f"{one.key}:={value}" in parts) for value, label in offered.items()
            ]
            return Field(one.key, one.label, one.kind, negated=f"{one.key}:not" in parts, options=ticks)
        if isinstance(one, OneOf):
            choices = [Option(value, one.words.get(value, value), value == text) for value in one.options]
            return Field(one.key, one.label, one.kind, low=text, options=choices)
        low, high = parts.get(f"{one.key}:from", parts.get(one.key, "")), parts.get(f"{one.key}:to", "")
        return Field(one.key, one.label, one.kind, low=low, high=high)

    @rx.event
    @action(OWN)
    async def close_filters(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the form of filters."""
        self.filtering = is_open and self.filtering

    @rx.event
    @action(OWN)
    async def filter_list(self, form: dict[str, Note]) -> Any:
        """Narrow the list down to what the form says."""
        view, wrong = await self._asked(), dict[str, str]()
        filters = dict(view.filters)
        for key, one in self._listing.filters.items():
            if one.quiet:
                continue
            try:
                filters[key] = one.gathered(form)
            except Invalid as error:
                wrong |= error.fields
        if wrong:
            raise Invalid(fields=wrong)
        self.filtering = False
        return rx.redirect(self._href(replace(view, filters=filters)))

    # The selection

    def _keep_selection(self, view: View) -> None:
        """Keep what is selected while the same rows are listed, on whichever page and in whichever order."""
        narrowed = f"{view.search} {sorted(view.filters.items())}"
        if narrowed != self._narrowed:
            self._narrowed = narrowed
            if self.selected or self.all_selected:
                self.selected, self.all_selected = [], False

    @rx.event
    @action(OWN)
    async def select(self, row_id: Id) -> None:
        """Select a row, or let it go."""
        if self.all_selected:
            self.selected, self.all_selected = [id_ for id_ in self.present if id_ != row_id], False
        elif row_id in self.selected:
            self.selected = [id_ for id_ in self.selected if id_ != row_id]
        elif row_id in self.present:
            self._select([row_id])

    @rx.event
    @action(OWN)
    async def select_all(self) -> None:
        """Select every row of this page, or none of them when all are."""
        here, kept = set(self.present), set(self.selected)
        if self.all_selected or here <= kept:
            self.selected = [] if self.all_selected else [id_ for id_ in self.selected if id_ not in here]
            self.all_selected = False
        else:
            self._select(id_ for id_ in self.present if id_ not in kept)

    def _select(self, ids: Iterable[int]) -> None:
        selected = [*self.selected, *ids]
        if len(selected) > _MOST_SELECTED:
            message = f"At most {_MOST_SELECTED:,} rows can be selected one by one. Select all that match instead."
            raise Invalid(message)
        self.selected = selected

    @rx.event
    @action(OWN)
    async def select_matching(self) -> None:
        """Select all rows the filters leave, on every page: they are found when something is done with them."""
        self.selected, self.all_selected = [], True

    @rx.event
    @action(OWN)
    async def clear_selection(self) -> None:
        """Let every row go."""
        self.selected, self.all_selected = [], False

    async def _matching(self, view: View, most: int) -> list[int]:
        """Return the ids of at most so many rows of a view; a list whose rows can all be selected says how."""
        raise NotImplementedError

    async def _selected_ids(self, most: int) -> list[int]:
        """Return what is selected; raises `Invalid` when it is nothing, or more than can be done at once."""
        ids = list(self.selected)
        if self.all_selected and self._shown_view is not None:
            ids = await self._matching(self._shown_view, most + 1)
        if not ids:
            message = "Select some rows first."
            raise Invalid(message)
        if len(ids) > most:
            message = f"This can be done with {most:,} rows at once. Narrow the list down, or select fewer."
            raise Invalid(message)
        return ids


def _may_see(auth_state: AuthState, one: Column | Filter) -> bool:
    return one.permission is None or auth_state._may(one.permission)  # noqa: SLF001  # ours
