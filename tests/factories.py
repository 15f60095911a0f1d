"""Rows and people for tests, made inside a real operation of `system:test`; ask for `database` first.

ann = person("ann", "manager")
with acting_as(ann):
    transact(stock.transfer_inventory, ...)
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from sqlmodel import Session, SQLModel

from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.models._base import now
from inventory_app.models.access import AccountLink, LinkPurpose
from inventory_app.models.catalog import Location, Product
from inventory_app.models.documents import Document, DocumentContent
from inventory_app.models.stock import InventoryItem, MovementKind, Reason, StockMovement
from inventory_app.models.suppliers import Supplier, SupplierStatus, SupplierUser
from inventory_app.models.users import AuthSession, LocalUser, Role, UserInfo
from inventory_app.operations import _supplier_approvals, users
from inventory_app.operations._operation import OPERATIONS, operation, operation_id
from inventory_app.operations.catalog import search_text
from inventory_app.operations.sessions import hash_token
from inventory_app.passwords import NO_PASSWORD, hash_password
from inventory_app.permissions import SUPPLIER
from inventory_app.unit_of_work import transact

Row = TypeVar("Row", bound=SQLModel)
Made = TypeVar("Made")

PASSWORD = "correct horse battery"
ADDRESS = "192.0.2.7"


@operation(machine=True, name="tests.arrange")
def _arrange(session: Session, *, build: Callable[[Session], object]) -> object:
    return build(session)


# The registry is what the application offers; tests enumerate it.
OPERATIONS.pop("tests.arrange")


def arrange(build: Callable[[Session], Made]) -> Made:
    """Run `build(session)` inside an operation of `system:test` and commit: for any row a test needs."""
    with acting_as(system_actor("test")):
        return transact(_arrange, build=build)  # pyright: ignore[reportReturnType]  # what build made


def add(row: Row) -> Row:
    """Commit one row and return it detached, with what the database filled in."""

    def build(session: Session) -> Row:
        session.add(row)
        session.flush()
        session.refresh(row)
        session.expunge(row)
        return row

    return arrange(build)


@lru_cache(maxsize=1)
def password_hash() -> str:
    """Return the hash of `PASSWORD`, computed once: it is slow on purpose."""
    return hash_password(PASSWORD)


def person(
    name: str,
    *roles: str,
    enabled: bool = True,
    must_change_password: bool = False,
    client_ip: str = ADDRESS,
) -> Actor:
    """Create the account `name` with `roles` and a live session; the actor passes the database's check."""

    def build(session: Session) -> Actor:
        user = LocalUser(
            username=name,
            password_hash=password_hash(),
            enabled=enabled,
            enabled_at=now() if enabled else None,
            must_change_password=must_change_password,
        )
        session.add(user)
        session.flush()
        info = UserInfo(user_id=user.id or 0, email=f"{name}@example.com", full_name=name.title())
        session.add(info)
        session.flush()
        info.set_roles(roles, session)
        return _signed_in(session, user, client_ip)

    return arrange(build)


def invited(name: str, *, expires: timedelta = timedelta(hours=72), token: str = "") -> int:
    """Create the account of an employee who was invited and has not come; returns its `LocalUser.id`."""

    def build(session: Session) -> int:
        made = users.create_user(
            session,
            username=name,
            full_name=name.title(),
            email=f"{name}@example.com",
            password_hash=NO_PASSWORD,
            roles=["employee"],
            enabled=False,
        )
        session.add(
            AccountLink(
                user_id=made.user_id,
                purpose=LinkPurpose.INVITE,
                token_hash=hash_token(token or secrets.token_urlsafe()),
                expires_at=now() + expires,
            )
        )
        return made.user_id

    return arrange(build)


def role(name: str, *permissions: str, active: bool = True) -> int:
    """Create a role that contains `permissions`; returns its id."""

    def build(session: Session) -> int:
        made = Role(name=name, active=active)
        session.add(made)
        session.flush()
        made.set_permissions(permissions, session)
        return made.id or 0

    return arrange(build)


def signed_in_again(actor: Actor, client_ip: str = ADDRESS) -> Actor:
    """Give the person a second live session (another device)."""
    return arrange(lambda session: _signed_in(session, session.get_one(LocalUser, actor.id), client_ip))


def _signed_in(session: Session, user: LocalUser, client_ip: str) -> Actor:
    token_hash = hash_token(secrets.token_urlsafe())
    found = AuthSession(
        user_id=user.id or 0,
        token_hash=token_hash,
        expires_at=now() + timedelta(hours=1),
        idle_minutes=60,
        client_ip=client_ip,
    )
    session.add(found)
    session.flush()
    return Actor(
        kind="user",
        name=user.username,
        id=user.id,
        session_id=found.id,
        token_hash=token_hash,
        client_ip=client_ip,
        user_agent="pytest",
        request_id=secrets.token_hex(4),
    )


def begin_as(connection: psycopg.Connection, name: str = "cli:test") -> None:
    """Open an operation of the command line on a connection of the test's own."""
    connection.execute(
        "SELECT audit_begin_as(gen_random_uuid(), 'test', 'succeeded', 'cli', %s, NULL, NULL, NULL, NULL, NULL, NULL)",
        [name],
    )


def anonymous(client_ip: str = ADDRESS) -> Actor:
    """Return a stranger who comes from `client_ip`."""
    return Actor(kind="anonymous", name="anonymous", client_ip=client_ip, user_agent="pytest")


def register(actor: Actor, **changed: str) -> users.Registered:
    """Register Carla Étoile, with what is `changed`."""
    values = {
        "username": "carla",
        "full_name": "Carla Étoile",
        "email": "carla@example.com",
        "password": "a long password",
    }
    with acting_as(actor):
        return transact(users.register, **(values | changed))


def product(sku: str = "WIDGET", **columns: object) -> Product:
    """Add a product that is kept in pieces."""
    name = str(columns.get("name", sku.title()))
    defaults: dict[str, object] = {"name": name, "currency": "USD", "search": search_text(sku, name)}
    return add(Product(sku=sku, **(defaults | columns)))


def location(code: str = "SHELF", **columns: object) -> Location:
    """Add a storage location."""
    return add(Location(code=code, **({"name": code.title()} | columns)))


def item(product_id: int | None = None, location_id: int | None = None, quantity: Decimal | int = 0) -> InventoryItem:
    """Add an item with an opening movement at the product's cost, so that its books balance; makes what is missing."""
    product_id = product_id or product(f"P{secrets.token_hex(3).upper()}").id or 0
    location_id = location_id or location(f"L{secrets.token_hex(3).upper()}").id or 0

    def build(session: Session) -> InventoryItem:
        row = InventoryItem(product_id=product_id, location_id=location_id, quantity=Decimal(quantity))
        row.sequence = 1 if quantity else 0
        session.add(row)
        session.flush()
        if quantity:
            cost = session.get_one(Product, product_id).unit_cost
            session.add(
                StockMovement(
                    item_id=row.id or 0,
                    sequence=1,
                    kind=MovementKind.ADJUSTMENT,
                    quantity=Decimal(quantity),
                    unit_cost=cost,
                    value=round(quantity * cost, 4),
                    reason_code=Reason.OPENING,
                    operation_id=operation_id(session),
                )
            )
            session.flush()
        session.refresh(row)
        session.expunge(row)
        return row

    return arrange(build)


def supplier(name: str = "Acme", **columns: object) -> Supplier:
    """Add a supplier; pending unless `status` says otherwise, and then a decision about it is asked for."""

    def build(session: Session) -> Supplier:
        row = Supplier(name=name, **columns)
        session.add(row)
        session.flush()
        if row.status == SupplierStatus.PENDING:
            _supplier_approvals.ask(session, [row])
        session.refresh(row)
        session.expunge(row)
        return row

    return arrange(build)


def document(
    subject_type: str, subject_id: int, name: str = "sheet.txt", content: bytes = b"as agreed", **columns: Any
) -> int:
    """Keep a text with a record; returns the document's id."""

    def build(session: Session) -> int:
        row = Document(
            subject_type=subject_type,
            subject_id=subject_id,
            kind="document",
            name=name,
            media_type="text/plain",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            created_by="test",
            **columns,
        )
        session.add(row)
        session.flush()
        session.add(DocumentContent(document_id=row.id or 0, content=content))
        return row.id or 0

    return arrange(build)


def supplier_person(name: str, supplier_id: int, *, active: bool = True, enabled: bool = True) -> Actor:
    """Create the account `name` of somebody who works for a supplier, with a live session."""

    def build(session: Session) -> Actor:
        made = users.create_user(
            session,
            username=name,
            full_name=name.title(),
            email=f"{name}@example.com",
            password_hash=password_hash(),
            roles=[SUPPLIER],
            enabled=enabled,
            supplier_id=supplier_id,
        )
        session.get_one(SupplierUser, made.user_id).active = active
        return _signed_in(session, session.get_one(LocalUser, made.user_id), ADDRESS)

    return arrange(build)
