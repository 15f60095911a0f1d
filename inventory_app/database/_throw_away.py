"""Marking and removing the throw-away clusters of tests; the one place that removes folders of a cluster.

A folder is removed only if it holds a mark that names *that very folder*, and only folders that we found empty are
marked. Nothing is ever removed because of a path read from somewhere else: an earlier version did that, met a mark
that was still being written, took the empty text for the current folder, and removed a project.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from inventory_app.data_folder import FOLDER_LOCK
from inventory_app.paths import FOLDER_FILE, SYSTEM_HOME, Cluster

_MARK = "throw-away-cluster"
PREFIX = "inventory-test-"
# What any data folder holds before it holds data; other processes may be writing it just now.
_FOLDERS_OWN = {
    FOLDER_FILE,
    FOLDER_LOCK,
    Path(FOLDER_FILE).with_suffix(".part").name,
    f"{_MARK}.part",
    "data-folder",
}


def is_marked(folder: Path) -> bool:
    """Whether the folder is a throw-away one: absolute, no link, and its own mark names it."""
    return _marked_as(folder) is not None


def _marked_as(folder: Path) -> Cluster | None:
    """The cluster that the folder belongs to according to its own mark."""
    mark = folder / _MARK
    if not folder.is_absolute() or folder.is_symlink() or not mark.is_file():
        return None
    match mark.read_text(encoding="utf-8").split("\n"):
        case [itself, home, data_dir, ""] if itself == str(folder) and itself in {home, data_dir}:
            return Cluster(Path(data_dir), Path(home))
    return None


def mark(cluster: Cluster, ours: set[str]) -> None:
    """Mark both folders of a new cluster; refuses a folder that holds anything but the files in `ours`."""
    for folder in (cluster.home, cluster.data_dir):
        if is_marked(folder):
            continue
        strange = {entry.name for entry in folder.iterdir()} - ours - _FOLDERS_OWN
        if strange:
            msg = f"{folder} holds real data ({', '.join(sorted(strange))}): it is not run without fsync."
            raise ValueError(msg)
        part = folder / f"{_MARK}.part"
        part.write_text(f"{folder}\n{cluster.home}\n{cluster.data_dir}\n", encoding="utf-8")
        part.replace(folder / _MARK)


def remove(cluster: Cluster) -> None:
    """Remove the folders of a throw-away cluster; a folder without its own mark is left alone."""
    if is_marked(cluster.home):
        for socket in cluster.sockets.glob(".s.PGSQL.*"):
            socket.unlink(missing_ok=True)
        if cluster.sockets.is_dir():
            cluster.sockets.rmdir()
    for folder in {cluster.home, cluster.data_dir}:
        if is_marked(folder):
            shutil.rmtree(folder, onerror=_unless_gone)
    # The empty folder that mkdtemp made around it, if it is one.
    around = cluster.data_dir.parent
    ours = around.name.startswith(PREFIX) and around.parent == Path(tempfile.gettempdir())
    if ours and around.is_dir() and not any(around.iterdir()):
        around.rmdir()


def _unless_gone(_: object, __: str, error: tuple[type[BaseException], BaseException, object]) -> None:
    """Go on where somebody else has removed it: the locks that would keep two from it are in the folder itself."""
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]


def found() -> Iterator[Cluster]:
    """Every marked cluster of this user on the machine."""
    candidates = [*SYSTEM_HOME.glob("*"), *Path(tempfile.gettempdir()).glob(f"{PREFIX}*/data")]
    for folder in candidates:
        cluster = _marked_as(folder)
        if cluster and cluster.home == folder and (folder / _MARK).stat().st_uid == os.geteuid():
            yield cluster
