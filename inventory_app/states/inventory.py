"""The stock list and everything people do from it."""

from decimal import Decimal
from typing import Any

import reflex as rx

from inventory_app.errors import Invalid, InvalidRows
from inventory_app.models.stock import Reason
from inventory_app.operations import catalog, items, stock
from inventory_app.operations._ledger import Place, say
from inventory_app.operations._paging import Page
from inventory_app.operations.items import Filters, ItemRow, Kept, Overview, Target, View
from inventory_app.operations.stock import Transferred
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, action
from inventory_app.states._stock_forms import (
    NO_REASON,
    REASONS,
    AdjustForm,
    LocationForm,
    NewItemForm,
    Preview,
    Quantity,
    TransferForm,
    asked,
    preview_of,
    sentence_of,
)
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/inventory"
_SORTS = tuple(items.SORTS)
#: A row and what it was made from.
Shown = tuple[Kept, ItemRow]
#: With more changed rows than these, all rows are sent anew.
_MOST_NEWER = 12


class InventoryState(FormState, rx.State):
    """The list of items as its address says, the selection, and the dialog that is open."""

    rows: list[ItemRow] = []
    #: Rows that were changed since, by their ids: what stands here is shown instead. A delta sends a whole var.
    newer: dict[int, ItemRow] = {}
    loading: bool = True
    q: str = ""
    tab: str = "all"
    sort: str = "sku"
    direction: str = "asc"
    location_id: str = ""
    location_name: str = ""
    shown: str = ""
    note: str = ""
    hrefs: dict[str, str] = {}
    previous_href: str = ""
    next_href: str = ""
    no_location_href: str = ""
    location_hrefs: list[tuple[str, str]] = []

    items: int = 0
    locations: int = 0
    worth: str = ""
    to_reorder: int = 0
    out: int = 0

    selected: list[int] = []
    picked: list[ItemRow] = []
    dialog: str = ""
    item: ItemRow | None = None
    targets: list[tuple[str, str]] = []
    location_choices: list[tuple[str, str]] = []
    unit_choices: list[tuple[str, str]] = []
    #: How much the open dialog asks for, once that is possible, and what is at both places before and after.
    asked: str = ""
    here: Preview = Preview()
    there: Preview = Preview()

    #: The item of the open dialog, where it can go, and what was typed and chosen so far.
    _place: Place | None = None
    _targets: tuple[Target, ...] = ()
    _typed: str = ""
    _to: str = ""
    #: What `rows` and `newer` were made from; tuples, which Reflex hands out as they are.
    _shown: tuple[Shown, ...] = ()
    _newer: tuple[tuple[int, Shown], ...] = ()

    def _address(self) -> dict[str, str]:
        return {
            "q": self.q,
            "view": "" if self.tab == "all" else self.tab,
            "location": self.location_id,
            "sort": "" if self.sort == "sku" else self.sort,
            "dir": "desc" if self.direction == "desc" else "",
        }

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> None:
        """Show what the address asks for."""
        query = self.router.url.query_parameters
        self.q = query.get("q", "")[:100]
        self.tab = _view.chosen(query, "view", items.TABS)
        self.sort = _view.chosen(query, "sort", _SORTS)
        self.direction = _view.chosen(query, "dir", ("asc", "desc"))
        location = _view.number(query, "location")
        self.location_id = "" if location is None else str(location)
        filters = Filters(self.q, self.tab, location_id=location)
        view = View(filters, self.sort, self.direction == "desc", query.get("at", ""))
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(items.overview, view=view)
        self._show_rows(found.page)
        self._show_figures(found, filtered=filters != Filters())
        self._compute_links()

    def _show_rows(self, page: Page[Kept]) -> None:
        self._show(tuple((kept, kept.row()) for kept in page.rows))
        present = {kept.id for kept in page.rows}
        self.selected = [id_ for id_ in self.selected if id_ in present]
        self.loading = False
        address = self._address()
        self.previous_href = _view.href(PATH, address, at=page.before) if page.before else ""
        self.next_href = _view.href(PATH, address, at=page.after) if page.after else ""

    def _show_figures(self, found: Overview, *, filtered: bool) -> None:
        figures, choices = found.summary, found.choices
        self.items, self.locations = figures.items, figures.locations
        self.worth, self.to_reorder, self.out = figures.worth, figures.to_reorder, figures.out
        self.note = found.note
        self.shown = f"{found.count:,} of {figures.items:,}" if filtered else f"{found.count:,}"
        self.location_choices = [(choice.id, choice.label) for choice in choices.locations]
        self.unit_choices = [(choice.id, choice.label) for choice in choices.units]
        self.location_name = dict(self.location_choices).get(self.location_id, "")

    def _show_moved(self, done: Transferred) -> bool:
        """Bring the rows of a transfer up to date; False when more than these rows has changed on the page."""
        if not done.kept_in_use or self.tab != "all" or self.sort in items.MOVES_WITH_QUANTITY:
            return False
        left = {item.item_id: item for item in done.items}
        newer = dict(self._newer)
        for shown in self._shown:
            kept, _ = newer.get(shown[0].id, shown)
            now = left.get(kept.id)
            # What was answered to a double click may be older than what is shown.
            if now and kept.changed_at < now.changed_at:
                kept = kept.after(now.quantity, now.changed_at, now.changed_by)
                newer[kept.id] = (kept, kept.row())
        if len(newer) > _MOST_NEWER:
            self._show(tuple(newer.get(shown[0].id, shown) for shown in self._shown))
        elif newer:
            self._newer = tuple(newer.items())
            self.newer = {id_: row for id_, (_, row) in newer.items()}
        return True

    def _show(self, shown: tuple[Shown, ...]) -> None:
        self._shown, self._newer, self.newer = shown, (), {}
        self.rows = [row for _, row in shown]

    def _compute_links(self) -> None:
        view = self._address()
        links = _view.sort_hrefs(PATH, view | {"sort": self.sort}, _SORTS)
        links |= {f"tab_{tab}": _view.href(PATH, view, view="" if tab == "all" else tab) for tab in items.TABS}
        self.hrefs = links
        self.no_location_href = _view.href(PATH, view, location="")
        self.location_hrefs = [(label, _view.href(PATH, view, location=id_)) for id_, label in self.location_choices]

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def search(self, text: Line) -> Any:
        """Search as one types: the address changes, and with it the list."""
        return rx.redirect(_view.href(PATH, self._address(), q=text), replace=True)

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def select(self, item_id: Id) -> None:
        """Select a row, or let it go."""
        if item_id in self.selected:
            self.selected = [id_ for id_ in self.selected if id_ != item_id]
        elif any(row.id == item_id for row in self.rows):
            self.selected = [*self.selected, item_id]

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def select_all(self) -> None:
        """Select every row of this page, or none when all are."""
        everything = [row.id for row in self.rows]
        self.selected = [] if len(self.selected) == len(everything) else everything

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def clear_selection(self) -> None:
        """Let every row go."""
        self.selected = []

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(stock.create_inventory_item)
    async def open_create(self) -> None:
        """Ask for a new item."""
        self._open("create")

    @rx.event
    @action(catalog.create_location)
    async def open_location(self) -> None:
        """Ask for a new location."""
        self._open("location")

    @rx.event
    @action(stock.adjust_inventory)
    async def open_adjust(self, item_id: Id) -> None:
        """Ask by how much an item changes, and why."""
        await self._open_item("adjust", item_id)

    @rx.event
    @action(stock.transfer_inventory)
    async def open_transfer(self, item_id: Id) -> None:
        """Ask how much of an item goes where."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            targets = await fetch(items.transfer_targets, item_id=item_id)
        self._targets = tuple(targets)
        self.targets = [(t.location_id, f"{t.location} · {t.on_hand} there") for t in targets]
        await self._open_item("transfer", item_id)

    @rx.event
    @action(stock.bulk_update_inventory)
    async def open_bulk(self) -> None:
        """Ask for the counted quantities of the selected rows, as they are now."""
        if not self.selected:
            message = "Select some rows first."
            raise Invalid(message)
        await self._read_picked()
        self._open("bulk")

    async def _read_picked(self) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.picked = await fetch(items.get_items, item_ids=self.selected)

    def _open(self, dialog: str) -> None:
        self._new_form()
        self._typed = self._to = self.asked = ""
        self.dialog = dialog

    async def _open_item(self, dialog: str, item_id: int) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(items.get_items, item_ids=[item_id])
            if not found:
                message = "This item does not exist (any more). Reload the page."
                raise Invalid(message)
            self._place = await fetch(items.item_place, item_id=item_id)
        self.item = found[0]
        self._open(dialog)
        self._look()

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def preview(self, text: Line) -> None:
        """Show what would be where, while the quantity is typed; what is not possible is said beside it."""
        self._typed = text.strip()
        self._look()

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def preview_target(self, location_id: Line) -> None:
        """Show what would be at the place that was chosen."""
        self._to = location_id
        self.errors = {name: said for name, said in self.errors.items() if name != "to_location_id"}
        self._look()

    def _look(self) -> None:
        if self.item is None or self._place is None:
            return
        held, unit = Decimal(self.item.read_quantity), self._place.unit
        quantity, wrong = asked(self._typed, held, self._place, moves=self.dialog == "transfer")
        rest = {name: said for name, said in self.errors.items() if name != "quantity"}
        self.errors = rest | ({"quantity": wrong} if wrong else {})
        self.asked = "" if quantity is None or wrong else say(quantity, unit)
        sign = -1 if self.dialog == "transfer" else 1
        self.here = preview_of(self._place.location, held, quantity and sign * quantity, unit, possible=not wrong)
        target = next((target for target in self._targets if target.location_id == self._to), None)
        self.there = (
            preview_of(target.location, target.quantity, quantity, unit, possible=not wrong) if target else Preview()
        )

    @rx.event
    @action(stock.transfer_inventory)
    async def transfer_inventory(
        self, from_item_id: Id, to_item_id: Id, quantity: Quantity, idempotency_key: Line = ""
    ) -> Any:
        """Move stock between two items of one product."""
        return await self._transfer(
            from_item_id=from_item_id,
            to_item_id=to_item_id,
            quantity=quantity,
            idempotency_key=idempotency_key or None,
        )

    @rx.event
    @action(stock.transfer_inventory)
    async def submit_transfer(self, form: TransferForm) -> Any:
        """Move stock to where the dialog says, a place where the product may be new."""
        return await self._transfer(**form.arguments())

    async def _transfer(self, **arguments: Any) -> Any:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.transfer_inventory, **arguments)
        moved = f"Moved {done.quantity} {done.product} to {done.to_location}"
        return self._done(moved, reload=not self._show_moved(done))

    @rx.event
    @action(stock.adjust_inventory)
    async def adjust_inventory(self, form: AdjustForm) -> Any:
        """Change a quantity by a difference, with a reason."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.adjust_inventory, **form.arguments())
        return self._done(f"{done.product} at {done.location}: {done.before} → {done.after}")

    @rx.event
    @action(stock.create_inventory_item)
    async def create_inventory_item(self, form: NewItemForm) -> Any:
        """Put a new product at a location."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.create_inventory_item, **form.arguments())
        return self._done(f"Added {done.product} ({done.sku}) at {done.location}")

    @rx.event
    @action(catalog.create_location)
    async def create_location(self, form: LocationForm) -> Any:
        """Open a new location."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(catalog.create_location, **form.arguments())
        return self._done(f"Added the location {done.label}")

    @rx.event
    @action(stock.bulk_update_inventory)
    async def bulk_update_inventory(
        self,
        updates: list[dict[str, Any]],
        reason_code: Line = Reason.COUNTED,
        note: Note = "",
        idempotency_key: Line = "",
    ) -> Any:
        """Set many quantities at once, all or nothing."""
        return await self._update(updates, reason_code, note, idempotency_key)

    @rx.event
    @action(stock.bulk_update_inventory)
    async def save_counts(self, form: dict[str, Note]) -> Any:
        """Send the quantities that were counted as one bulk update; a row left empty was not counted."""
        typed_in = {name[2:]: value.strip() for name, value in form.items() if name.startswith("q_")}
        updates: list[dict[str, Any]] = [
            {"item_id": id_, "quantity": value, "read_quantity": form.get(f"r_{id_}")}
            for id_, value in typed_in.items()
            if value
        ]
        reason, wrong = form.get("reason_code", ""), dict[str, str]()
        if not updates:
            wrong["counts"] = "Nothing is counted yet: enter what is there in at least one row."
        if reason not in REASONS:
            wrong["reason_code"] = NO_REASON
        if wrong:
            raise Invalid(fields=wrong)
        try:
            return await self._update(updates, reason, form.get("note", ""), form.get("idempotency_key", ""))
        except InvalidRows as error:
            fields = {f"q_{updates[row - 1]['item_id']}": sentence_of(said) for row, _, said in error.rows}
            # Somebody may have changed what stands beside the fields; what was typed stays.
            await self._read_picked()
            raise Invalid(fields={"counts": str(error).rstrip(":") + "."} | fields) from error

    async def _update(self, updates: list[dict[str, Any]], reason_code: str, note: str, key: str) -> Any:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            changed = await in_transaction(
                stock.bulk_update_inventory,
                updates=updates,
                reason_code=reason_code,
                note=note,
                idempotency_key=key or None,
            )
        self.selected = []
        return self._done(f"Updated {changed} of {len(updates)} items")

    def _done(self, message: str, *, reload: bool = True) -> Any:
        self.dialog = ""
        self._new_form()
        toast = _toast.success(message)
        return [InventoryState.load, toast] if reload else toast
