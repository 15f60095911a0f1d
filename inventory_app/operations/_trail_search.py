"""What a search of the trail says: `operation:stock.* -outcome:succeeded after:2026-11-17`.

Pure text: read here, spelled back for the URL, and turned into SQL by `_trail_filter.py`.
Times without a zone and days are those of the person who looks; `before:` a day includes that day.
"""

import difflib
import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlmodel import SQLModel

from inventory_app import models
from inventory_app.audit.triggers import is_audited
from inventory_app.operations import _zones

__all__ = ["models"]  # the tables are known once the models are

#: What may stand before a colon, in the order people are told.
QUALIFIERS = ("actor", "operation", "table", "record", "outcome", "ip", "after", "before")
OUTCOMES = ("succeeded", "failed", "denied")
MOST_TERMS = 20
MOST_CHARACTERS = 500
_YEARS = range(1970, 3000)
_DAY = re.compile(r"\d{4}-?\d\d-?\d\d")

_TERM = re.compile(r'(?P<not>-?)(?:(?P<qualifier>[A-Za-z_]*):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))?')


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; without a qualifier it is a word looked for in operation and person."""

    qualifier: str
    value: str
    excluded: bool = False

    def __str__(self) -> str:
        """Spell the term so that reading it gives the same term."""
        needs_marks = re.search(r"\s" if self.qualifier else r"\s|:|^-", self.value)
        value = f'"{self.value}"' if needs_marks else self.value
        return f"{'-' if self.excluded else ''}{self.qualifier}{':' if self.qualifier else ''}{value}"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; `problem` is the sentence that says why the text means nothing."""

    terms: tuple[Term, ...] = ()
    problem: str = ""

    def __str__(self) -> str:
        """Spell the search as it stands in the URL and in the record that somebody looked."""
        return " ".join(map(str, self.terms))

    def values(self, qualifier: str, *, excluded: bool = False) -> list[str]:
        """Return what is asked for under `qualifier`."""
        return [t.value for t in self.terms if t.qualifier == qualifier and t.excluded == excluded]

    def without(self, *terms: Term) -> "Search":
        """Return the search with `terms` taken off."""
        return Search(tuple(t for t in self.terms if t not in terms))

    def adding(self, *terms: Term) -> "Search":
        """Return the search with `terms` added; a date takes the place of the one before."""
        dates = {t.qualifier for t in terms} & {"after", "before"}
        kept = [t for t in self.terms if t.qualifier not in dates]
        return Search((*kept, *(t for t in dict.fromkeys(terms) if t not in kept)))


def read_search(text: str) -> Search:
    """Read what somebody typed or a URL holds; never raises, the sentence is in `problem`."""
    text = text.encode("utf-8", "ignore").decode()  # half a surrogate pair cannot be sent to the database
    text = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    if len(text) > MOST_CHARACTERS:
        return Search(problem=f"This search is too long: use at most {MOST_CHARACTERS} characters.")
    if text.count('"') % 2:
        return Search(problem='A quotation mark is not closed: write actor:"Ann Smith".')
    terms: list[Term] = []
    for found in _TERM.finditer(text):
        if found[0]:
            term, problem = _term(found)
            if problem:
                return Search(problem=problem)
            terms.append(term)
    return _together(tuple(dict.fromkeys(terms)))


def _together(terms: tuple[Term, ...]) -> Search:
    """Refuse what each term allows and all of them do not."""
    if len(terms) > MOST_TERMS:
        return Search(problem=f"This search has too many parts: use at most {MOST_TERMS}.")
    for name in ("after", "before"):
        if sum(t.qualifier == name for t in terms) > 1:
            return Search(problem=f"Say {name}: only once.")
    return Search(terms)


def _term(found: re.Match[str]) -> tuple[Term, str]:
    qualifier, excluded = found["qualifier"], bool(found["not"])
    value = (found["quoted"] if found["quoted"] is not None else found["plain"] or "").strip()
    if qualifier is None:
        what = "A “-” stands right before what is to be left out" if excluded else "There is nothing between the marks"
        return Term("", value, excluded), "" if value else f'{what}: write -actor:ann or "Ann Smith".'
    qualifier = qualifier.lower()
    if qualifier not in QUALIFIERS:
        near = difflib.get_close_matches(qualifier, QUALIFIERS, 1)
        hint = f"Did you mean {near[0]}:?" if near else f"Use {_listed([f'{name}:' for name in QUALIFIERS])}."
        return Term("", ""), f"There is no “{qualifier}:” here. {hint} Text with a colon goes in quotation marks."
    if not value:
        return Term("", ""), f"Say what after “{qualifier}:”, for example {_EXAMPLES[qualifier]}."
    if excluded and qualifier in ("after", "before"):
        other = "before" if qualifier == "after" else "after"
        return Term("", ""), f"A date cannot be left out: use {other}: instead of -{qualifier}:."
    read, problem = _READERS[qualifier](value)
    return Term(qualifier, read, excluded), problem


_EXAMPLES = {
    "actor": 'actor:ann or actor:"Ann Smith"',
    "operation": "operation:stock.transfer_inventory or operation:stock.*",
    "table": "table:product",
    "record": "record:product/12",
    "outcome": "outcome:denied",
    "ip": "ip:10.2.0.18 or ip:10.2.*",
    "after": "after:2026-11-17",
    "before": "before:2026-11-23",
}


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


@lru_cache(maxsize=1)
def tables() -> dict[str, sa.Table]:
    """Return the tables whose changes are in the trail, by name."""
    return {name: t for name, t in sorted(SQLModel.metadata.tables.items()) if is_audited(t)}


def _as_given(value: str) -> tuple[str, str]:
    return value, ""


def _outcome(value: str) -> tuple[str, str]:
    lowered = value.lower()
    return lowered, "" if lowered in OUTCOMES else f"There is no outcome “{value}”. Use {_listed(list(OUTCOMES))}."


def _table(value: str) -> tuple[str, str]:
    lowered = value.lower()
    if lowered in tables():
        return lowered, ""
    near = difflib.get_close_matches(lowered, tables(), 1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(tables())}."
    return lowered, f"No table “{value}” is in the trail. {hint}"


def _record(value: str) -> tuple[str, str]:
    name, slash, pk = value.partition("/")
    if not slash or not pk.strip():
        return value, "A record is a table and its number, for example record:product/12."
    name, problem = _table(name)
    if problem:
        return value, problem
    if not stored_key(name, pk.strip()):
        columns = ",".join(tables()[name].primary_key.columns.keys())
        return value, f"“{pk}” names no record of {name}: write record:{name}/{columns} with the values."
    return f"{name}/{spelled_key(stored_key(name, pk.strip()))}", ""


def stored_key(table: str, key: str) -> str:
    """Return `key` as `audit_change.pk` holds it (`12`, `[3, 2]`, `["pcs"]`); empty when it can be none."""
    columns = list(tables()[table].primary_key.columns)
    if [column.name for column in columns] == ["id"]:
        return str(int(key)) if re.fullmatch(r"[0-9]{1,18}", key) else ""
    try:
        parts = json.loads(key) if key.startswith("[") else key.split(",") if len(columns) > 1 else [key]
        values = [column.type.python_type(part) for column, part in zip(columns, parts, strict=True)]
    except (ValueError, TypeError, OverflowError):
        return ""
    return json.dumps(values, ensure_ascii=False)


def spelled_key(pk: str) -> str:
    """Return the primary key as people write and read it: `12`, `3,2`, `pcs`."""
    return ",".join(map(str, json.loads(pk))) if pk.startswith("[") else pk


def _ip(value: str) -> tuple[str, str]:
    if re.fullmatch(r"[0-9A-Fa-f.:]+\*", value):
        return value.lower(), ""
    try:
        return str(ipaddress.ip_address(value)), ""
    except ValueError:
        return value, f"“{value}” is no address: write ip:10.2.0.18, or the start of one as ip:10.2.*"


def _date(value: str) -> tuple[str, str]:
    return value, "" if moment(value) else f"“{value}” is no date: write it as 2026-11-17, or 2026-11-17T09:30."


_READERS: dict[str, Callable[[str], tuple[str, str]]] = {
    "actor": _as_given,
    "operation": lambda value: (value.lower(), ""),
    "table": _table,
    "record": _record,
    "outcome": _outcome,
    "ip": _ip,
    "after": _date,
    "before": _date,
}


def moment(value: str, zone: str = _zones.UTC_NAME, *, end: bool = False) -> datetime | None:
    """Return the time `value` names by the clocks of `zone` (a day begins, with `end` it is over), if it names one."""
    try:
        at = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    if at.year not in _YEARS:
        return None
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    if _DAY.fullmatch(value):
        return _zones.end(at.date(), zone) if end else _zones.beginning(at.date(), zone)
    return _zones.at(at, zone)


def is_local(term: Term) -> bool:
    """Tell whether what a term means depends on where one is: a day, or a time without a zone."""
    if term.qualifier not in ("after", "before"):
        return False
    return datetime.fromisoformat(term.value.upper()).tzinfo is None
