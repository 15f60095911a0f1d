"""What must be there before anybody can work: permissions, roles, units, the first administrator."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import FIRST_SET_UP, ROLES_AND_PERMISSIONS, lock_rule
from inventory_app.models.catalog import Unit
from inventory_app.models.users import LocalUser, Permission, Role, RolePermission
from inventory_app.operations._operation import operation
from inventory_app.operations._people_rules import permissions_of_roles
from inventory_app.operations.catalog import default_location
from inventory_app.operations.users import create_user
from inventory_app.permissions import ADMIN, DEFAULT_ROLES
from inventory_app.permissions import Permission as Known

#: Code -> (name, decimals). Products name one of them.
UNITS = {
    "pcs": ("Pieces", 0),
    "cs": ("Cases", 0),
    "box": ("Boxes", 0),
    "pkg": ("Packages", 0),
    "kg": ("Kilograms", 3),
    "l": ("Litres", 3),
    "m": ("Metres", 3),
}


@operation(machine=True)
def prepare(session: Session) -> None:
    """Make permissions, built-in roles and units follow the code; the first location is there.

    A new permission goes to the roles that have it by default; what administrators changed in
    other roles stays. `admin` always equals the enum.
    """
    lock_rule(session, ROLES_AND_PERMISSIONS)
    known = set(session.exec(select(Permission.name)))
    new = [name for name in Known if name not in known]
    session.add_all(Permission(name=name) for name in new)
    session.flush()
    for name, (description, wanted) in DEFAULT_ROLES.items():
        role = session.exec(select(Role).where(col(Role.name) == name)).first()
        if role is None:
            role = Role(name=name, description=description, built_in=True)
            session.add(role)
            session.flush()
            role.set_permissions(wanted, session)
            continue
        added = wanted.intersection(new)
        if name == ADMIN or added:
            held = session.exec(
                select(Permission.name)
                .join(RolePermission, col(RolePermission.permission_id) == col(Permission.id))
                .where(RolePermission.role_id == role.id)
            )
            role.set_permissions(wanted if name == ADMIN else {*held, *added}, session)
    present = set(session.exec(select(Unit.code)))
    session.add_all(
        Unit(code=code, name=name, decimals=decimals) for code, (name, decimals) in UNITS.items() if code not in present
    )
    default_location(session)


def needs_preparing(session: Session) -> bool:
    """Tell whether permissions, roles or units lag behind the code."""
    names = set(session.exec(select(Permission.name)))
    roles = set(session.exec(select(Role.name)))
    units = set(session.exec(select(Unit.code)))
    complete = set(Known) <= names and DEFAULT_ROLES.keys() <= roles and UNITS.keys() <= units
    return not complete or permissions_of_roles(session, [ADMIN]) != set(Known)


@operation(machine=True, log=("username",))
def create_first_administrator(
    session: Session, *, username: str, password_hash: str, must_change_password: bool
) -> bool:
    """Create the first administrator if there is no account at all; tells whether it did."""
    lock_rule(session, FIRST_SET_UP)
    if session.scalar(sa.select(sa.func.count()).select_from(LocalUser)):
        return False
    create_user(
        session,
        username=username,
        full_name="Administrator",
        email=f"{username}@localhost.localdomain",
        password_hash=password_hash,
        roles=[ADMIN],
        enabled=True,
        must_change_password=must_change_password,
    )
    return True


def has_accounts(session: Session) -> bool:
    """Tell whether anybody has an account."""
    return bool(session.scalar(sa.select(sa.exists().select_from(LocalUser))))
