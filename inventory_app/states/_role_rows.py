"""The matrix of roles as it is drawn: columns, lines of one letter a cell, and what is changed but not saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory_app.operations.roles import Change, Effect, Matrix, PermissionLine, RoleColumn
from inventory_app.permissions import ADMIN
from inventory_app.states.auth import initials

PATH = "/admin/roles"

#: What is to be added (True) to or taken (False) from a role, by the permission's name.
Draft = dict[int, dict[str, bool]]


@dataclass(frozen=True)
class Column:
    """A role at the head of its column, and as a card on the phone."""

    id: int
    version: int
    name: str
    description: str
    people: str
    share: str
    href: str
    active: bool
    built_in: bool
    needs_factor: bool
    grant_needs_approval: bool
    why_not: str
    #: The same for what it is called and asks for; `fixed`: of it only the second factor can be changed.
    why_not_edit: str
    fixed: bool
    changed: bool


@dataclass(frozen=True)
class Row:
    """A category (`sums` a cell each) or a permission (`codes`: one letter a cell).

    Letters: 1 and 0 can be changed, + and - are changed and not saved, t and f cannot be changed.
    """

    key: str
    label: str
    heading: bool
    open: bool
    first: bool
    codes: str
    sums: list[str]
    note: str


@dataclass(frozen=True)
class Line:
    """A person in the preview."""

    initials: str
    name: str
    href: str
    note: str


@dataclass(frozen=True)
class EffectCard:
    """A permission that is gained or lost, in words."""

    key: str
    gains: bool
    label: str
    where: str
    summary: str
    lines: list[Line]
    more: str


def people(number: int) -> str:
    """Return "1 person" or "9 people"."""
    return "1 person" if number == 1 else f"{number:,} people"


def columns(shown: Sequence[RoleColumn], total: int, draft: Draft) -> list[Column]:
    """Head each role that is shown."""
    return [
        Column(
            id=role.id,
            version=role.version,
            name=role.name,
            description=role.description,
            people=people(role.people),
            share=f"{len(_after(role, draft))} of {total} permissions",
            href=f"{PATH}/{role.id}",
            active=role.active,
            built_in=role.built_in,
            needs_factor=role.needs_factor,
            grant_needs_approval=role.grant_needs_approval,
            why_not=role.why_not,
            why_not_edit=role.why_not_edit,
            fixed=role.built_in and role.name == ADMIN,
            changed=bool(draft.get(role.id)),
        )
        for role in shown
    ]


def rows(  # what is shown depends on as many things
    matrix: Matrix,
    shown: Sequence[RoleColumn],
    draft: Draft,
    *,
    q: str,
    category: str,
    only: str,
    closed: frozenset[str],
    may_change: bool,
) -> list[Row]:
    """Draw the permissions that are looked for, under their categories."""
    found: list[Row] = []
    after = {role.id: _after(role, draft) for role in shown}
    every: dict[str, list[PermissionLine]] = {}
    for line in matrix.permissions:
        every.setdefault(line.category, []).append(line)
    words = q.casefold().split()
    first = True
    for name, lines in every.items():
        if category not in ("", name):
            continue
        drawn = [
            line
            for line in lines
            if all(word in f"{line.label} {line.name}".casefold() for word in words)
            and _is_shown(line, shown, draft, only)
        ]
        if not drawn:
            continue
        # Whoever searches wants to see what was found.
        is_open = name not in closed or bool(words) or only != "all"
        sums = [_sum(role, lines, after[role.id]) for role in shown]
        found.append(
            Row(name, name, heading=True, open=is_open, first=False, codes="", sums=sums, note=str(len(lines)))
        )
        for line in drawn if is_open else ():
            codes = "".join(_code(role, line, draft, may_change=may_change) for role in shown)
            found.append(
                Row(line.name, line.label, heading=False, open=True, first=first, codes=codes, sums=[], note=line.name)
            )
            first = False
    return found


def _after(role: RoleColumn, draft: Draft) -> frozenset[str]:
    changed = draft.get(role.id, {})
    return (role.holds | {p for p, adds in changed.items() if adds}) - {p for p, adds in changed.items() if not adds}


def _is_shown(line: PermissionLine, shown: Sequence[RoleColumn], draft: Draft, only: str) -> bool:
    if only == "changed":
        return any(line.name in draft.get(role.id, {}) for role in shown)
    if only == "differ":
        return len({line.name in role.holds for role in shown}) > 1
    return True


def _sum(role: RoleColumn, lines: Sequence[PermissionLine], after: frozenset[str]) -> str:
    names = {line.name for line in lines}
    was, will, most = len(names & role.holds), len(names & after), len(names)
    if was != will:
        return f"{was} → {will} of {most}"
    return "none" if not will else "all" if will == most else f"{will} of {most}"


def _code(role: RoleColumn, line: PermissionLine, draft: Draft, *, may_change: bool) -> str:
    changed = draft.get(role.id, {}).get(line.name)
    if changed is not None:
        return "+" if changed else "-"
    holds = line.name in role.holds
    if not may_change or why_not_toggle(role, line, adds=not holds):
        return "t" if holds else "f"
    return "1" if holds else "0"


def why_not_toggle(role: RoleColumn, line: PermissionLine, *, adds: bool) -> str:
    """Say why a cell cannot be changed; empty when it can. The operation decides again."""
    if role.why_not or line.why_not:
        return role.why_not or line.why_not
    return f"You hold the role {role.name} yourself, so somebody else must extend it." if adds and role.own else ""


def changes(draft: Draft, versions: Mapping[int, int]) -> list[Change]:
    """Return what is not saved as the operation takes it."""
    return [
        Change(
            role_id,
            versions[role_id],
            sorted(p for p, adds in cells.items() if adds),
            sorted(p for p, adds in cells.items() if not adds),
        )
        for role_id, cells in sorted(draft.items())
        if cells
    ]


def count(draft: Draft) -> int:
    """Count the cells that are changed."""
    return sum(len(cells) for cells in draft.values())


def effect_card(effect: Effect) -> EffectCard:
    """Say what an effect means for whom."""
    verb = "gain" if effect.gains else "lose"
    who = people(effect.people) if effect.people else "Nobody"
    parts = [f"{who} {verb}{'' if effect.people > 1 else 's'} it"]
    if effect.anyway:
        one, more = ("has", "have") if effect.gains else ("keeps", "keep")
        parts.append(f"{effect.anyway:,} {one if effect.anyway == 1 else more} it by another role")
    if effect.deputies:
        parts.append(f"{effect.deputies:,} who stand in for them lose it too")
    rest = effect.people + effect.anyway - len(effect.first)
    return EffectCard(
        key=f"{effect.permission} {effect.gains}",
        gains=effect.gains,
        label=effect.label,
        where=f"{', '.join(effect.roles)} · {effect.permission}",
        summary="; ".join(parts),
        lines=[Line(initials(one.name), one.name, f"/admin/users/{one.user_id}", one.note) for one in effect.first],
        more=f"{people(rest)} more" if rest > 0 else "",
    )


def difference(name: str, by: str, was: frozenset[str], now: frozenset[str]) -> str:
    """Say what somebody else has changed about a role meanwhile."""
    parts = []
    if now - was:
        parts.append("added " + ", ".join(sorted(now - was)))
    if was - now:
        parts.append("took away " + ", ".join(sorted(was - now)))
    return f"{by or 'Somebody else'} changed {name}: {' and '.join(parts) or 'its name or what it asks for'}."
