"""Workbooks that would fill a disk or a memory: read in a program of its own, which ends with a sentence."""

import subprocess
import sys

import pytest
import xlsxwriter

from inventory_app import workbooks

_LITTLE = "from inventory_app import workbooks; workbooks.MOST_WRITTEN = 4_000; workbooks.main()"


def converted(tmp_path, cells, *, program=("-m", "inventory_app.workbooks")):
    """Convert a workbook of these cells; returns the status, what was said, and the text."""
    source, target = tmp_path / "from.xlsx", tmp_path / "to.csv"
    with xlsxwriter.Workbook(str(source)) as book:
        sheet = book.add_worksheet()
        for row, column, value in cells:
            sheet.write(row, column, value)
    done = subprocess.run(
        [sys.executable, *program, str(source), str(target)], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stderr, target.read_text() if target.exists() else ""


@pytest.mark.parametrize("cells", [[(0, 16_383, "far")], [(0, 0, "sku"), (1, 2_000, "far")]])
def test_a_cell_far_to_the_right_does_not_make_every_row_as_long(tmp_path, cells):
    assert converted(tmp_path, cells) == (3, workbooks.TOO_LARGE, "")


def test_what_is_wide_and_not_too_wide_is_read(tmp_path):
    status, said, text = converted(tmp_path, [(0, 0, "sku"), (0, 1_999, "far")])
    assert (status, said, text.count(",")) == (0, "", 1_999)


def test_the_text_of_a_workbook_ends_where_the_disk_is_to_be_spared(tmp_path):
    cells = [(row, 0, "x" * 1_000) for row in range(10)]
    status, said, text = converted(tmp_path, cells, program=("-c", _LITTLE))
    # Whoever measures which lines are run there may complain as well: nothing more can be written.
    assert (status, said[: len(workbooks.TOO_LARGE)]) == (3, workbooks.TOO_LARGE)
    assert len(text) <= 4_000
