import json
import re
import tomllib

from inventory_app.paths import PROJECT


def _names(requirements):
    return {re.split(r"[\[=<>; ]", line)[0] for line in requirements if line and not line.startswith(("#", "-"))}


def _project():
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _lines(name):
    return (PROJECT / name).read_text(encoding="utf-8").splitlines()


def test_the_project_needs_what_is_locked_and_nothing_else():
    assert set(_project()["dependencies"]) == {line for line in _lines("requirements.in") if line[0] != "#"}
    assert _names(_project()["optional-dependencies"]["dev"]) == _names(_lines("requirements-dev.in"))


def test_every_direct_dependency_is_in_the_lock():
    for name in ("requirements", "requirements-dev"):
        locked = {line.split("==")[0] for line in _lines(f"{name}.lock") if "==" in line}
        assert _names(_lines(f"{name}.in")) <= locked


def test_every_locked_package_has_hashes_and_the_files_name_no_index():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (PROJECT / name).read_text(encoding="utf-8")
        packages = re.findall(r"^\S+==.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+", text, flags=re.MULTILINE)
        assert len(packages) == len(re.findall(r"^\S+==", text, flags=re.MULTILINE)) > 0
        assert "://" not in text
        assert not re.search(r"^--", text, flags=re.MULTILINE)


def test_both_locks_agree_where_they_overlap():
    pins = [
        dict(line.split(" ")[0].split("==") for line in _lines(name) if re.match(r"\S+==", line))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert {name for name in pins[0].keys() & pins[1].keys() if pins[0][name] != pins[1][name]} == set()


def test_the_packages_of_the_pages_are_locked_by_content_and_name_no_registry():
    packages = json.loads((PROJECT / "reflex.lock" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 1
    for path, package in packages.items():
        assert "://" not in package.get("resolved", ""), path
        assert not path or package["integrity"].startswith("sha512-"), path
