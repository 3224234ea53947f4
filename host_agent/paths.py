"""Where the agent keeps its things on this computer, and whether this user can use that place."""

import os
import pwd
import shlex
from pathlib import Path
from typing import NamedTuple

import platformdirs

from host_agent.errors import ConfigError, HostAgentError
from host_agent.plain_file import FILE, FOLDER, SOCKET, kind_of, other_kind

_ANOTHER = (
    "Set CYTOWATCH_HOME to a folder of this user, for example: export CYTOWATCH_HOME=/home/ward/cytowatch"
)
_OR_ANOTHER = "Or set CYTOWATCH_HOME to a folder of this user."


class StateFolderError(HostAgentError):
    """The state folder cannot be used by this user; the message says why."""

    code = "state_folder"
    default_advice = _ANOTHER


class StateFolderReadOnly(StateFolderError):  # noqa: N818 named by the condition, as in errors.py
    """This user can read the state folder and not write in it."""


class Paths(NamedTuple):
    """One agent's state folder; nothing here touches the disk until `check` or `ensure` is called."""

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
        """The control socket. Its path may be longer than a socket's address: `control/socket.py` sees to that."""
        return self.home / "agent.sock"

    @property
    def log(self) -> Path:
        """The agent's log; older parts have a number behind the name."""
        return self.home / "cytowatch.log"

    def check(self, *, writing: bool = False) -> "Paths":
        """Itself; StateFolderError when this user cannot read the folder, or, for `writing`, cannot write in it.

        A folder that is not there yet is no fault.
        """
        home, needed = self.home, os.R_OK | os.X_OK | (os.W_OK if writing else 0)
        try:
            info = home.stat()
        except FileNotFoundError:
            if home.is_symlink():
                raise StateFolderError(
                    f"The state folder {home} is a link to a folder that does not exist.",
                    "Mount or create that folder, or delete the link.",
                ) from None
            return self
        except OSError as error:
            raise StateFolderError(f"The state folder {home} cannot be read ({error.strerror}).") from None
        if why := other_kind(home, FOLDER):
            raise StateFolderError(f"The state folder {home} {why}.", f"Move it away. {_OR_ANOTHER}")
        if info.st_uid != os.getuid():
            owner = user_name(info.st_uid)
            raise StateFolderError(
                f"The state folder {home} belongs to {owner}. You are {user_name(os.getuid())}.",
                f"Run it as that user: sudo -u {owner} -H cytowatch. {_OR_ANOTHER}",
            )
        if not os.access(home, needed):
            is_readable = os.access(home, os.R_OK | os.X_OK)
            how, kind = ("written", StateFolderReadOnly) if is_readable else ("read", StateFolderError)
            raise kind(
                f"The state folder {home} cannot be {how}: its permissions or its disk forbid it.",
                f"Run: chmod u+rwx {home}. If the disk is read-only, mount it for writing. {_OR_ANOTHER}",
            )
        if info.st_mode & 0o022:
            raise StateFolderError(
                f"Other users may write in the state folder {home}.", f"Run: chmod go-w {home}"
            )
        return self

    def closed_files(self) -> list[Path]:
        """Files and folders in it that this user cannot read and write, for example because root made them."""
        needed = os.R_OK | os.W_OK
        if not self.home.is_dir():
            return []
        within = sorted(self.home.iterdir())
        within += [
            file for path in within if path.is_dir() and os.access(path, needed) for file in path.iterdir()
        ]
        within = [path for path in within if kind_of(path) in (FILE, FOLDER)]
        return [path for path in within if path.lstat().st_uid != os.getuid() or not os.access(path, needed)]

    def misplaced(self) -> list[str]:
        """A sentence about each name of the agent's at which something else stands than the agent makes there."""
        files = [
            self.config,
            self.database,
            self.log,
            *self.keys.glob("*.key"),
            *self.accounts.glob("*.json"),
        ]
        files += [*self.home.glob("cytowatch.db-*"), *self.home.glob("cytowatch.log.?")]
        files += [
            self.home / name for name in ("agent.json", "command.json", "audit.head", "usb_serials.json")
        ]
        expected = {
            **dict.fromkeys(files, FILE),
            self.keys: FOLDER,
            self.accounts: FOLDER,
            self.socket: SOCKET,
        }
        return [f"{path} {why}" for path, kind in expected.items() if (why := other_kind(path, kind))]

    def try_writing(self) -> None:
        """Write a small file and delete it; StateFolderError when the disk, a quota or the file system refuses it.

        A folder that is not there yet is only looked at: whether it can be made.
        """
        if not self.home.is_dir():
            above = next(folder for folder in self.home.parents if folder.exists())
            if not os.access(above, os.W_OK | os.X_OK):
                raise StateFolderError(f"The state folder {self.home} cannot be created in {above}.")
            return
        path = self.home / f".try-{os.getpid()}"
        try:
            number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                os.write(number, bytes(65536))
                os.fsync(number)
            finally:
                os.close(number)
                path.unlink()
        except OSError as error:
            raise StateFolderError(
                f"The state folder {self.home} takes no file ({error.strerror}).",
                "Free space on that disk. Until then the agent acknowledges nothing to the wearable.",
            ) from None

    def ensure(self) -> "Paths":
        """Create the folders, closed to other users; StateFolderError when this user cannot write there."""
        self.private("keys")
        return self

    def ensure_readable(self) -> "Paths":
        """As `ensure`. Where a wearable is enrolled, a folder that cannot be written will do: somebody may wear it."""
        try:
            return self.ensure()
        except StateFolderReadOnly:
            if not self.keys.is_dir() or next(self.keys.iterdir(), None) is None:
                raise
            return self

    def private(self, name: str) -> Path:
        """The folder `name` in it, made when missing; StateFolderError when it is not this user's alone."""
        path = self.home / name
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.check(writing=True)
            path.mkdir(mode=0o700, exist_ok=True)
            info = path.lstat()
        except OSError as error:
            self.check(writing=True)  # it knows better words for most reasons
            if why := other_kind(path, FOLDER):
                raise StateFolderError(f"{path} {why}.", "Another program made it: move it away.") from None
            raise StateFolderError(f"{path} cannot be created ({error.strerror}).") from None
        if path.is_symlink() or info.st_uid != os.getuid() or info.st_mode & 0o022:
            raise StateFolderError(f"Other users may write in {path}.", f"Run: chmod 700 {path}")
        return path


def state_paths() -> Paths:
    """CYTOWATCH_HOME, else the user's state folder of this system; ConfigError when neither is known."""
    given = os.environ.get("CYTOWATCH_HOME", "")
    try:
        home = Path(given).expanduser() if given else _users_own()
        if not home.is_absolute():  # two commands in two folders would work on two states
            raise ConfigError(
                f"CYTOWATCH_HOME is {given}: another folder wherever a command is started.",
                f"Write the whole path: export CYTOWATCH_HOME={shlex.quote(str(home.absolute()))}",
            )
        return Paths(home)
    except RuntimeError:
        raise ConfigError(
            f"The state folder {given} is not known: there is no such home folder.".replace("  ", " "),
            _ANOTHER,
        ) from None


def _users_own() -> Path:
    """The state folder that the system has for this user; RuntimeError when the user has no home folder."""
    folder = platformdirs.user_state_dir("cytowatch")
    if folder.startswith("~"):
        raise RuntimeError
    return Path(folder).absolute()


def default_paths() -> Paths:
    """`state_paths`, readable by this user; StateFolderError otherwise."""
    return state_paths().check()


def ports_folder() -> Path:
    """A private folder of this user, the same for every agent of the user and whatever TMPDIR says; made when missing.

    A user whose home folder cannot be written keeps it in the state folder.
    """
    try:
        return Paths(_users_own()).private("ports")
    except (StateFolderError, RuntimeError):
        return state_paths().private("ports")


def user_name(uid: int) -> str:
    """The name of a user of this computer, or `user 1234`."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
