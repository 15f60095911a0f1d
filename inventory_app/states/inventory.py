"""The stock list and everything people do from it."""

from decimal import Decimal
from typing import Any, ClassVar

import reflex as rx
from reflex_base.event import Event

from inventory_app.errors import Invalid, InvalidRows
from inventory_app.models.stock import Reason
from inventory_app.operations import change_sets, items, reasons, stock
from inventory_app.operations._item_list import LIST
from inventory_app.operations._ledger import Place, say
from inventory_app.operations._lists import Listing, View
from inventory_app.operations.items import ItemRow, Kept, Overview, Target
from inventory_app.operations.stock import Transferred
from inventory_app.permissions import Permission
from inventory_app.states import _live, _toast
from inventory_app.states._action import Id, Line, Note, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._reload import loaded_by
from inventory_app.states._stock_forms import (
    NO_REASON,
    AdjustForm,
    NewItemForm,
    Preview,
    Quantity,
    TransferForm,
    asked,
    preview_of,
    sentence_of,
)
from inventory_app.states.auth import AuthState
from inventory_app.states.bulk_changes import MOST_CHANGED, propose_for
from inventory_app.states.item import ItemState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/inventory"
#: More counts than these are a file to import, not a dialog.
_MOST_COUNTED_AT_ONCE = 200
#: A row and what it was made from.
Shown = tuple[Kept, ItemRow]
#: With more changed rows than these, all rows are sent anew.
_MOST_NEWER = 12


class InventoryState(ListState, rx.State):
    """The list of items as its address says, and the dialog that is open."""

    columns: list[str] = LIST.everybodys()
    rows: list[ItemRow] = []
    #: Rows that were changed since, by their ids: what stands here is shown instead. A delta sends a whole var.
    newer: dict[int, ItemRow] = {}
    #: Who changed which row while this page was open, by `InventoryItem.id`.
    changed: dict[int, str] = {}
    note: str = ""
    location_choices: list[tuple[str, str]] = []

    items: int = 0
    locations: int = 0
    worth: str = ""
    as_of: str = ""
    to_reorder: int = 0
    out: int = 0

    picked: list[ItemRow] = []
    dialog: str = ""
    #: What can be given as the reason, by what it is given for.
    reasons: dict[str, list[tuple[str, str]]] = {}
    available: str = ""
    item: ItemRow | None = None
    targets: list[tuple[str, str]] = []
    unit_choices: list[tuple[str, str]] = []
    #: How much the open dialog asks for, once that is possible, and what is at both places before and after.
    asked: str = ""
    here: Preview = Preview()
    there: Preview = Preview()

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH
    #: The item of the open dialog, where it can go, and what was typed and chosen so far.
    _place: Place | None = None
    _targets: tuple[Target, ...] = ()
    _typed: str = ""
    _to: str = ""
    #: What `rows` and `newer` were made from; tuples, which Reflex hands out as they are.
    _shown: tuple[Shown, ...] = ()
    _newer: tuple[tuple[int, Shown], ...] = ()

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> Any:
        """Show what the address asks for; on the page of an item that is for its own State to do."""
        if self._on_an_item():
            return ItemState.load
        # Before it is read, so that nothing is missed that follows.
        _live.watch(self, "item", InventoryState.changed_elsewhere)
        await self._load()
        if self.changed:
            self.changed = {}
        return None

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def changed_elsewhere(self) -> None:
        """Show the list anew and mark what somebody else has changed; an open dialog stays as it is."""
        changed = _live.changed(self)
        # Most of what happens in a large stock happens to rows that are not on this page.
        if changed.keys() & set(self.present):
            await self._load()
            self.changed = {id_: who for id_, who in (self.changed | changed).items() if id_ in self.present}

    async def _load(self) -> None:
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(items.overview, view=view)
        self._show(tuple((kept, kept.row()) for kept in found.page.rows))
        self._show_figures(found)
        places, categories = self.location_choices, [(one.id, one.label) for one in found.choices.categories]
        listed = Listed(found.view, found.page, found.count, found.summary.items)
        options = {"location": list(places), "category": categories}
        await self._show_list(listed, (kept.id for kept in found.page.rows), options)

    def _on_an_item(self) -> bool:
        # A browser's address of the list may end in a slash as well.
        return self.router.url.path.rstrip("/").startswith(f"{PATH}/")

    async def _matching(self, view: View, most: int) -> list[int]:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            return await fetch(items.matching_items, view=view, most=most)

    def _show_figures(self, found: Overview) -> None:
        figures, choices = found.summary, found.choices
        self.items, self.locations, self.as_of = figures.items, figures.locations, figures.as_of
        self.worth, self.to_reorder, self.out = figures.worth, figures.to_reorder, figures.out
        self.note = found.note
        self.location_choices = [(choice.id, choice.label) for choice in choices.locations]
        self.unit_choices = [(choice.id, choice.label) for choice in choices.units]

    def _show_moved(self, done: Transferred, name: str) -> bool:
        """Bring the rows of a transfer up to date; False when more than these rows has changed on the page."""
        filtered = items.DEPENDS_ON_QUANTITY & self.filters.keys()
        if not done.kept_in_use or filtered or self.sort in items.MOVES_WITH_QUANTITY:
            return False
        left = {item.item_id: item for item in done.items}
        newer = dict(self._newer)
        for shown in self._shown:
            kept, _ = newer.get(shown[0].id, shown)
            now = left.get(kept.id)
            # What was answered to a double click may be older than what is shown.
            if now and kept.changed_at < now.changed_at:
                kept = kept.after(now.quantity, now.changed_at, now.changed_by, name)
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
        await self._count(await self._selected_ids(_MOST_COUNTED_AT_ONCE))

    @rx.event
    @action(change_sets.propose_quantities)
    async def open_quantities(self) -> None:
        """Ask how the quantities of the selected items change."""
        await propose_for(self, "quantities", await self._selected_ids(MOST_CHANGED))

    @rx.event
    @action(change_sets.propose_prices)
    async def open_prices(self) -> None:
        """Ask how the prices of the selected items' products change."""
        await propose_for(self, "prices", await self._selected_products())

    @rx.event
    @action(change_sets.propose_products)
    async def open_products(self) -> None:
        """Ask what the products of all the selected items shall have."""
        await propose_for(self, "products", await self._selected_products())

    async def _selected_products(self) -> list[int]:
        item_ids = await self._selected_ids(MOST_CHANGED)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            return await fetch(change_sets.products_of_items, item_ids=item_ids)

    @rx.event
    @action(stock.bulk_update_inventory)
    async def open_count(self, item_id: Id) -> None:
        """Ask for the counted quantity of one item."""
        await self._count([item_id])

    async def _count(self, item_ids: list[int]) -> None:
        await self._read_picked(item_ids)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.reasons = await fetch(reasons.offered)
        self._open("bulk")

    async def _read_picked(self, item_ids: list[int]) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.picked = await fetch(items.get_items, item_ids=item_ids)

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
            self.reasons = await fetch(reasons.offered)
        self.item = found[0]
        self.available = say(max(Decimal(self.item.read_quantity) - self._place.reserved, Decimal(0)))
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
        toast = _toast.booked(moved, done.operation_id, auth_state.permissions)
        return self._done(toast, reload=not self._show_moved(done, auth_state.name))

    @rx.event
    @action(stock.adjust_inventory)
    async def adjust_inventory(self, form: AdjustForm) -> Any:
        """Change a quantity by a difference, with a reason."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.adjust_inventory, **form.arguments())
        said = f"{done.product} at {done.location}: {done.before} → {done.after}"
        return self._done(_toast.booked(said, done.operation_id, auth_state.permissions))

    @rx.event
    @action(stock.create_inventory_item)
    async def create_inventory_item(self, form: NewItemForm) -> Any:
        """Put a new product at a location."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.create_inventory_item, **form.arguments())
        return self._done(f"Added {done.product} ({done.sku}) at {done.location}")

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
        if not reason:
            wrong["reason_code"] = NO_REASON
        if wrong:
            raise Invalid(fields=wrong)
        try:
            return await self._update(updates, reason, form.get("note", ""), form.get("idempotency_key", ""))
        except InvalidRows as error:
            fields = {f"q_{updates[row - 1]['item_id']}": sentence_of(said) for row, _, said in error.rows}
            # Somebody may have changed what stands beside the fields; what was typed stays.
            await self._read_picked([row.id for row in self.picked])
            raise Invalid(fields={"counts": str(error).rstrip(":") + "."} | fields) from error

    async def _update(self, updates: list[dict[str, Any]], reason_code: str, note: str, key: str) -> Any:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(
                stock.bulk_update_inventory,
                updates=updates,
                reason_code=reason_code,
                note=note,
                idempotency_key=key or None,
            )
        self.selected, self.all_selected = [], False
        said = f"Updated {done.changed} of {len(updates)} items"
        # A count that found what was there has booked nothing that could be taken back.
        return self._done(_toast.booked(said, done.operation_id, auth_state.permissions) if done.changed else said)

    def _done(self, said: str | Event, *, reload: bool = True) -> Any:
        self.dialog = ""
        self._new_form()
        toast = _toast.success(said) if isinstance(said, str) else said
        return [InventoryState.load, toast] if reload or self._on_an_item() else toast


loaded_by(PATH, InventoryState.load)
