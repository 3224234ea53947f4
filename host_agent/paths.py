"""Where the agent keeps its things on this computer."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import platformdirs

from host_agent.errors import ConfigError

_SOCKET_PATH_MAX = 100  # sun_path is 104 bytes on macOS, 108 on Linux


class Paths(NamedTuple):
    """One agent's state folder; nothing here touches the disk until `ensure` is called."""

    home: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "cytowatch.db"

    @property
    def keys(self) -> Path:
        """Folder of key files, 0700."""
        return self.home / "keys"

    @property
    def accounts(self) -> Path:
        """Folder of people's sealed signing keys, 0700."""
        return self.home / "accounts"

    @property
    def config(self) -> Path:
        """The configuration read when no --config is given."""
        return self.home / "config.toml"

    @property
    def socket(self) -> Path:
        """The control socket; a long home gets a short hashed path in this user's runtime folder."""
        path = self.home / "agent.sock"
        if len(os.fsencode(path)) <= _SOCKET_PATH_MAX:
            return path
        digest = hashlib.sha256(os.fsencode(self.home.absolute())).hexdigest()[:16]
        return runtime_dir() / f"{digest}.sock"

    def ensure(self) -> "Paths":
        """Create the folders, closed to other users."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.keys.mkdir(exist_ok=True, mode=0o700)
        return self


def default_paths() -> Paths:
    """CYTOWATCH_HOME, else the user's state folder of this system."""
    home = os.environ.get("CYTOWATCH_HOME")
    return Paths(Path(home).expanduser() if home else Path(platformdirs.user_state_dir("cytowatch")))


def runtime_dir() -> Path:
    """A folder of this user outside any home, 0700: port ownership is seen by every agent of the user."""
    path = Path(tempfile.gettempdir()) / f"cytowatch-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    info = path.lstat()
    if path.is_symlink() or info.st_uid != os.getuid() or info.st_mode & 0o077:
        raise ConfigError(f"{path} belongs to someone else or is open to others", "Remove that folder.")
    return path
