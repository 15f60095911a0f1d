"""Small operations to try the mechanism on; not registered, because the application does not offer them."""

from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict
from inventory_app.models.catalog import Location
from inventory_app.operations._operation import OPERATIONS, QUERIES, on_commit, operation, operation_id, query
from inventory_app.permissions import Permission

mails: list[str] = []


@dataclass(frozen=True, slots=True)
class Added:
    """An answer with types that JSON does not have."""

    code: str
    worth: Decimal
    by: str


@operation(Permission.PRODUCTS_MANAGE, log=("code",), reason="why", name="trial.add_location")
def add_location(session: Session, *, code: str, why: str = "", fail: str = "") -> Added:
    """Add a location, then fail in the way that is asked for."""
    session.add(Location(code=code, name=code))
    session.flush()
    on_commit(session, lambda: mails.append(code))
    if fail == "rule":
        message = f"{code} is not wanted here."
        raise Conflict(message)
    if fail == "fault":
        message = "secret of a library"
        raise ZeroDivisionError(message)
    if fail == "missing":
        session.exec(select(Location).where(Location.code == "nowhere")).one()
    if fail == "duplicate":
        session.add(Location(code=code.lower(), name=code))
    return Added(code, Decimal("1.10"), str(operation_id(session)))


@operation(Permission.PRODUCTS_MANAGE, name="trial.deactivate")
def deactivate(session: Session, *, ids: list[int]) -> None:
    """Deactivate locations in the order given: two people with opposite orders deadlock."""
    for id_ in ids:
        lock(session, Location, [id_])[id_].active = False
        session.flush()


@operation(Permission.PRODUCTS_MANAGE, name="trial.nested")
def nested(session: Session) -> None:
    """Do what no operation may: call another."""
    add_location(session, code="INNER")


@operation(name="trial.anybody_signed_in")
def anybody_signed_in(session: Session) -> None:
    """Need a session and no permission."""
    del session


@operation(stale_password=True, name="trial.stale_password")
def stale_password(session: Session) -> None:
    """Be allowed before the password was replaced."""
    del session


@operation(public=True, name="trial.public")
def public(session: Session) -> None:
    """Be allowed to strangers."""
    del session


@operation(machine=True, name="trial.machine")
def machine(session: Session) -> None:
    """Be for the system and the command line only."""
    del session


@operation(Permission.SUPPLIERS_APPROVE, name="trial.approve")
def approve(session: Session) -> None:
    """Need a person."""
    del session


@query(Permission.INVENTORY_VIEW)
def list_codes(session: Session) -> list[str]:
    """Read something."""
    return list(session.exec(select(Location.code).order_by(col(Location.code))))


@query(Permission.INVENTORY_VIEW)
def write_in_a_query(session: Session) -> None:
    """Do what no query may."""
    session.add(Location(code="SNEAKY", name="x"))
    session.flush()


for _declared in (add_location, deactivate, nested, anybody_signed_in, stale_password, public, machine, approve):
    OPERATIONS.pop(_declared.spec.name)
for _declared in (list_codes, write_in_a_query):
    QUERIES.pop(_declared.spec.name)
