"""What the documents promise exists: commands, settings with their defaults, files and links."""

import re
import subprocess
import sys

import pytest
import typer.main
from typer.core import TyperGroup

from inventory_app.cli import app
from inventory_app.paths import PROJECT
from inventory_app.settings import Settings

DOCUMENTS = sorted(
    [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")]
)
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE))
#: Commands as documents write them: in backquotes or in a block, at the start or after settings.
_COMMAND = r"(?:^|`|, then `)(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?{} ([a-z][a-z-]*(?: [a-z][a-z-]*)?)"


def text_of(document):
    return document.read_text(encoding="utf-8")


def commands(program):
    """Every use of a program in the documents, as (document, words after it)."""
    pattern = re.compile(_COMMAND.format(program), flags=re.MULTILINE)
    return [(document.name, words) for document in DOCUMENTS for words in pattern.findall(text_of(document))]


def test_the_readmes_two_commands_and_every_other_make_command_in_the_documents_exist():
    used = {(name, words.split()[0]) for name, words in commands("make")}
    assert {("README.md", "run"), ("README.md", "test"), ("CONTRIBUTING.md", "check")} <= used
    assert {use for use in used if use[1] not in TARGETS} == set()


def test_make_help_lists_every_command():
    answer = subprocess.run(["make", "-s", "help"], cwd=PROJECT, capture_output=True, text=True, check=True)
    listed = dict(re.findall(r"^ +make (\S+) +(\S.*)$", answer.stdout, flags=re.MULTILINE))
    assert listed.keys() == TARGETS
    assert set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)[0].split()) == TARGETS


def test_make_without_a_word_lists_them_too():
    runs = [
        subprocess.run(["make", "-s", *goal], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
        for goal in ([], ["help"])
    ]
    assert runs[0] == runs[1]


def test_every_inventory_command_in_the_documents_exists():
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    used = commands("inventory")
    assert {"run", "backup", "database start"} <= {words for _, words in used}
    wrong = []
    for name, words in used:
        first, _, second = words.partition(" ")
        found = root.commands.get(first)
        if found is None or (isinstance(found, TyperGroup) and second and second not in found.commands):
            wrong.append((name, words))
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_what_a_document_links_to_is_there(document):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(document))
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_file_that_a_document_names_is_there(document):
    folders = r"(?:inventory_app|tests|docs|bench|assets|alembic|reflex\.lock|\.ci)"
    named = re.findall(rf"`({folders}/[\w./-]+)`", text_of(document))
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_the_defaults_in_the_table_of_settings_are_the_ones_in_force():
    """What follows from another setting, or from where the output goes, is told in words."""
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", text_of(PROJECT / "docs" / "operating.md"), re.MULTILINE))
    in_words = {
        *("INVENTORY_PUBLIC_URL", "MIGRATION_DATABASE_URL", "INVENTORY_LOG_FORMAT"),
        *("INVENTORY_SECRET_KEY", "INVENTORY_MAIL_FROM"),
    }
    defaults = {
        str(field.alias): "none"
        if field.default is None
        else f"`{int(field.default) if field.default is False else field.default}`"
        for field in Settings.model_fields.values()
        if field.alias not in in_words
    }
    assert {name: default for name, default in told.items() if name not in in_words} == defaults


def test_inventory_help_names_every_command_that_the_readme_names():
    answer = subprocess.run(
        [sys.executable, "-m", "inventory_app.cli", "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    row = re.search(r"\*\*Running it\*\* \| (.*?);", text_of(PROJECT / "README.md"))
    assert row
    names = re.findall(r"`(?:inventory )?([a-z]+)`", row[1])
    assert len(names) > 3
    assert [name for name in names if not re.search(rf"\b{name}\b", answer.stdout)] == []
