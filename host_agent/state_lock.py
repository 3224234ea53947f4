"""Who works on a state folder: the agent for its life, or a command that writes while no agent runs.

The lock is on the folder itself. It depends on no other folder, no name and no file that somebody may delete, a link to
the folder is the same folder, and the lock ends with the process. A note in the folder says for people who holds it.
"""

import contextlib
import datetime
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from host_agent.errors import HostAgentError
from host_agent.paths import Paths, StateFolderError
from host_agent.plain_file import read_plain
from host_agent.wall_time import has_two_offsets

AGENT = "run"
AGENT_NOTE = "agent.json"
_COMMAND_NOTE = "command.json"
SILENT_S = 20.0  # the agent gives a sign of life each 5 s
_TRIES, _TRY_S = 25, 0.02  # another process may be looking who holds the lock
_NOTE_MAX_BYTES = 65536
_LOCKS = Path("/proc/locks")


class StateFolderBusy(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """Another process works on this state folder."""

    code = "state_folder_busy"


class Holder(NamedTuple):
    """The process that holds the folder. `pid` 0: its note cannot be read. `command` is `run` for the agent."""

    pid: int
    command: str
    since_utc_ms: int
    alive_utc_ms: int
    is_ready: bool
    is_suspended: bool = False  # by SIGSTOP or a debugger (seen on Linux alone), when it was looked at

    @property
    def is_agent(self) -> bool:
        """Whether it is the agent and no other command."""
        return self.command == AGENT

    def is_silent(self, now_utc_ms: int) -> bool:
        """Whether an agent that was ready has given no sign of life for longer than a busy computer explains."""
        # a sign from the future is one from before the clock was set back; a second is the time of asking
        late = self.is_ready and not -1000 <= now_utc_ms - self.alive_utc_ms <= SILENT_S * 1000
        return self.is_agent and (late or self.is_suspended)

    def without_answer(self, now_utc_ms: int) -> tuple[str, str]:
        """(what is seen of this process when it does not answer on the control socket, what to do)."""
        who = f"(pid {self.pid})" if self.pid else "(its process id is not known)"
        pid = self.pid or "PID"
        if not self.is_agent:
            text = f"The agent is not running: `cytowatch {self.command}` {who} works on its state folder."
            return text, "Wait until that command has ended, then start the agent: cytowatch run"
        if self.is_suspended:
            text = (
                f"The agent is suspended since about {_clock(self.alive_utc_ms)} {who}: nobody is monitored."
            )
            return text, f"Let it go on: kill -CONT {pid}"
        if self.is_silent(now_utc_ms):
            text = f"The agent does not answer since {_clock(self.alive_utc_ms)} {who}: nobody is monitored."
            return text, f"End it: kill -KILL {pid}. Then start it again: cytowatch run"
        if not self.is_ready:
            text = f"The agent is starting or stopping {who}."
            return (
                text,
                "Try again in some seconds. If it stays so, see what its disk lacks: cytowatch doctor",
            )
        return f"The agent is busy and did not answer in time {who}.", "Try again in some seconds."


class StateLock:
    """Held from construction to `release`, or to the end of the process."""

    def __init__(self, paths: Paths, command: str) -> None:
        """StateFolderBusy names the process that works there. `command` is what this one does, such as `restore`."""
        self._folder = _open(paths.home)
        try:
            _lock(self._folder, paths.home)
        except BaseException:
            self.release()
            raise
        if command != AGENT:  # the agent's note also tells of its earlier runs: `agent_run.py` writes it
            write_note(
                paths.home / _COMMAND_NOTE,
                {"pid": os.getpid(), "command": command, "since_utc_ms": time.time_ns() // 1_000_000},
            )

    def release(self) -> None:
        """Let others work on the folder; safe to call twice."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def __enter__(self) -> "StateLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder_of(home: Path) -> Holder | None:
    """The process that works on this state folder; None when there is none."""
    try:
        folder = _open(home)
    except StateFolderError:
        return None
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(home)
    except OSError:
        return None
    finally:
        os.close(folder)
    return None


def read_note(path: Path) -> dict[str, Any]:
    """What a note holds; empty when there is none that can be read."""
    try:
        note = json.loads(read_plain(path, _NOTE_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def write_note(path: Path, note: dict[str, Any]) -> None:
    """Write a note, whole or not at all. A disk that takes nothing is no reason to end: the lock holds without it."""
    fresh = path.with_suffix(".new")
    with contextlib.suppress(OSError):
        fresh.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(note, file)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def _open(home: Path) -> int:
    try:
        return os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StateFolderError(f"The state folder {home} cannot be opened ({error.strerror}).") from None


def _lock(folder: int, home: Path) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_TRY_S)
        except OSError as error:
            raise StateFolderError(
                f"The state folder {home} cannot be locked ({error.strerror}): it may be on a network disk.",
                "Set CYTOWATCH_HOME to a folder on a disk of this computer.",
            ) from None
        else:
            return
    raise _busy(home, _read_holder(home))


def _busy(home: Path, holder: Holder) -> StateFolderBusy:
    now_ms = time.time_ns() // 1_000_000
    if not holder.is_agent:
        return StateFolderBusy(
            f"`cytowatch {holder.command}` (pid {holder.pid}) works on the state folder {home} now.",
            "Wait until it has ended, then try again.",
        )
    if holder.is_silent(now_ms):
        text, advice = holder.without_answer(now_ms)
        return StateFolderBusy(f"{text} It holds the state folder {home}.", advice)
    return StateFolderBusy(
        f"The agent runs on this state folder, {home} (pid {holder.pid or 'not known'}).",
        f"Use the agent that runs, or stop it first: kill {holder.pid or 'PID'}",
    )


def _read_holder(home: Path) -> Holder:
    """The later of the two notes; a command that was killed leaves its own behind, maybe dated by a wrong clock."""
    agent, command = _holder(home / AGENT_NOTE), _holder(home / _COMMAND_NOTE)
    if command.since_utc_ms > agent.since_utc_ms and _exists(command.pid):
        return command
    holder = agent if agent.pid else agent._replace(pid=_pid_of_lock(home))
    # Looked at once: who says what is wrong and who says what to do must speak of the same moment.
    return holder._replace(is_suspended=_is_suspended(holder.pid))


def _is_suspended(pid: int) -> bool:
    """By the main thread, in which the agent's loop runs: another thread may wait for the disk, and stop later."""
    with contextlib.suppress(OSError, IndexError):
        words = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return words[0] in "Tt"
    return False


def _pid_of_lock(home: Path) -> int:
    """The process that holds the lock, where no note says it: its disk takes none. 0: not known (but on Linux)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        wanted = home.stat().st_ino
        for line in _LOCKS.read_text().splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[3] == "WRITE" and int(words[5].rpartition(":")[2]) == wanted:
                return int(words[4])
    return 0


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return pid > 0


def _clock(utc_ms: int) -> str:
    """`14:05:09` of this computer's zone, with its offset on a day when the clocks change.

    `text.py` is not asked: every command loads this module first.
    """
    at = datetime.datetime.fromtimestamp(utc_ms // 1000, datetime.UTC).astimezone()
    return f"{at:%H:%M:%S}" + (at.isoformat()[19:] if has_two_offsets(at.date()) else "")


def _holder(path: Path) -> Holder:
    note = read_note(path)
    try:
        alive_ms = path.stat().st_mtime_ns // 1_000_000
        if "ended_utc_ms" in note or not _exists(int(note["pid"])):
            raise ValueError  # it is of an earlier run: a disk that takes nothing kept its owner from writing
        return Holder(
            int(note["pid"]),
            str(note["command"]),
            int(note["since_utc_ms"]),
            alive_ms,
            bool(note.get("ready")),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return Holder(0, AGENT, 0, 0, is_ready=False)
