"""The agent's control socket: a UNIX-domain socket of mode 0600 in the state folder, one JSON object per line.

Request `{"do": "release", "port": …}`; answer `{"done": {…}}` or `{"failed": "sentence", "advice": "…", "code": "…"}`.
Being this user is the authority: whoever may open the socket may already read the keys.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from host_agent.clock import Clock, RealClock
from host_agent.errors import HostAgentError
from host_agent.plain_file import SOCKET, kind_of, other_kind
from host_agent.state_lock import holder_of

LARGEST_LINE_BYTES = 1 << 20  # a status of many wearables is some kB
COMMAND_TIMEOUT_S = 30.0  # the longest command waits for an answer of a wearable
_CONNECTIONS = 16
_IDLE_S = 5.0
_ADDRESS_MAX_BYTES = 100  # 104 on macOS, 108 on Linux, with the zero at the end
_SILENT_TIMEOUT_S = 2.0
_LOOK_S = 5.0  # real
_LOG = logging.getLogger(__name__)

T = TypeVar("T")
Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class AgentNotRunning(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """No agent listens on the control socket."""

    code = "agent_not_running"
    default_advice = "Start the agent with `cytowatch run` in another terminal, or as a service."


class NotASocket(HostAgentError):  # noqa: N818
    """Something else stands in the place of the control socket."""

    code = "not_a_socket"
    default_advice = "Another program made it: move it away."


class ControlFailed(HostAgentError):  # noqa: N818
    """The agent refused the command or could not do it; `.failed_code` is the code of its error."""

    code = "control_failed"

    def __init__(self, message: str, advice: str | None = None, failed_code: str = "") -> None:
        super().__init__(message, advice)
        self.failed_code = failed_code


class AgentNotAnswering(ControlFailed):
    """An agent holds the state folder and does not answer: it is suspended, stuck, starting or busy."""

    code = "agent_not_answering"


class ControlServer:
    """Serve `handlers` (name → coroutine taking the request) until closed."""

    def __init__(
        self,
        path: Path,
        handlers: dict[str, Handler],
        timeout_s: float = COMMAND_TIMEOUT_S,
        clock: Clock | None = None,
        idle_s: float = _IDLE_S,
    ) -> None:
        """`timeout_s` is for one command, `idle_s` for the other end to say it and to take its answer."""
        self._path = path
        self._handlers = handlers
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._clock: Clock = clock or RealClock()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. A socket left by an agent that ended is removed; HostAgentError when another agent runs."""
        # an agent of an earlier version holds no lock on the folder, but it listens here
        if kind_of(self._path):
            if await asyncio.to_thread(someone_listens, self._path):
                raise HostAgentError(
                    f"Another agent already runs on {self._path}.",
                    "Stop the other agent, or set CYTOWATCH_HOME to another folder.",
                )
            self._path.unlink()
        old = os.umask(0o177)  # the socket must never exist with wider rights
        listener = socket.socket(socket.AF_UNIX)
        try:
            with _short(self._path) as address:
                listener.bind(address)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listener, limit=LARGEST_LINE_BYTES
            )
        except BaseException:
            listener.close()
            raise
        finally:
            os.umask(old)

    async def try_start(self) -> None:
        """As `start`. A place that takes no socket is logged and closes this door alone: monitoring begins."""
        try:
            await self.start()
        except NotASocket as error:
            self._closed(f"{error} {error.advice}")
        except OSError as error:
            self._closed(f"{self._path.parent} takes no file ({error.strerror}).")

    def _closed(self, why: str) -> None:
        _LOG.warning("no command can reach this agent: %s It is tried again.", why)

    async def keep_open(self) -> None:
        """Until cancelled: listen again when the disk takes the socket, and when somebody deleted it."""
        while True:
            await self._clock.sleep(_LOOK_S)
            if self._server is None or kind_of(self._path) != SOCKET:
                if self._server is not None:
                    self._server.close()
                    self._server = None
                await self.try_start()

    async def close(self) -> None:
        """Stop listening, drop connections, remove the socket."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            self._server = None
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) > _CONNECTIONS:
                busy = HostAgentError(
                    f"{_CONNECTIONS} other commands talk to the agent now.", "Try again in some seconds."
                )
                writer.write(json.dumps(_failure(busy)).encode() + b"\n")
                return
            while line := await self._in_time(reader.readline()):
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await self._in_time(writer.drain())
        except (ConnectionError, ValueError, TimeoutError):  # ValueError: a line beyond the limit
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _in_time(self, step: Awaitable[T]) -> T:
        """A program that neither asks nor takes its answer must not keep its place from the others."""
        async with asyncio.timeout(self._idle_s):
            return await step

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            handler = self._handlers[request["do"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            known = ", ".join(sorted(self._handlers))
            return _failure(HostAgentError("The agent does not know this command.", f"It knows: {known}."))
        try:
            async with asyncio.timeout(self._timeout_s):
                done = {"done": await handler(request)}
            json.dumps(done)
            return done
        except HostAgentError as error:
            return _failure(error)
        except TimeoutError:
            return _failure(
                HostAgentError(
                    f"Not done within {self._timeout_s:g} s.",
                    "The wearable may be away. Look at `cytowatch status`, then try again.",
                )
            )
        except (KeyError, ValueError, TypeError) as error:
            return _failure(
                HostAgentError(
                    f"The command is malformed ({error}).", "Update the agent and the command line together."
                )
            )
        except Exception as error:  # this door never closes, whatever a command meets
            _LOG.exception("internal error in a command on the control socket")
            why = f"The agent could not do it ({type(error).__name__}: {error})."
            return _failure(
                HostAgentError(why, "The agent goes on. Report this as a bug; its log says more.")
            )


async def call(
    path: Path, do: str, timeout_s: float = COMMAND_TIMEOUT_S + 2, **fields: Any
) -> dict[str, Any]:
    """Client side: run one command of the agent on the state folder in which `path` lies.

    Raises AgentNotRunning when none runs, AgentNotAnswering when it does not answer in time, ControlFailed otherwise.
    """
    holder = holder_of(path.parent)
    if holder is not None and holder.is_silent(_now_ms()):
        # it may still recover, but nobody waits half a minute for it
        timeout_s = min(timeout_s, _SILENT_TIMEOUT_S)
    try:
        async with asyncio.timeout(timeout_s):
            return await _exchange(path, {"do": do, **fields})
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        raise _not_there(path) from None
    except asyncio.LimitOverrunError:
        raise ControlFailed(
            "The agent's answer is too long.", "Restart the agent, and report this as a bug."
        ) from None
    except (ConnectionError, asyncio.IncompleteReadError):
        if (holder := holder_of(path.parent)) is not None:
            raise AgentNotAnswering(*holder.without_answer(_now_ms())) from None
        raise AgentNotRunning(
            "The agent stopped before it answered.", "Read its log and start it again."
        ) from None
    except PermissionError:
        raise ControlFailed(
            f"{path} belongs to another user.", "Run the command as the user of the agent."
        ) from None
    except TimeoutError:
        holder = holder_of(path.parent)
        if holder is None:  # an agent of an earlier version, or one that ended meanwhile
            raise AgentNotAnswering(
                f"The agent did not answer within {timeout_s:g} s.", "Read its log. Restart it if it hangs."
            ) from None
        raise AgentNotAnswering(*holder.without_answer(_now_ms())) from None


def _not_there(path: Path) -> HostAgentError:
    """Nobody listens: no agent runs, or one that holds the folder has no socket (now)."""
    holder = holder_of(path.parent)
    if holder is None:
        return AgentNotRunning("The agent is not running.")
    text, advice = holder.without_answer(_now_ms())
    if not holder.is_agent:
        return AgentNotRunning(text, advice)
    if holder.is_ready and not holder.is_silent(_now_ms()):
        strange = other_kind(path, SOCKET)
        text = (
            f"The agent runs (pid {holder.pid or 'not known'}), but its socket {path} {strange or 'is gone'}."
        )
        advice = f"Start it again: kill {holder.pid or 'PID'}, then cytowatch run"
        if strange:
            advice = "Another program made it: move it away. The agent then makes its socket again."
    return AgentNotAnswering(text, advice)


def call_now(path: Path, do: str, timeout_s: float = COMMAND_TIMEOUT_S + 2, **fields: Any) -> dict[str, Any]:
    """`call` for commands without an event loop."""
    return asyncio.run(call(path, do, timeout_s, **fields))


async def _exchange(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    link = socket.socket(socket.AF_UNIX)
    link.setblocking(False)
    try:
        with _short(path) as address:
            await asyncio.get_running_loop().sock_connect(link, address)
        reader, writer = await asyncio.open_unix_connection(sock=link, limit=LARGEST_LINE_BYTES)
    except BaseException:
        link.close()
        raise
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
        line = await reader.readuntil(b"\n")
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    try:
        answer = json.loads(line)
        if "done" in answer:
            return dict(answer["done"])
    except (ValueError, TypeError, RecursionError):
        raise ControlFailed(
            "The agent's answer cannot be read.", "Update the agent and the command line together."
        ) from None
    raise ControlFailed(
        str(answer.get("failed", "failed")),
        str(answer.get("advice", "")) or None,
        str(answer.get("code", "")),
    )


def _failure(error: HostAgentError) -> dict[str, Any]:
    return {"failed": str(error), "advice": error.advice, "code": error.code}


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """An address of this socket that fits: through its open folder where the path itself is too long."""
    if len(os.fsencode(path)) <= _ADDRESS_MAX_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        by_folder = Path(f"/proc/self/fd/{folder}")
        if not by_folder.exists():
            raise HostAgentError(
                f"The path {path} is longer than the {_ADDRESS_MAX_BYTES} bytes that this system allows for a socket.",
                "Set CYTOWATCH_HOME to a folder with a shorter path.",
            )
        yield str(by_folder / path.name)
    finally:
        os.close(folder)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def someone_listens(path: Path) -> bool:
    """Whether an agent of any version listens here; HostAgentError when it is no socket."""
    if why := other_kind(path, SOCKET):
        raise NotASocket(f"{path} {why}.")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            with _short(path) as address:
                probe.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
        return True
