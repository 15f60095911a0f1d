"""Where things are: computed from the settings alone, without touching or starting anything.

`rxconfig.py`, alembic and the commands must all name the same database before it runs, so the place of the
embedded cluster and of its socket follows from the data folder by a rule and not from what is found running.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from inventory_app.operator_error import OperatorError

PROJECT = Path(__file__).resolve().parent.parent

SYSTEM_USER = "inventory"
SYSTEM_HOME = Path("/var/lib/inventory")

SUPERUSER_ROLE = "postgres"
OWNER_ROLE = "inventory_owner"
APP_ROLE = "inventory_app"
DATABASE = "inventory"

# A socket's address is at most 107 bytes on Linux and 103 on macOS; the rest is for the temporary names beside it.
LONGEST_SOCKET_PATH = 100
SOCKET_PORT = 5432
FOLDER_FILE = "inventory.json"


@dataclass(frozen=True)
class Cluster:
    """The place of one embedded PostgreSQL cluster: `home` belongs to the user that the server runs as."""

    data_dir: Path
    home: Path

    @property
    def data(self) -> Path:
        """The folder PostgreSQL calls its data directory."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """What the server wrote before its own log files were open: the place to look when it does not start."""
        return self.home / "postgres-start.log"

    @property
    def sockets(self) -> Path:
        """The private folder of the unix socket, short enough to be an address."""
        usual = self.home / "run"
        if len(os.fsencode(usual / f".s.PGSQL.{SOCKET_PORT}")) <= LONGEST_SOCKET_PATH:
            return usual
        return Path("/tmp") / f"inventory-{os.getuid()}-{_digest(self.home)}"  # noqa: S108 - its owner and mode are checked before use

    def url(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """The SQLAlchemy address of a database in this cluster (unix socket, peer authentication)."""
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self.sockets), safe='')}&port={SOCKET_PORT}"


def cluster_of(data_dir: Path) -> Cluster:
    """The cluster of a data folder, whether it exists or not.

    An ordinary user's cluster lies inside the data folder. PostgreSQL refuses to run as root, and the data folder
    of root is closed to other users, so for root it lies under /var/lib/inventory; the data folder remembers
    where, so that moving the data folder does not lose the data.
    """
    data_dir = data_dir.absolute()
    recorded = read_folder_file(data_dir).get("home")
    if isinstance(recorded, str):
        return Cluster(data_dir, Path(recorded))
    if os.geteuid() == 0:
        return Cluster(data_dir, SYSTEM_HOME / f"{_slug(data_dir)}-{_digest(data_dir)}")
    return Cluster(data_dir, data_dir)


def read_folder_file(data_dir: Path) -> dict[str, object]:
    """What the data folder says about itself (`inventory.json`), empty when there is none."""
    file = data_dir / FOLDER_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except PermissionError as error:
        sentence = f"The data folder {data_dir} belongs to somebody else: run as its owner or set INVENTORY_DATA_DIR."
        raise OperatorError(sentence) from error
    except (OSError, ValueError) as error:
        sentence = f"{file} cannot be read ({type(error).__name__}): restore it from a copy of the folder."
        raise OperatorError(sentence) from error
    if not isinstance(content, dict):
        sentence = f"{file} is not what Inventory wrote: restore it from a copy of the folder."
        raise OperatorError(sentence)
    return content


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def _slug(data_dir: Path) -> str:
    """A name that lets a person recognise the folder: `/srv/shop/.data` -> `shop-data`."""
    words = re.findall(r"[a-z0-9]+", "-".join(data_dir.parts[-2:]).lower())
    return "-".join(words)[:24].strip("-") or "data"
