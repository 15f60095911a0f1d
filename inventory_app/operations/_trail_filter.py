"""A search of the trail as SQL, shaped so that each kind of condition has an index to stand on.

Names with `*` and bare words are first looked up among the names that occur (a loose index scan,
some twenty microseconds a name), so that the trail itself is only ever asked for equal names.
"""

import fnmatch
import re
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.models._base import sort_key
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations._paging import like_escaped
from inventory_app.operations._trail_search import Search, moment, stored_key

_OP = audit_operation.c
_CHANGE = audit_change.c
Condition = sa.ColumnElement[bool]


def conditions(session: Session, search: Search, zone: str) -> list[Condition]:
    """Return what must hold of an operation so that `search` finds it; its days are those of `zone`."""
    found: list[Condition] = []
    for qualifier, made in _MAKERS.items():
        if wanted := search.values(qualifier):
            found.append(made(session, wanted))
        # COALESCE: an unknown address is not the address that is left out.
        found.extend(
            sa.not_(sa.func.coalesce(made(session, [value]), sa.false()))
            for value in search.values(qualifier, excluded=True)
        )
    # Every word must be found, unlike the values of one qualifier, of which one is enough.
    found.extend(_word(session, value) for value in search.values(""))
    found.extend(sa.not_(_word(session, value)) for value in search.values("", excluded=True))
    found.extend(_OP.recorded_at >= moment(value, zone) for value in search.values("after"))
    found.extend(_OP.recorded_at < moment(value, zone, end=True) for value in search.values("before"))
    return found


def _one_of(column: sa.ColumnElement[str], values: list[str]) -> Condition:
    """Prefer `=`: with it the index also gives the order, with a list it does not."""
    if not values:
        return sa.false()
    return column == values[0] if len(values) == 1 else column.in_(values)


def _actor(session: Session, values: list[str]) -> Condition:
    names: list[str] = []
    for value in values:
        if "*" in value:
            names += names_like(_occurring(session, _OP.actor_name), value)
            continue
        people = session.exec(
            select(LocalUser.username)
            .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
            .where(
                sa.or_(sa.func.lower(LocalUser.username) == value.lower(), col(UserInfo.sort_key) == sort_key(value))
            )
        )
        names += {value, *people}
    return _one_of(_OP.actor_name, sorted(set(names)))


def _operation(session: Session, values: list[str]) -> Condition:
    names: list[str] = []
    for value in values:
        names += names_like(_occurring(session, _OP.name), value) if "*" in value else [value]
    return _one_of(_OP.name, sorted(set(names)))


def _outcome(_: Session, values: list[str]) -> Condition:
    condition = _one_of(_OP.outcome, values)
    if "succeeded" in values:
        return condition
    # Spelled out, so that the planner proves the partial index of refusals also with bound parameters.
    return sa.and_(condition, sa.text("audit_operation.outcome <> 'succeeded'"))


def _ip(_: Session, values: list[str]) -> Condition:
    return sa.or_(
        *[
            _OP.client_ip.like(f"{like_escaped(value[:-1])}%") if value.endswith("*") else _OP.client_ip == value
            for value in values
        ]
    )


def _table(_: Session, values: list[str]) -> Condition:
    return _changed(_one_of(_CHANGE.table_name, values))


def _record(_: Session, values: list[str]) -> Condition:
    pairs = [value.split("/", 1) for value in values]
    return _changed(
        sa.or_(*[sa.and_(_CHANGE.table_name == table, _CHANGE.pk == stored_key(table, key)) for table, key in pairs])
    )


_MAKERS = {
    "actor": _actor,
    "operation": _operation,
    "outcome": _outcome,
    "ip": _ip,
    "table": _table,
    "record": _record,
}


def _changed(what: Condition) -> Condition:
    """Tell whether the operation has such a change; both carry the time of the same transaction."""
    same = sa.and_(_CHANGE.operation_id == _OP.id, _CHANGE.recorded_at == _OP.recorded_at)
    return sa.exists().where(same, what).correlate(audit_operation)


def _word(session: Session, word: str) -> Condition:
    """Find a word in the operation's name or one of the person's, or the id it is."""
    pattern = f"*{word}*"
    called_so = session.exec(
        select(LocalUser.username)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(col(UserInfo.sort_key).like(f"%{like_escaped(sort_key(word))}%"))
    )
    people = {*names_like(_occurring(session, _OP.actor_name), pattern), *called_so}
    either = [
        _one_of(_OP.name, names_like(_occurring(session, _OP.name), pattern)),
        _one_of(_OP.actor_name, sorted(people)),
    ]
    if re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", word):
        either.append(_OP.id == UUID(word))
    return sa.or_(*either)


def names_like(names: Iterable[str], pattern: str) -> list[str]:
    """Return the names that `pattern` means, whatever their case; `*` stands for any characters."""
    # Only `*` means something; fnmatch knows more.
    shape = re.compile(fnmatch.translate(re.sub(r"[\[?]", r"[\g<0>]", pattern.casefold())))
    return [name for name in names if shape.match(name.casefold())]


def _occurring(session: Session, column: sa.Column[str]) -> list[str]:
    """Return the distinct values of an indexed column by hopping from one to the next."""
    first = sa.select(sa.func.min(column).label("value")).cte("occurring", recursive=True)
    following = sa.select(sa.select(sa.func.min(column)).where(column > first.c.value).scalar_subquery()).where(
        first.c.value.is_not(None)
    )
    hops = first.union_all(following)
    return list(session.scalars(sa.select(hops.c.value).where(hops.c.value.is_not(None))))
