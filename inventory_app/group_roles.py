"""Which groups of the sign-in provider give which roles: `INVENTORY_OIDC_ROLES`, read and checked once.

    warehouse=employee;buyers=manager,accountant
    {"Stock; buyers": ["manager"], "it": ["admin!"]}

Whoever manages a group at the provider can give the roles it is worth. So `admin` is given only when it is written
`admin!`: nobody makes administrators by a slip.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

#: `permissions.ADMIN`; settings are below permissions, and this is read with them. A test compares.
ADMIN = "admin"
_ADMIN_ON_PURPOSE = f"{ADMIN}!"
_FORM = 'write group=role,role;group2=role or {"group": ["role"]}'

GroupRoles = Mapping[str, frozenset[str]]


def parse(text: str) -> GroupRoles:
    """Return the roles of each group; a `ValueError` names what is wrong."""
    pairs = _from_json(text) if text.lstrip().startswith("{") else _from_words(text)
    found: dict[str, frozenset[str]] = {}
    for group, roles in pairs:
        if not group:
            raise ValueError(f"a group has no name: {_FORM}")
        if group in found:
            raise ValueError(f"the group “{group}” stands there twice: put its roles together")
        if not roles or not all(roles):
            raise ValueError(f"the group “{group}” names no role: {_FORM}")
        if ADMIN in roles:
            raise ValueError(
                f"the group “{group}” would give {ADMIN}: write {_ADMIN_ON_PURPOSE} if whoever manages that group "
                "shall be able to make administrators"
            )
        found[group] = frozenset(role.removesuffix("!") if role == _ADMIN_ON_PURPOSE else role for role in roles)
    if not found:
        raise ValueError(f"names no group: {_FORM}")
    return found


def named_roles(mapping: GroupRoles) -> frozenset[str]:
    """Return every role that some group gives: the only ones that a sign-in gives and takes."""
    return frozenset[str]().union(*mapping.values())


def roles_of(mapping: GroupRoles, groups: Iterable[str]) -> frozenset[str]:
    """Return the roles that somebody in `groups` shall have of those that the mapping names."""
    return frozenset[str]().union(*(mapping.get(group, frozenset[str]()) for group in groups))


def _from_words(text: str) -> list[tuple[str, list[str]]]:
    pairs: list[tuple[str, list[str]]] = []
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        group, separator, roles = entry.partition("=")
        if not separator:
            raise ValueError(f"“{entry}” names no role: {_FORM}")
        pairs.append((group.strip(), [role.strip() for role in roles.split(",")]))
    return pairs


def _from_json(text: str) -> list[tuple[str, list[str]]]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise ValueError(f"begins like JSON and is none: {_FORM}") from None
    pairs: list[tuple[str, list[str]]] = []
    for group, roles in found.items():
        listed = [roles] if isinstance(roles, str) else roles
        if not isinstance(listed, list) or not all(isinstance(role, str) for role in listed):
            raise ValueError(f"the group “{group}” must have a list of roles: {_FORM}")
        pairs.append((group.strip(), [role.strip() for role in listed]))
    return pairs
