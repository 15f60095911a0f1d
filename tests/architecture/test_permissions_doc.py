"""docs/permissions.md says what the code does."""

import re
from pathlib import Path

from inventory_app.permissions import DEFAULT_ROLES, NEEDS_A_PERSON, Permission

PAGE = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text(encoding="utf-8")


def _rows() -> dict[str, list[str]]:
    rows = (re.findall(r"[^|]+", line) for line in PAGE.splitlines() if line.startswith("| `"))
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in rows}


def test_it_lists_every_permission_with_its_label_and_the_roles_that_have_it():
    assert list(_rows()) == [permission.value for permission in Permission]
    for permission in Permission:
        label, *held = _rows()[permission.value]
        expected = ["yes" if permission in permissions else "–" for _, permissions in DEFAULT_ROLES.values()]
        assert (label, held) == (permission.label, expected), permission


def test_it_describes_every_role():
    for name, (description, _) in DEFAULT_ROLES.items():
        assert f"- `{name}`: {description}." in PAGE


def test_it_names_what_machines_cannot_do():
    line = next(line for line in PAGE.splitlines() if "Machines" in line)
    assert set(re.findall(r"`([a-z]+:[a-z_]+)`", line)) == set(NEEDS_A_PERSON)
