"""People in words: a line of the list, the roles that can be ticked, and what the forms about them send."""

from dataclasses import dataclass
from typing import Any

from pydantic import model_validator

from inventory_app.operations._people_list import UserRow
from inventory_app.operations.users import RoleToGive
from inventory_app.states._action import Id, Line, Note, Payload
from inventory_app.states.auth import initials

_BOX = "role:"


class TickedRoles(Payload):
    """The boxes of roles that are ticked."""

    roles: list[Line] = []

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, sent: Any) -> Any:
        """Take the ticked boxes `role:<name>` together: a browser sends each as a field of its own."""
        if not isinstance(sent, dict):
            return sent
        ticked = [name.removeprefix(_BOX) for name in sent if isinstance(name, str) and name.startswith(_BOX)]
        others = {name: value for name, value in sent.items() if f"{name}".removeprefix(_BOX) not in ticked}
        return {"roles": ticked} | others


class RolesForm(TickedRoles):
    """The boxes that are ticked for a person, and the version their row was read with."""

    user_id: Id
    version: int


class EraseForm(Payload):
    """Whose data is erased, and why."""

    user_id: Id
    reason: Note


@dataclass(frozen=True, slots=True)
class Person:
    """A line of the list, in words; `why_not` and `why_not_roles` say what a rule forbids."""

    id: int
    info_id: int
    version: int
    name: str
    full_name: str
    initials: str
    picture: str
    username: str
    email: str
    roles: list[str]
    #: active, waiting, invited, disabled or erased.
    status: str
    #: Of somebody who was invited and has not come: open, expired or withdrawn, and when that is or was.
    invitation: str
    invitation_ends: str
    since: str
    last_seen: str
    why_not: str
    why_not_roles: str
    why_not_erase: str
    own: bool


@dataclass(frozen=True, slots=True)
class RoleBox:
    """A role that can be ticked for the person whose roles are asked for; with `why_not` it cannot."""

    field: str
    name: str
    held: bool
    description: str
    size: str
    why_not: str


def box_of(role: RoleToGive, *, held: bool) -> RoleBox:
    """Return the box that a role is ticked in."""
    return RoleBox(
        field=f"{_BOX}{role.name}",
        name=role.name,
        held=held,
        description=role.description,
        size=_size(role, held=held),
        why_not=role.why_not,
    )


def _size(role: RoleToGive, *, held: bool) -> str:
    size = "1 permission" if role.permissions == 1 else f"{role.permissions} permissions"
    return f"{size} · somebody else must agree" if role.needs_agreement and not held else size


def person_of(row: UserRow) -> Person:
    """Return a line of the list in words."""
    name = row.full_name or row.username
    return Person(
        id=row.id,
        info_id=row.info_id,
        version=row.version,
        name=name,
        full_name=row.full_name,
        initials=initials(name),
        picture=row.picture,
        username=row.username,
        email=row.email,
        roles=row.roles,
        status=row.status,
        invitation=row.invitation,
        invitation_ends=row.invitation_ends,
        since=row.created,
        last_seen=row.last_seen,
        why_not=row.why_not,
        why_not_roles=row.why_not_roles,
        why_not_erase=row.why_not_erase,
        own=row.own,
    )
