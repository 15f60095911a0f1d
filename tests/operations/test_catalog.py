"""Locations: opened once, under a code that means the same whatever its case."""

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid
from inventory_app.operations import catalog
from inventory_app.unit_of_work import read, transact


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let the manager do it."""
    with acting_as(ann):
        yield


def test_a_new_location_can_be_chosen_and_is_in_the_trail(trail):
    shed = transact(catalog.create_location, code=" shed ", name=" The shed ")
    assert shed in read(catalog.choices).locations
    (change,) = trail.changes()
    assert (change.table, change.kind, change.after["code"], change.after["name"]) == (
        "location",
        "insert",
        "SHED",
        "The shed",
    )


@pytest.mark.parametrize(
    ("code", "name", "fields"),
    [
        ("", "Shed", {"code": "Enter a code of at most 20 characters."}),
        ("  ", "Shed", {"code": "Enter a code of at most 20 characters."}),
        ("S" * 21, "Shed", {"code": "Enter a code of at most 20 characters."}),
        ("SHED", " ", {"name": "Enter the location's name."}),
        (
            "",
            "",
            {"code": "Enter a code of at most 20 characters.", "name": "Enter the location's name."},
        ),
    ],
)
def test_what_is_missing_or_too_long_is_said_beside_its_field_and_nothing_is_opened(trail, code, name, fields):
    before = read(catalog.choices).locations
    with pytest.raises(Invalid) as caught:
        transact(catalog.create_location, code=code, name=name)
    assert caught.value.fields == fields
    assert read(catalog.choices).locations == before
    assert trail.last().outcome == "failed"


def test_a_code_of_twenty_characters_is_taken():
    assert transact(catalog.create_location, code="S" * 20, name="Shed") in read(catalog.choices).locations


def test_a_code_is_used_once_whatever_its_case():
    transact(catalog.create_location, code="shed", name="Shed")
    before = read(catalog.choices).locations
    with pytest.raises(Conflict, match=r"^A location of this code exists\.$"):
        transact(catalog.create_location, code="Shed", name="Another")
    assert read(catalog.choices).locations == before


def test_a_location_is_of_a_kind_that_there_is():
    with pytest.raises(Invalid) as refused:
        transact(catalog.create_location, code="MOON", name="Moon", kind="moon")
    assert refused.value.fields == {"kind": "Choose one of the list."}
