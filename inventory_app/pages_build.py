"""The pages as the browser gets them: built when their sources changed, complete or absent.

Reflex compiles and builds in `.web`, where an interrupted run leaves half a build. What the server uses is a copy in
`.build/pages-<key>`, renamed into place when it is whole and named after everything it was made from.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from inventory_app.data_folder import FileLock, disk_errors
from inventory_app.operator_error import OperatorError
from inventory_app.paths import PROJECT

BUILD = PROJECT / ".build"
LOCKED_PACKAGES = PROJECT / "reflex.lock"
_SOURCES = ("inventory_app", "assets", "rxconfig.py", "reflex.lock", ".npmrc")
# What the running server reads of a build (Reflex 0.10.1); a browser test passes with just these.
_PARTS = ("build", "backend", "routes.json")
_KEPT_BUILDS = 2
_LAST_LINES = 30
_NOISE = re.compile(r"npm (silly|verbose|http|info|timing)|\d{13}$|reifyNode:")


def ensure() -> Path:
    """The folder with the finished pages of these sources, built now if there is none."""
    finished = _finished()
    if finished.is_dir():
        return finished
    with disk_errors("building the pages", BUILD):
        BUILD.mkdir(exist_ok=True)
        lock = FileLock(BUILD / "pages.lock")
        try:
            lock.take()
            # Anew: somebody else may have built them while we waited, and a build rewrites reflex.lock/ until it ends.
            finished = _finished()
            if not finished.is_dir():
                _say("Building the pages (about a minute the first time, less after a change) ...")
                _reflex_export()
                _publish(finished)
        finally:
            lock.close()
    return finished


def _finished() -> Path:
    return BUILD / f"pages-{key()}"


def key() -> str:
    """A digest of everything the pages are made from."""
    digest = hashlib.sha256(metadata.version("reflex").encode())
    for file in sorted(_source_files()):
        digest.update(f"{file.relative_to(PROJECT)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _source_files() -> Iterator[Path]:
    for name in _SOURCES:
        source = PROJECT / name
        files = source.rglob("*") if source.is_dir() else [source]
        # Reflex links the assets of its own packages into assets/external while it builds.
        yield from (
            file
            for file in files
            if file.is_file() and "__pycache__" not in file.parts and "external" not in file.relative_to(PROJECT).parts
        )


def build_environment() -> dict[str, str]:
    """The environment in which Reflex builds: our Node, our npm settings, nothing sent anywhere."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("REFLEX_", "__REFLEX_"))}
    # The wheel's node and npm are commands beside this interpreter.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return environment | {
        "NPM_CONFIG_REGISTRY": _npm_registry(environment),
        "REFLEX_USE_NPM": "1",
        "REFLEX_DIR": str(BUILD / "reflex"),
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "NO_COLOR": "1",
        "CI": "1",
    }


def _npm_registry(environment: dict[str, str]) -> str:
    """The registry npm is set to; unless told, Reflex would ask several on the internet which is fastest."""
    command = ["npm", "config", "get", "registry"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def _reflex_export() -> None:
    """Run Reflex's own build; packages it wants beyond the lock are an error, not an update."""
    log = BUILD / "pages.log"
    locked = _locked_packages()
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    with log.open("w", encoding="utf-8") as output:
        result = subprocess.run(
            command,
            cwd=PROJECT,
            env=build_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if result.returncode:
        text = log.read_text(encoding="utf-8", errors="replace")
        if "ENOSPC" in text or "No space left on device" in text:
            raise OperatorError(
                f"The disk is full while building the pages: free some space at {PROJECT} and start again."
            )
        # npm tells its whole life when it fails; what it died of is in the lines that do not begin like these.
        lines = [line for line in text.splitlines() if line.strip() and not _NOISE.match(line)]
        _say("\n".join(lines[-_LAST_LINES:]))
        raise OperatorError(f"The pages could not be built: the lines above are the end of {log}.")
    written = _locked_packages()
    if written != locked:
        # Reflex writes them anew in whatever order it has at hand: what is committed stays as it is, byte for byte.
        for name, content in locked.items():
            (LOCKED_PACKAGES / name).write_bytes(content)
    if _meaning(written) != _meaning(locked):
        raise OperatorError(
            "The pages need packages that reflex.lock/ does not hold: run `make lock` and commit the result."
        )


def _locked_packages() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(LOCKED_PACKAGES.glob("*.json"))}


def _meaning(packages: dict[str, bytes]) -> dict[str, object]:
    """What the locked files say, whatever the order of their keys."""
    return {name: json.loads(content) for name, content in packages.items()}


def update_lock() -> None:
    """Let Reflex and npm choose the packages anew and keep the result in reflex.lock/ (for `make lock`)."""
    with disk_errors("locking the packages of the pages", BUILD):
        BUILD.mkdir(exist_ok=True)
        shutil.rmtree(PROJECT / ".web", ignore_errors=True)
        shutil.rmtree(LOCKED_PACKAGES, ignore_errors=True)
        LOCKED_PACKAGES.mkdir()
        # An empty set of locked files is what lets the build below write them.
        command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
        subprocess.run(command, cwd=PROJECT, env=build_environment(), check=True)
    content = (LOCKED_PACKAGES / "package-lock.json").read_text(encoding="utf-8")
    if re.search(r'"resolved": "https?:', content):
        raise OperatorError(
            "reflex.lock/package-lock.json names a registry: see .npmrc (omit-lockfile-registry-resolved)."
        )


def _publish(finished: Path) -> None:
    """Copy the parts of the build that the server needs, and rename: whole or not there."""
    part = finished.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for name in _PARTS:
        source = PROJECT / ".web" / name
        if source.is_dir():
            shutil.copytree(source, part / name)
        else:
            shutil.copy2(source, part / name)
    part.rename(finished)
    # A server that still runs may be serving the build before this one; older ones nobody needs.
    builds = sorted(BUILD.glob("pages-*[!t]"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for old in [folder for folder in builds if folder.is_dir()][_KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
