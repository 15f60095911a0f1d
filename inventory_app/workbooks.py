"""Turn the first sheet of an Excel workbook into CSV: `python -m inventory_app.workbooks FROM TO`.

A program of its own, with limits of its own: a workbook is an archive that may unpack to anything, and reading it
takes memory by its size. What goes wrong here costs the application nothing. Imports nothing of the application.
"""

import csv
import datetime as dt
import errno
import resource
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

#: What the parts of a workbook may be unpacked, and what reading it may take.
MOST_UNPACKED = 512 * 2**20
_MOST_MEMORY = 3 * 2**30
_MOST_SECONDS = 120
#: What it may become as text, and how wide: a cell far to the right makes every row of the file as long.
MOST_WRITTEN = 2**30
MOST_COLUMNS = 2_000
_MOST_PARTS = 2_000
_FIT = 3
_WHOLE = 2**53

NOT_READABLE = "This workbook cannot be read. Open it, save it as .xlsx or CSV (UTF-8) and choose that file."
TOO_LARGE = "This workbook unpacks to more than can be read. Save the sheet as CSV (UTF-8) and choose that file."
EMPTY = "The file is empty."


class Unreadable(Exception):
    """The workbook cannot be read; says why."""


def convert(source: Path, target: Path) -> None:
    """Write the first sheet that holds anything as CSV; raises `Unreadable`."""
    _look_at_the_archive(source)
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415  # only once the archive is sound

    try:
        workbook = CalamineWorkbook.from_path(source)
        for name in workbook.sheet_names:
            rows = _rows(workbook, name)
            if _written(rows, target):
                return
    except (CalamineError, ValueError, OSError) as error:
        raise Unreadable(TOO_LARGE if getattr(error, "errno", 0) == errno.EFBIG else NOT_READABLE) from error
    raise Unreadable(EMPTY)


def _look_at_the_archive(source: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise Unreadable(TOO_LARGE)
            if not any(part.filename.lower() == "xl/workbook.xml" for part in parts):
                raise Unreadable(NOT_READABLE)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise Unreadable(NOT_READABLE) from error


def _rows(workbook: object, name: str) -> Iterator[list[str]]:
    """Yield the rows of a sheet as a person counts them: from the first one, empty ones too."""
    sheet = workbook.get_sheet_by_name(name)  # pyright: ignore[reportAttributeAccessIssue]  # calamine has no types here
    if sheet.start is None:
        return
    first, left = sheet.start
    if left + sheet.width > MOST_COLUMNS:
        raise Unreadable(TOO_LARGE)
    for _ in range(first):
        yield []
    for row in sheet.iter_rows():
        yield [""] * left + [_text(value) for value in row]


def _text(value: object) -> str:
    """Write a cell as a person would type it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    return str(value)


def _written(rows: Iterator[list[str]], target: Path) -> bool:
    some = False
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in rows:
            writer.writerow(row)
            some = some or any(row)
    return some


def main() -> None:
    """Convert, within limits; status 3 and a sentence when the workbook cannot be read."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_WRITTEN, MOST_WRITTEN))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except MemoryError:
        sys.stderr.write(TOO_LARGE)
        sys.exit(_FIT)
    except Unreadable as error:
        sys.stderr.write(str(error))
        sys.exit(_FIT)


if __name__ == "__main__":  # pragma: no cover  # runs in a process of its own
    main()
