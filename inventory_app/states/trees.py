"""The pages of the categories and of the locations: two trees that are changed the same way."""

from typing import Any

import reflex as rx

from inventory_app.operations import catalog, categories, locations
from inventory_app.operations.categories import CategoryRow
from inventory_app.operations.locations import LocationRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Payload, action
from inventory_app.states._product_forms import MaybeId
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


class NewBranchForm(Payload):
    """A branch to be, and what it stands in."""

    code: Line
    name: Line
    parent_id: MaybeId = None


class NewLocationForm(NewBranchForm):
    """A location to be."""

    kind: Line = "storage"


class CategoryForm(NewBranchForm):
    """A category as somebody corrects it, in the version that was read."""

    category_id: Id
    version: int


class LocationForm(NewLocationForm):
    """A location as somebody corrects it, in the version that was read."""

    location_id: Id
    version: int


class _TreeState(FormState, rx.State, mixin=True):
    """What both pages have: the dialog, and what it begins with."""

    loading: bool = True
    closed: int = 0
    dialog: str = ""
    #: Of the dialog: the record and its version (0: a new one), and what its fields begin with.
    record: int = 0
    version: int = 0
    values: dict[str, str] = {}
    #: What it can stand in: everything in use but itself and what is in it.
    parents: list[tuple[str, str]] = []

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    def _ask(self, rows: list[Any], row_id: int, parent_id: int | None) -> None:
        row = next((one for one in rows if one.id == row_id), None)
        self._new_form()
        self.record, self.version = (row.id, row.version) if row else (0, 0)
        inside = {row_id} if row else set[int]()
        for one in rows:
            if one.parent_id and int(one.parent_id) in inside:
                inside.add(one.id)
        chosen = row.parent_id if row else str(parent_id or "")
        self.parents = [
            (str(one.id), one.path) for one in rows if one.id not in inside and (one.active or str(one.id) == chosen)
        ]
        self.values = {
            "code": row.code if row else "",
            "name": row.name if row else "",
            "parent_id": chosen,
            "kind": getattr(row, "kind", "storage"),
        }
        self.dialog = "edit" if row else "create"


class CategoriesState(_TreeState, rx.State):
    """The categories as a tree."""

    rows: list[CategoryRow] = []

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show the whole tree."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.rows = await fetch(categories.category_tree)
        self.closed = sum(not row.active for row in self.rows)
        self.loading = False

    @rx.event
    @action(categories.create_category)
    async def open_create(self, parent_id: Id | None = None) -> None:
        """Ask for a new category."""
        self._ask(self.rows, 0, parent_id)

    @rx.event
    @action(categories.update_category)
    async def open_edit(self, category_id: Id) -> None:
        """Ask what is to be corrected."""
        self._ask(self.rows, category_id, None)

    @rx.event
    @action(categories.create_category)
    async def create_category(self, form: NewBranchForm) -> Any:
        """Add a category."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(categories.create_category, **form.arguments())
        return self._done(f"Added the category {done.name}")

    @rx.event
    @action(categories.update_category)
    async def update_category(self, form: CategoryForm) -> Any:
        """Correct a category."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(categories.update_category, **form.arguments())
        return self._done(f"Corrected {done.name}")

    @rx.event
    @action(categories.set_category_active)
    async def set_active(
        self,
        category_id: Id,
        version: int,
        active: bool,  # noqa: FBT001  # as the button sends it
        idempotency_key: Line = "",
    ) -> Any:
        """Close a category, or open it again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(
                categories.set_category_active,
                category_id=category_id,
                version=version,
                active=active,
                idempotency_key=idempotency_key or None,
            )
        return self._done(f"{done.name} is in use again" if active else f"Closed {done.name}")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [CategoriesState.load, _toast.success(message)]


class LocationsState(_TreeState, rx.State):
    """The locations as a tree."""

    rows: list[LocationRow] = []

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show the whole tree."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.rows = await fetch(locations.location_tree)
        self.closed = sum(not row.active for row in self.rows)
        self.loading = False

    @rx.event
    @action(catalog.create_location)
    async def open_create(self, parent_id: Id | None = None) -> None:
        """Ask for a new location."""
        self._ask(self.rows, 0, parent_id)

    @rx.event
    @action(locations.update_location)
    async def open_edit(self, location_id: Id) -> None:
        """Ask what is to be corrected."""
        self._ask(self.rows, location_id, None)

    @rx.event
    @action(catalog.create_location)
    async def create_location(self, form: NewLocationForm) -> Any:
        """Add a location."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(catalog.create_location, **form.arguments())
        return self._done(f"Added the location {done.label}")

    @rx.event
    @action(locations.update_location)
    async def update_location(self, form: LocationForm) -> Any:
        """Correct a location."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(locations.update_location, **form.arguments())
        return self._done(f"Corrected {done.name}")

    @rx.event
    @action(locations.set_location_active)
    async def set_active(
        self,
        location_id: Id,
        version: int,
        active: bool,  # noqa: FBT001  # as the button sends it
        idempotency_key: Line = "",
    ) -> Any:
        """Close a location, or open it again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(
                locations.set_location_active,
                location_id=location_id,
                version=version,
                active=active,
                idempotency_key=idempotency_key or None,
            )
        return self._done(f"{done.name} is in use again" if active else f"Closed {done.name}")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [LocationsState.load, _toast.success(message)]
