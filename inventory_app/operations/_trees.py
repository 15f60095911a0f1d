"""Categories and locations as trees: their order, what stands in what, and the rules of moving a branch.

Both are few enough to be read whole. Whoever moves a branch holds the tree's lock, so that two people cannot put each
of two branches into the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models.catalog import Category, Location
from inventory_app.operations._fields import Fields
from inventory_app.operations._remembered import Remembered

Branch = TypeVar("Branch", Category, Location)

DEEPEST = 8
LONGEST_CODE = 20
SEPARATOR = " / "


@dataclass(frozen=True, slots=True)
class Node:
    """A branch in its place: `path` names it with what it stands in."""

    id: int
    code: str
    name: str
    path: str
    depth: int
    parent_id: int | None
    active: bool
    version: int
    kind: str = ""


def nodes(session: Session, model: type[Branch]) -> list[Node]:
    """Return the whole tree, every branch below what it stands in, those beside each other by name."""
    found = session.execute(sa.select(model).order_by(col(model.sort_key), col(model.id))).scalars()
    below: dict[int | None, list[Branch]] = {}
    for branch in found:
        below.setdefault(branch.parent_id, []).append(branch)
    return list(_walk(below, None, "", 0))


def _walk(below: Mapping[int | None, Sequence[Branch]], parent: int | None, path: str, depth: int) -> Iterator[Node]:
    for branch in below.get(parent, ()):
        here = f"{path}{SEPARATOR}{branch.name}" if path else branch.name
        id_, kind = branch.id or 0, getattr(branch, "kind", "")
        yield Node(
            id_, branch.code, branch.name, here, depth, branch.parent_id, branch.active, branch.version, str(kind)
        )
        yield from _walk(below, id_, here, depth + 1)


@Remembered
def categories(session: Session) -> list[tuple[str, str]]:
    """Return the categories in use to choose from, each with what it stands in."""
    return [(str(node.id), node.path) for node in nodes(session, Category) if node.active]


def checked_names(code: str, name: str, what: str) -> tuple[str, str]:
    """Return code and name as they are kept; raises `Invalid` with a sentence for each that is wrong."""
    fields = Fields()
    wrong = f"Enter a code of at most {LONGEST_CODE} characters."
    tidy_code = fields.line("code", code, most=200)
    tidy_name = fields.line("name", name)
    if "code" not in fields.faults and (not tidy_code or len(tidy_code) > LONGEST_CODE):
        fields.faults["code"] = wrong
    if "name" not in fields.faults and not tidy_name:
        fields.faults["name"] = f"Enter the {what}'s name."
    fields.check()
    return (tidy_code or "").upper(), tidy_name or ""


def read_as(session: Session, model: type[Branch], id_: int, version: int, what: str) -> Branch:
    """Lock a branch of a tree that is held already, if it still is what the person has read."""
    branch = lock(session, model, [id_]).get(id_)
    if branch is None:
        raise NotFound(f"There is no such {what}. Reload the page.")
    if branch.version != version:
        raise Stale(f"{branch.name} was changed after you opened it. Reload the page and read it again.")
    return branch


def may_stand_in(session: Session, model: type[Branch], branch: Branch | None, parent_id: int | None) -> None:
    """Refuse to put a branch (None: a new one) into itself, too deep, or into what is closed; the tree is held."""
    if parent_id is None:
        return
    tree = {node.id: node for node in nodes(session, model)}
    parent = tree.get(parent_id)
    if parent is None or (not parent.active and (branch is None or branch.active)):
        raise Invalid(fields={"parent_id": "Choose one of the list."})
    height = 0
    if branch is not None:
        above: Node | None = parent
        while above is not None:
            if above.id == branch.id:
                said = f"{branch.name} cannot stand in {parent.name}: that is a part of it."
                if parent.id == branch.id:
                    said = f"{branch.name} cannot stand in itself."
                raise Invalid(said, fields={"parent_id": said})
            above = tree.get(above.parent_id or 0)
        height = _height(tree, branch.id or 0)
    if parent.depth + 1 + height >= DEEPEST:
        raise Invalid(fields={"parent_id": f"At most {DEEPEST} levels can stand in each other."})


def _height(tree: Mapping[int, Node], id_: int) -> int:
    """Return how many levels stand below a branch."""
    top, deepest, inside = tree[id_].depth, tree[id_].depth, {id_}
    # Every branch comes after what it stands in.
    for node in tree.values():
        if node.parent_id in inside:
            inside.add(node.id)
            deepest = max(deepest, node.depth)
    return deepest - top


def no_open_parts(session: Session, model: type[Branch], branch: Branch) -> None:
    """Refuse to close a branch while one that stands in it is in use."""
    first = session.scalar(
        sa.select(col(model.name))
        .where(col(model.parent_id) == branch.id, col(model.active))
        .order_by(col(model.sort_key))
        .limit(1)
    )
    if first:
        raise Conflict(f"{branch.name} cannot be closed: {first} stands in it and is in use. Close or move that first.")


def open_above(session: Session, model: type[Branch], branch: Branch) -> None:
    """Refuse to open a branch that stands in a closed one."""
    parent = session.get(model, branch.parent_id) if branch.parent_id else None
    if parent and not parent.active:
        raise Conflict(f"{branch.name} stands in {parent.name}, which is closed. Open that first.")
