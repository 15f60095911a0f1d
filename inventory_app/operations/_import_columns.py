"""Which column of a file is which of our fields, and what a row is as our fields."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from inventory_app.models._base import sort_key
from inventory_app.operations._csv import plain
from inventory_app.operations._import_fields import FIELDS, KINDS, REQUIRED, Kind
from inventory_app.operations._numbers import NumberStyle


def folded(name: str) -> str:
    """Return a column's name without case, accents, blanks and punctuation."""
    return plain(sort_key(name))


def known_names(kind: Kind) -> set[str]:
    """Return every name a column of this kind may have."""
    return {folded(name) for field in FIELDS[kind].values() for name in field.names}


def guessed(kind: Kind, header: Sequence[str]) -> dict[str, int]:
    """Return which of our fields probably stands in which column; of two alike, the first."""
    fields = {}
    for field, about in FIELDS[kind].items():
        for name in about.names:
            fields.setdefault(folded(name), field)
    mapping: dict[str, int] = {}
    for position, name in enumerate(header):
        field = fields.get(folded(name))
        if field is not None:
            mapping.setdefault(field, position)
    return mapping


def signature(header: Sequence[str]) -> str:
    """Return what a remembered choice of columns is found by."""
    return "|".join(folded(name) for name in header)


def missing(kind: Kind, mapping: Iterable[str]) -> list[str]:
    """Name what has no column and needs one."""
    present = set(mapping)
    return [
        " or ".join(FIELDS[kind][field].label for field in group)
        for group in REQUIRED[kind]
        if not present & set(group)
    ]


def looks_like(kind: Kind, header: Sequence[str]) -> Kind | None:
    """Return the other kind whose columns a file has, more of them than of its own; None when it fits no other."""
    known = len(guessed(kind, header))
    for other in KINDS:
        columns = guessed(other, header)
        if len(columns) > known and not missing(other, columns):
            return other
    return None


#: Texts that are searched or sorted by, and where their folded form goes.
_FOLDED = {"name": "_name", "sku": "_sku", "barcode": "_barcode"}


def reader(
    kind: Kind, mapping: Mapping[str, int], style: NumberStyle
) -> Callable[[Sequence[str], dict[str, str]], dict[str, object]]:
    """Return what reads a row: values by our fields; what is wrong goes into the dict that is handed over.

    Empty cells say nothing, except where something is needed.
    """
    columns = [(field, position, FIELDS[kind][field]) for field, position in mapping.items()]
    ask_for_the_needed = _needed(kind, mapping)

    def read(values: Sequence[str], faults: dict[str, str]) -> dict[str, object]:
        data: dict[str, object] = {}
        asides: list[tuple[str, str]] = []
        for field, position, about in columns:
            if not values[position]:
                continue
            try:
                value = about.read(values[position], style)
                if about.aside is not None and (more := about.aside[0](values[position], style)):
                    asides.append((about.aside[1], more))
            except ValueError as error:
                faults[field] = str(error)
                continue
            to = about.to or field
            if value is None or (to != "active" and to in data):
                continue
            # Two columns may say whether it is in use: both must agree.
            data[to] = data[to] and value if to in data else value
            if to in _FOLDED:
                text = str(value)
                data[_FOLDED[to]] = text.lower() if text.isascii() else sort_key(text)
        for field, more in asides:
            data[field] = f"{data[field]}\n{more}" if field in data else more
        ask_for_the_needed(data, faults)
        return data

    return read


def _needed(kind: Kind, mapping: Iterable[str]) -> Callable[[Mapping[str, object], dict[str, str]], None]:
    """Return what finds the cells that are empty and must not be."""
    present = set(mapping)
    groups = [
        (field, {FIELDS[kind][one].to or one for one in group}, set(group))
        for group in REQUIRED[kind]
        for field in [one for one in group if one in present][:1]
    ]

    def ask(data: Mapping[str, object], faults: dict[str, str]) -> None:
        for field, filled, fields in groups:
            if not filled & data.keys() and not fields & faults.keys():
                faults[field] = "Please fill this in."

    return ask
