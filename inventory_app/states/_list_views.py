"""The views of a list that people keep: which there are, which one is shown, and what can be done with it.

A kept view is a link: it leads to an address that says everything, and `saved` in it only says which view that was, so
that it can be kept again after a change. An address that asks for nothing is where the list begins for this person.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import reflex as rx

from inventory_app.errors import Invalid
from inventory_app.operations import views
from inventory_app.operations._lists import Listing, View
from inventory_app.operations.views import KeptView, KeptViews
from inventory_app.states import _toast, _view
from inventory_app.states._action import OWN, FormState, Line, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

#: After so many seconds it is asked anew what others share.
_LASTS = 60.0
#: More views than these are in the menu only.
_TABS = 5
#: The list without any kept view, also for whom it begins with one.
NO_VIEW = "0"


class SaveForm(Payload):
    """Under which name the present view is to be kept, for whom, and whether the list begins with it."""

    name: Line
    shared: bool = False
    default: bool = False


class NameForm(Payload):
    """What a view is called from now on."""

    name: Line


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view that can be chosen; `by` is who shares it, unless it is one's own, `tabbed` whether it is a tab, too."""

    id: int
    name: str
    by: str
    href: str
    active: bool
    tabbed: bool


class KeptViewsState(FormState, rx.State, mixin=True):
    """The kept views of a list, and the one that is shown."""

    view_links: list[ViewLink] = []
    #: The view that is shown: 0 is none; edited: something was changed since it was chosen.
    view_id: int = 0
    view_name: str = ""
    view_edited: bool = False
    view_mine: bool = False
    view_shared: bool = False
    view_default: bool = False
    #: Whether there is anything to keep: the list is not shown as it is without being asked.
    view_new: bool = False
    view_dialog: str = ""

    _listing: ClassVar[Listing]
    _path: ClassVar[str]
    _kept: KeptViews = KeptViews()
    _kept_at: float = 0.0

    async def _asked(self) -> View:
        """Return the view that the address asks for, or with which the list begins when it asks for nothing."""
        auth_state = await self.get_state(AuthState)
        if not self._kept_at or time.monotonic() - self._kept_at > _LASTS:
            await self._read_kept()
        query: Mapping[str, str] = self.router.url.query_parameters
        view = self._listing.read(query)
        begins = self._found(str(self._kept.default))
        if begins and not view.cursor and not self._listing.written(view):
            view = replace(self._listing.read(begins.query), saved=str(begins.id))
        elif view.saved != NO_VIEW and not self._found(view.saved):
            view = replace(view, saved="")
        return replace(view, zone=auth_state._time_zone())  # noqa: SLF001  # ours

    async def _read_kept(self) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self._kept = await fetch(views.kept_views, page=self._path)
        self._kept_at = time.monotonic()

    def _found(self, saved: str) -> KeptView | None:
        return next((one for one in self._kept.views if str(one.id) == saved), None)

    def _asks_for(self, view: View) -> dict[str, str]:
        """Return what a view asks for, wherever it came from; columns that go without saying are not said."""
        written = self._listing.written(replace(view, saved="", cursor=""))
        if tuple(view.columns) == self._usual_here:
            written.pop("columns", None)
        return written

    #: The columns that this person sees without asking for any.
    _usual_here: tuple[str, ...] = ()

    async def _show_kept(self, view: View) -> None:
        """Show which views there are, and which of them this is."""
        auth_state = await self.get_state(AuthState)
        held = frozenset(auth_state.permissions)
        view = self._listing.allowed(view, held)
        self._usual_here = self._listing.allowed(View(), held).columns
        asked = self._asks_for(view)
        same = [one for one in self._kept.views if self._kept_as(one, held) == asked]
        shown = self._found(view.saved)
        if shown is None and not view.saved:
            shown = next(iter(same), None)
        self.view_id, self.view_name = (shown.id, shown.name) if shown else (0, "")
        self.view_edited = shown is not None and shown not in same
        self.view_mine = shown is not None and shown.mine
        self.view_shared = shown is not None and shown.shared
        self.view_default = shown is not None and shown.id == self._kept.default
        self.view_new = bool(asked) and (shown is None or self.view_edited)
        links = [
            ViewLink(
                one.id,
                one.name,
                "" if one.mine else one.owner,
                _view.href(self._path, one.query, saved=str(one.id)),
                one is shown,
                number < _TABS or one is shown,
            )
            for number, one in enumerate(self._kept.views)
        ]
        if links != self.view_links:
            self.view_links = links

    def _kept_as(self, kept: KeptView, held: frozenset[str]) -> dict[str, str]:
        return self._asks_for(self._listing.allowed(self._listing.read(kept.query), held))

    def _without_view(self) -> str:
        """Return what an address without a kept view says of it."""
        return NO_VIEW if self._kept.default else ""

    async def _goes_to(self, view: View, said: str) -> Any:
        """Read the views anew, lead to a view, and say what was done."""
        self.view_dialog = ""
        await self._read_kept()
        await self._show_kept(await self._asked())
        if not view.saved:
            view = replace(view, saved=self._without_view())
        return [rx.redirect(_view.href(self._path, self._listing.written(view))), _toast.success(said)]

    async def _stays(self, said: str) -> Any:
        self.view_dialog = ""
        await self._read_kept()
        await self._show_kept(await self._asked())
        return _toast.success(said)

    async def _this_view(self) -> KeptView:
        """Return the view that is shown; raises `Invalid` when it is none."""
        found = self._found(str(self.view_id))
        if found is None:
            message = "Choose the view first."
            raise Invalid(message)
        return found

    async def _present(self) -> tuple[View, dict[str, str]]:
        """Return the view that is shown, and what it asks for."""
        view = await self._asked()
        return view, self._asks_for(view)

    # What can be done with views

    @rx.event
    @action(OWN)
    async def open_save_view(self) -> None:
        """Ask under which name the present view is to be kept."""
        self._new_form()
        self.view_dialog = "save"

    @rx.event
    @action(OWN)
    async def open_rename_view(self) -> None:
        """Ask what the view shall be called."""
        await self._this_view()
        self._new_form()
        self.view_dialog = "rename"

    @rx.event
    @action(OWN)
    async def open_remove_view(self) -> None:
        """Ask once before a view is removed."""
        await self._this_view()
        self._new_form()
        self.view_dialog = "remove"

    @rx.event
    @action(OWN)
    async def close_view_dialog(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close what asks about a view."""
        if not is_open:
            self.view_dialog = ""

    @rx.event
    @action(OWN)
    async def save_view(self, form: SaveForm) -> Any:
        """Keep what is shown under a name."""
        view, asked = await self._present()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            kept_id = await in_transaction(
                views.save_view,
                page=self._path,
                name=form.name,
                view=asked,
                shared=form.shared,
                idempotency_key=form.idempotency_key or None,
            )
            if form.default:
                await in_transaction(views.choose_default_view, page=self._path, view_id=kept_id)
        return await self._goes_to(replace(view, saved=str(kept_id)), f"Saved the view “{form.name}”")

    @rx.event
    @action(OWN)
    async def overwrite_view(self) -> Any:
        """Keep what is shown now in place of what the view was."""
        kept, (_, asked) = await self._this_view(), await self._present()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(views.overwrite_view, view_id=kept.id, version=kept.version, view=asked)
        return await self._stays(f"Saved the changes to “{name}”")

    @rx.event
    @action(OWN)
    async def rename_view(self, form: NameForm) -> Any:
        """Call the view something else."""
        kept, auth_state = await self._this_view(), await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(views.rename_view, view_id=kept.id, version=kept.version, name=form.name)
        return await self._stays(f"The view is called “{name}” now")

    @rx.event
    @action(OWN)
    async def share_view(self, shared: bool) -> Any:  # noqa: FBT001  # as the menu sends it
        """Show the view to everybody who may see the list, or to nobody else any more."""
        kept, auth_state = await self._this_view(), await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(views.share_view, view_id=kept.id, version=kept.version, shared=shared)
        return await self._stays(f"“{name}” is {'shared with everybody' if shared else 'yours alone'} now")

    @rx.event
    @action(OWN)
    async def remove_view(self) -> Any:
        """Remove the view; the list stays as it is shown."""
        kept, view = await self._this_view(), await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(views.remove_view, view_id=kept.id, version=kept.version)
        return await self._goes_to(replace(view, saved=""), f"Removed the view “{name}”")

    @rx.event
    @action(OWN)
    async def begin_with_view(self, default: bool) -> Any:  # noqa: FBT001  # as the menu sends it
        """Let the list begin with the view, or with everything again."""
        kept, auth_state = await self._this_view(), await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(views.choose_default_view, page=self._path, view_id=kept.id if default else None)
        said = f"This list begins with “{kept.name}” for you" if default else "This list begins with everything again"
        return await self._stays(said)
