"""Whom to speak to at a supplier about what: entered, corrected and switched off, never removed."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models.suppliers import Supplier, SupplierContact
from inventory_app.operations._fields import Fields
from inventory_app.operations._operation import operation, query
from inventory_app.operations._supplier_changes import locked, put
from inventory_app.operations._supplier_fields import LINES
from inventory_app.permissions import Permission

_MOST = 50


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Somebody at a supplier."""

    id: int
    version: int
    name: str
    position: str
    email: str
    phone: str
    note: str
    active: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A contact that was entered or corrected, and of which supplier."""

    contact_id: int
    supplier: str
    name: str


@operation(Permission.SUPPLIERS_EDIT, log=("supplier_id",))
def add_contact(  # as many as the form has fields
    session: Session,
    *,
    supplier_id: int,
    name: str,
    position: str = "",
    email: str = "",
    phone: str = "",
    note: str = "",
) -> Changed:
    """Enter somebody at a supplier."""
    values = _checked(name, position, email, phone, note)
    # Of two that are entered at once, each counts the other.
    supplier = locked(session, supplier_id)
    if len(_contacts(session, supplier_id)) >= _MOST:
        message = f"At most {_MOST} contacts are kept of a supplier. Correct one that is there."
        raise Conflict(message)
    contact = SupplierContact(supplier_id=supplier_id, **values)
    session.add(contact)
    session.flush()
    return Changed(contact.id or 0, supplier.name, contact.name)


@operation(Permission.SUPPLIERS_EDIT, log=("contact_id", "active"))
def update_contact(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    contact_id: int,
    version: int,
    name: str,
    position: str = "",
    email: str = "",
    phone: str = "",
    note: str = "",
    active: bool = True,
) -> Changed:
    """Correct a contact in the version that was read, or switch it off."""
    values = _checked(name, position, email, phone, note) | {"active": active}
    contact = lock(session, SupplierContact, [contact_id]).get(contact_id)
    if contact is None:
        message = "There is no such contact. Reload the page."
        raise NotFound(message)
    if contact.version != version:
        message = f"{contact.name} was changed after you opened the page. Reload it."
        raise Stale(message)
    if all(getattr(contact, key) == value for key, value in values.items()):
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    put(contact, values)
    contact.version += 1
    return Changed(contact_id, session.get_one(Supplier, contact.supplier_id).name, contact.name)


@query(Permission.SUPPLIERS_VIEW)
def contacts(session: Session, *, supplier_id: int) -> list[ContactRow]:
    """List whom to speak to at a supplier, those who are no longer there last."""
    return [
        ContactRow(
            id=one.id or 0,
            version=one.version,
            name=one.name,
            position=one.position or "",
            email=one.email or "",
            phone=one.phone or "",
            note=one.note or "",
            active=one.active,
        )
        for one in _contacts(session, supplier_id)
    ]


def _contacts(session: Session, supplier_id: int) -> list[SupplierContact]:
    statement = select(SupplierContact).where(SupplierContact.supplier_id == supplier_id)
    return list(session.scalars(statement.order_by(col(SupplierContact.active).desc(), col(SupplierContact.id))))


def _checked(name: str, position: str, email: str, phone: str, note: str) -> dict[str, Any]:
    fields = Fields()
    values = {
        "name": fields.line("name", name, required=True) or "",
        "position": fields.line("position", position, most=100),
        "email": _as("email", email, fields),
        "phone": _as("phone", phone, fields),
        "note": fields.text("note", note, most=500),
    }
    fields.check()
    return values


def _as(name: str, value: str, fields: Fields) -> str | None:
    """Read a line by the rule that the supplier's own field of this name has."""
    rule = LINES[name]
    return fields.line(name, value, most=rule.most, pattern=rule.pattern, sentence=rule.sentence)
