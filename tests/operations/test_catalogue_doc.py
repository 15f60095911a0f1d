"""What docs/catalogue.md says in figures and lists is what the code decides by."""

import re

import pytest

from inventory_app import attachments
from inventory_app.operations import (
    _barcodes,
    _change_sets,
    _item_list,
    _trees,
    documents,
    finding,
    lots,
    reorder,
    supplier_products,
    units,
)
from inventory_app.operations.catalog import LOCATION_KINDS
from inventory_app.paths import PROJECT
from inventory_app.permissions import Permission

TEXT = " ".join((PROJECT / "docs" / "catalogue.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("sentence", "figures"),
    [
        (r"A word of (\d+) letters or more", (_item_list._COMPARED,)),
        (r"the up to (\d+) that products have", (_item_list._MOST_SIMILAR,)),
        (r"see that list, (\d+) of each kind", (finding.MOST,)),
        (r"A code of (\d+), (\d+), (\d+) or (\d+) digits", _barcodes._GTIN_LENGTHS),
        (r"text of at most (\d+) characters is a code", (_barcodes.LONGEST,)),
        (r"trees of at most (\d+) levels", (_trees.DEEPEST,)),
        (r"unique code of at most (\d+) characters", (_trees.LONGEST_CODE,)),
        (r"is from (\d+) to (\d+)\.", (lots._EARLIEST.year, lots._LATEST.year)),
        (r"expire soon (\d+) days before", (lots.SOON.days,)),
        (r"has a code of at most (\d+) characters, which never changes", (units._LONGEST_CODE,)),
        (r"counts with 0 to (\d+) decimals", (units.FINEST,)),
        (r"that takes \(at most (\d+)\)", (supplier_products._LONGEST_LEAD,)),
        (r"issued in (\d+) days", (reorder.USAGE_DAYS,)),
        (r"can have (\d+) files of at most (\d+) MB", (documents.MOST, attachments.LARGEST_FILE // 2**20)),
        (r"longer side at most (\d+) pixels", (attachments.SIDE,)),
        (r"set of changes\*\* of at most ([\d,]+) rows", (_change_sets.MOST_ROWS,)),
    ],
)
def test_every_figure_is_the_codes(sentence: str, figures: tuple[int, ...]):
    (found,) = re.finditer(sentence, TEXT)
    assert tuple(int(group.replace(",", "")) for group in found.groups()) == figures


def test_the_kinds_of_locations_are_all_there_in_their_words():
    assert dict(re.findall(r"\| `(\w+)` \| ([\w ]+) \|", TEXT)) == LOCATION_KINDS


def test_the_permissions_it_names_exist():
    named = set(re.findall(r"`(\w+:\w+)`", TEXT))
    assert named
    assert named <= set(Permission)


def test_the_files_it_names_are_those_that_are_kept():
    endings = {
        ending.lstrip(".").upper().replace("JPG", "JPEG") for of in attachments._ENDINGS.values() for ending in of
    }
    (said,) = re.findall(r"MB: ([\w, ]+)\.", TEXT)
    assert {one.upper() for one in re.split(r", | and ", said)} == endings
