"""A file of rows, read as a stream: what its header says first, then row by row, however long it is.

Whatever bytes come in, the answer is rows, faults or `Invalid` with one sentence. Rows are numbered as a spreadsheet
shows them (the header is 1). A workbook is turned into CSV first, by a program of its own.
"""

import csv
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory_app import workbooks
from inventory_app.errors import Invalid
from inventory_app.operations import _csv
from inventory_app.paths import PROJECT

#: Bytes of a file, and rows.
LARGEST_FILE = 64 * 2**20
MOST_ROWS = 1_000_000
_PIECE = 64 * 1024
_ZIP = b"PK\x03\x04"
_MOST_SECONDS = 180
_MARKED = ("'=", "'+", "'-", "'@")
#: Rows that are shown beside the choice of columns.
_SHOWN = 5
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written."""

    encoding: str
    delimiter: str

    def kept(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"encoding": self.encoding, "delimiter": self.delimiter}


@dataclass(frozen=True, slots=True)
class Looked:
    """What the beginning of a file says."""

    header: tuple[str, ...]
    layout: Layout
    notices: tuple[str, ...]
    first: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row: its number, its values, and what is wrong with it as a whole (column, sentence)."""

    number: int
    values: Sequence[str]
    fault: tuple[str, str] | None = None


def as_text(path: Path) -> Path:
    """Return the file as text: itself, or the CSV a workbook was turned into, which takes its place."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start.startswith(_ZIP):
        return path
    target = path.with_suffix(".text")
    # Without -I the program would look for modules where it is started.
    command = [sys.executable, "-m", "inventory_app.workbooks", str(path), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_MOST_SECONDS, check=False, cwd=PROJECT)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            known = (workbooks.NOT_READABLE, workbooks.TOO_LARGE, workbooks.EMPTY)
            raise Invalid(said if said in known else workbooks.TOO_LARGE)
    except subprocess.TimeoutExpired:
        raise Invalid(workbooks.TOO_LARGE) from None
    else:
        target.replace(path)
    finally:
        target.unlink(missing_ok=True)
    return path


def look_at(path: Path, known: Collection[str]) -> Looked:
    """Read the header and the first rows; `known` are the `plain` names of columns. Raises `Invalid`."""
    encoding, notices = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        beginning = file.read(_PIECE)
    _csv.check_beginning(beginning)
    delimiter = _csv.delimiter_of(beginning, known)
    layout = Layout(encoding, delimiter)
    header: tuple[str, ...] | None = None
    first: list[tuple[str, ...]] = []
    for row in _records(path, layout):
        if row is None:
            raise Invalid(_csv.BROKEN_HEADER) if header is None else Invalid(_csv.BROKEN_FIRST_ROWS)
        if not any(row):
            continue
        if header is None:
            header = _csv.names_of(row)
        else:
            first.append(tuple(_shown(value) for value in row[: len(header)]))
        if len(first) == _SHOWN:
            break
    if header is None:
        raise Invalid("The file is empty.")
    if not first:
        raise Invalid("The file has a header and no rows.")
    return Looked(header, layout, notices, tuple(first))


def _shown(value: str) -> str:
    """Return a value as it can be shown and kept, whatever is in it."""
    return "".join(character if character.isprintable() else "�" for character in value[:_LONGEST_SHOWN])


def rows(path: Path, layout: Layout, header: Sequence[str]) -> Iterator[FileRow]:
    """Yield the rows below the header, faulty ones too; raises `Invalid` when there are too many."""
    number, found, names = 0, 0, tuple(header)
    seen_header = False
    for values in _records(path, layout):
        number += 1
        if values is None:
            yield FileRow(number, (), (names[0], _csv.BROKEN_QUOTES))
            return
        if not any(values):
            continue
        if not seen_header:
            seen_header = True
            continue
        found += 1
        if found > MOST_ROWS:
            raise Invalid(f"The file has more than {MOST_ROWS:,} rows. Split it and import the parts one by one.")
        fault = _csv.ragged(number, values, names) if len(values) != len(names) else None
        yield FileRow(number, values, fault and (fault[1], fault[2]))


def has_quotes(path: Path) -> bool:
    """Tell whether there is a quotation mark anywhere in the file."""
    with path.open("rb") as file:
        return any(b'"' in piece for piece in iter(lambda: file.read(_PIECE), b""))


def _records(path: Path, layout: Layout) -> Iterator[list[str] | None]:
    """Yield every record, None where reading has to stop."""
    with path.open(encoding=layout.encoding, newline="") as file:
        records = csv.reader(file, delimiter=layout.delimiter, strict=True)
        while True:
            try:
                yield [_told(value.strip()) for value in next(records)]
            except StopIteration:
                return
            except csv.Error:
                yield None
                return


def _told(value: str) -> str:
    """Return a value without the mark that keeps a spreadsheet from running it, as our own exports have it."""
    return value[1:] if value.startswith(_MARKED) else value


def _encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """Tell how the text is written by reading all of it once, and say so when it is not UTF-8."""
    with path.open("rb") as file:
        _csv.check_signature(file.read(8))
    if _reads(path, "utf-8-sig"):
        return "utf-8-sig", ()
    # Nearly every sequence of bytes is Windows-1252: what holds control characters is no text in it.
    if not _reads(path, "cp1252", plain_text=True):
        raise Invalid(_csv.NOT_TEXT)
    return "cp1252", (_csv.READ_AS_WINDOWS,)


def _reads(path: Path, encoding: str, *, plain_text: bool = False) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while piece := file.read(_PIECE):
                if plain_text and _csv.CONTROL.search(piece):
                    return False
    except UnicodeDecodeError:
        return False
    return True
