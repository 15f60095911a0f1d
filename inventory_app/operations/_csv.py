"""A file of rows as a spreadsheet saves it, read without knowing what the rows mean.

Whatever bytes come in, the answer is a `Sheet` or `Invalid` with one sentence: what the file is
instead, or what is wrong with it. Rows are numbered as a spreadsheet shows them (the header is 1).
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from inventory_app.errors import Invalid

#: Bytes of a file.
LARGEST_FILE = 10 * 1024 * 1024
MOST_ROWS = 50_000

#: What is wrong where: row, column as the file calls it, sentence.
Fault = tuple[int, str, str]

_SAVE_AS = "Save the sheet as CSV (UTF-8) and choose that file."
_SIGNATURES = (
    (b"PK\x03\x04", f"This is an Excel workbook or a zip archive, not a CSV file. {_SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"This is an old Excel workbook, not a CSV file. {_SAVE_AS}"),
    (b"%PDF", f"This is a PDF, not a CSV file. {_SAVE_AS}"),
    (b"\xff\xfe", f"This file is written in UTF-16. {_SAVE_AS}"),
    (b"\xfe\xff", f"This file is written in UTF-16. {_SAVE_AS}"),
)
NOT_TEXT = f"This is not a text file. {_SAVE_AS}"
READ_AS_WINDOWS = "The file is not UTF-8: it was read as Windows-1252. Check the accents before you import."
BROKEN_QUOTES = (
    "cannot be read: a quotation mark is missing or in the wrong place, or a value is longer than 131,072 characters. "
    "The rows below it were not looked at."
)
BROKEN_FIRST_ROWS = f"The first rows cannot be read. {_SAVE_AS}"
BROKEN_HEADER = "The first row cannot be read: a quotation mark is missing or in the wrong place."
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DELIMITERS = (",", ";", "\t")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number, and as many values as the header has names."""

    number: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Header, rows, the rows that could not be read, and how the file was read if that needs saying."""

    header: tuple[str, ...]
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]
    notices: tuple[str, ...]


#: Nobody's list has more; reading on would only keep a thread busy.
_LONGEST_HEADER = 64 * 1024
_MOST_COLUMNS = 200
_NOT_A_HEADER = f"The first line is no header: it is longer than a list of {_MOST_COLUMNS} columns."


def plain(name: str) -> str:
    """Return a column's name without case, blanks and punctuation: `Unit Price` is `unit_price`."""
    return "".join(character for character in name.casefold() if character.isalnum())


def read(content: bytes, known: Collection[str]) -> Sheet:
    """Read a file; `known` are the `plain` names of columns, which tell the delimiter. Raises `Invalid`."""
    text, notices = _text(content)
    rows = _numbered(text, delimiter_of(text, known))
    header = next((values for _, values in rows if values is None or values), [])
    if not header:
        raise Invalid("The file is empty." if header is not None else BROKEN_HEADER)
    names = names_of(header)
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, values in rows:
        if values is None:
            faults.append((number, names[0], BROKEN_QUOTES))
        elif any(values):
            fault = ragged(number, values, names)
            if fault:
                faults.append(fault)
            else:
                lines.append(Line(number, tuple(values[: len(names)])))
        if len(lines) + len(faults) > MOST_ROWS:
            raise Invalid(f"The file has more than {MOST_ROWS:,} rows. Split it and import the parts one by one.")
    if not lines and not faults:
        raise Invalid("The file has a header and no rows.")
    return Sheet(names, tuple(lines), tuple(faults), notices)


def _text(content: bytes) -> tuple[str, tuple[str, ...]]:
    """Decode the bytes, and say so when they are not UTF-8."""
    if len(content) > LARGEST_FILE:
        raise Invalid(f"The file is larger than {LARGEST_FILE // 2**20} MB. Split it and import the parts one by one.")
    check_signature(content)
    notices: tuple[str, ...] = ()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise Invalid(NOT_TEXT) from None
        # Nearly every sequence of bytes is Windows-1252: what holds control characters is no text in it.
        if CONTROL.search(text):
            raise Invalid(NOT_TEXT) from None
        notices = (READ_AS_WINDOWS,)
    check_beginning(text)
    return text, notices


def check_signature(content: bytes) -> None:
    """Raise `Invalid` for a file that says by its first bytes that it is something else."""
    for signature, sentence in _SIGNATURES:
        if content.startswith(signature):
            raise Invalid(sentence)


def check_beginning(text: str) -> None:
    """Raise `Invalid` when the first line is no header."""
    if text.find("\n") > _LONGEST_HEADER or ("\n" not in text and len(text) >= _LONGEST_HEADER):
        raise Invalid(_NOT_A_HEADER)
    # Further down, a control character is a fault of its row; in the first line the file is something else.
    if CONTROL.search(text.lstrip().partition("\n")[0]):
        raise Invalid(NOT_TEXT)


def names_of(header: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns, fit for a sentence; raises `Invalid` when there are too many."""
    if len(header) > _MOST_COLUMNS:
        raise Invalid(_NOT_A_HEADER)
    return tuple(_shown(name) or f"column {position}" for position, name in enumerate(header, start=1))


def delimiter_of(text: str, known: Collection[str]) -> str:
    """Return the delimiter that makes the most sense of the header: known names first, then most columns."""

    def sense(delimiter: str) -> tuple[int, int]:
        header = next((values for _, values in _numbered(text, delimiter) if values), None) or []
        return sum(plain(name) in known for name in header), len(header)

    return max(_DELIMITERS, key=sense)


def _numbered(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Yield every row with its number, empty ones too; None for the row where reading had to stop."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield number, None
            return
        stripped = [value.strip() for value in values]
        yield number, stripped if any(stripped) else []


def ragged(number: int, values: list[str], names: tuple[str, ...]) -> Fault | None:
    """Say which column a row lacks, or that it has more values than columns; empty ones at the end are none."""
    if len(values) < len(names):
        what = f"is missing: the row has {len(values)} values and the header {len(names)} names."
        return number, names[len(values)], what
    if any(values[len(names) :]):
        what = (
            f"is followed by more values: the row has {len(values)} and the header {len(names)} names. "
            "A value that contains the delimiter must stand in quotation marks."
        )
        return number, names[-1], what
    return None


def _shown(name: str) -> str:
    """Return a column's name fit for a sentence."""
    return "".join(character if character.isprintable() else "�" for character in name)[:_LONGEST_NAME]
