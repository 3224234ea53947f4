"""Processes that start with their program loaded: forks of one that loaded it, in milliseconds and not in a second.

    with Nursery(CYTOWATCH) as nursery:
        agent = nursery.popen([sys.executable, "-m", "tools.conductor.run_cytowatch", ...], stdout=log)

`popen` takes what `subprocess.Popen` does, as far as a rig needs it, and only `python -m MODULE ...`. Linux.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

_LARGEST_BYTES = 1 << 18
_PR_SET_PDEATHSIG = 1
_ROOT = Path(__file__).resolve().parents[2]


class Loaded(NamedTuple):
    """What a nursery loads. `is_participant`: it takes part with every clock and random number of the process."""

    modules: tuple[str, ...]
    is_participant: bool


CYTOWATCH = Loaded(
    (
        "host_agent.cli.main", "host_agent.agent", "host_agent.cli.run", "host_agent.cli.patient",
        "host_agent.cli.status", "host_agent.cli.history", "host_agent.cli.audit", "host_agent.cli.verify",
        "host_agent.forward.kinds.webhook",
    ),
    is_participant=True,
)  # fmt: skip
WEARABLE = Loaded(
    ("tools.virtual_wearable.supervisor", "tools.virtual_wearable.scenario"), is_participant=False
)


class Born:
    """One process, as far as `subprocess.Popen` is used on it."""

    def __init__(
        self, args: Sequence[str], pid: int, ended: int, stdout: IO[str] | None, stderr: IO[str] | None
    ) -> None:
        self.args = args
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended
        self.stdout, self.stderr = stdout, stderr

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        for stream in filter(None, (self.stdout, self.stderr)):
            stream.close()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What a process said that was started with both outputs as subprocess.PIPE."""
        self.wait(timeout)
        assert self.stdout is not None and self.stderr is not None
        for stream in (self.stdout, self.stderr):
            stream.seek(0)
        return self.stdout.read(), self.stderr.read()

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; subprocess.TimeoutExpired."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """A signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout_s: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout_s)[0]:
            said = os.read(self._ended, 16)
            os.close(self._ended)
            self.returncode = int(said) if said else -signal.SIGKILL
        return self.returncode


class Nursery:
    """Start it with the block and end all its processes with it."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def __enter__(self) -> Self:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.conductor.nursery", str(theirs.fileno()), json.dumps(self._loaded)],
            pass_fds=[theirs.fileno()], cwd=_ROOT, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": "0"}, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._process.wait()

    def popen(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None,
        stdout: IO[Any] | int | None = None, stderr: IO[Any] | int | None = None, **_: object,
    ) -> Born:  # fmt: skip
        """Start `python -m MODULE ...`. `stdout` alone or both outputs may be subprocess.PIPE. OSError: it cannot."""
        assert command[1] == "-m", command
        ended, tells = os.pipe()
        ours: list[int] = []
        given = [tells]
        if stderr == subprocess.PIPE:
            # memory, not a pipe: a command that says much must not wait for its reader
            ours = [os.memfd_create("stdout"), os.memfd_create("stderr")]
            fds = [*ours, tells]
        elif stdout == subprocess.PIPE:
            reads, writes = os.pipe()
            ours, given = [reads], [writes, tells]
            fds = [writes, _descriptor(stderr), tells]
        else:
            fds = [_descriptor(stdout), _descriptor(stderr), tells]
        said = {"argv": list(command[2:]), "cwd": str(cwd), "env": dict(os.environ if env is None else env)}
        socket.send_fds(self._line, [json.dumps(said).encode()], fds)
        for fd in given:
            os.close(fd)
        answer = self._line.recv(64)
        if not answer:
            raise OSError("the nursery has ended")
        streams: list[IO[str] | None] = [os.fdopen(fd) for fd in ours]
        return Born(command, int(answer), ended, *[*streams, None, None][:2])


def _descriptor(output: IO[Any] | int | None) -> int:
    assert output is not None
    return output if isinstance(output, int) else output.fileno()


# -- inside the nursery ------------------------------------------------------------------------------------------------


def _serve(line: socket.socket) -> None:
    awake, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    children: dict[int, int] = {}  # process -> where its exit code goes
    while True:
        found: list[Any] = select.select([line, awake], [], [])[0]
        if awake in found:
            os.read(awake, 4096)
            _reap(children)
        if line in found:
            data, fds, _, _ = socket.recv_fds(line, _LARGEST_BYTES, 3)
            if not data:
                break
            out, err, tells = fds
            pid = os.fork()
            if pid == 0:
                _become(json.loads(data), out, err)
            os.close(out)
            os.close(err)
            children[pid] = tells
            line.send(str(pid).encode())
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _reap(children: dict[int, int]) -> None:
    for pid in list(children):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            tells = children.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(tells, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(tells)


def _become(said: dict[str, Any], out: int, err: int) -> None:
    """Be the program that was asked for; never returns."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.closerange(3, 4096)
        os.chdir(said["cwd"])
        os.environ.clear()
        os.environ.update(said["env"], PYTHONHASHSEED="0")
        time.tzset()
        sys.argv = ["", *said["argv"][1:]]
        gc.enable()
        runpy.run_module(said["argv"][0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        _end(code)


def _end(code: int) -> None:
    import atexit

    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def main() -> None:
    """Load, then serve until the line ends."""
    loaded = Loaded(*json.loads(sys.argv[2]))
    if loaded.is_participant:
        # these keep the real clock
        from tools.conductor.process import load_first

        load_first()
    for name in loaded.modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
