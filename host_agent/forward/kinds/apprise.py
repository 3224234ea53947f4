"""Hand an event to one of the hundred services that Apprise knows: handed over, never known to have arrived.

Apprise runs in a process of its own, which is ended when the time is up or when the agent stops waiting: so no attempt
lasts longer than its deadline, and none goes on unseen. What it calls a success counts only when no answer of the
service speaks against it.
"""

import asyncio
import contextlib
import importlib.util
import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pydantic import Field

from host_agent.errors import ConfigError
from host_agent.forward.apprise_check import ADDRESSES, COMMAND, START_S
from host_agent.forward.delivery import Delivered, Delivery, Outcome, RetryAfter
from host_agent.forward.message import one_line, read_message
from host_agent.forward.receiver import Receiver
from host_agent.forward.secret import VariableName

_TYPES = {"HIGH": "failure", "MEDIUM": "warning", "LOW": "info"}
_SHORTEST_ADDRESS = 8


class AppriseReceiver(Receiver):
    """One recipient at one service of Apprise. Needs pip install 'cytowatch[apprise]'. Write one table for each."""

    example: ClassVar[dict[str, Any]] = {"name": "signal-of-anna", "url_file": "/etc/cytowatch/signal.secret"}
    secrets: ClassVar[tuple[str, ...]] = ("url",)

    url_file: str | None = Field(
        default=None,
        description="File whose first line is the address as Apprise writes it, with one recipient;"
        " readable by you alone.",
    )
    url_env: VariableName | None = Field(
        default=None, description="Environment variable with the address. Instead of url_file."
    )

    def forwarder(self, utc_ms: Callable[[], int]) -> "AppriseService":
        url = self.read_secret("url", shortest_chars=_SHORTEST_ADDRESS).decode()
        if problem := self._problem(url):
            raise problem
        return AppriseService(
            self.name, url, timeout_s=self.timeout_s, accept_simulated=self.accept_simulated
        )

    def problems(self) -> Iterator[ConfigError]:
        try:
            problem = self._problem(self.read_secret("url", shortest_chars=_SHORTEST_ADDRESS).decode())
        except ConfigError as error:
            problem = error
        if problem:
            yield problem

    def _problem(self, url: str) -> ConfigError | None:
        owner = f"apprise {self.name}"
        if importlib.util.find_spec("apprise") is None:
            return ConfigError(
                f"{owner}: Apprise is not installed.", "Type: pip install 'cytowatch[apprise]'"
            )
        why = ADDRESSES.problem(url, self.timeout_s)
        return (
            ConfigError(f"{owner}: {why}.", "Correct the address in its file or variable.") if why else None
        )

    def proves(self) -> str:
        return "handed over; nothing proves that it arrived: Apprise reads little of what a service answers"

    def shown_address(self) -> str:
        return f"address in {self.url_file or f'variable {self.url_env}'}"


class AppriseService:
    """One recipient. The address is held in memory and given to the helper process through a pipe."""

    def __init__(self, name: str, url: str, *, timeout_s: float, accept_simulated: bool) -> None:
        self.name = name
        self.accept_simulated = accept_simulated
        self._url = url
        self._timeout_s = timeout_s
        self._helper: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()

    async def send(self, delivery: Delivery) -> Outcome:
        """Hand over once within timeout_s in all, the start of a helper process apart."""
        message = read_message(delivery)
        headline, rest = message.headline
        line = {
            "title": headline if rest else "CytoWatch", "body": rest or headline,
            "type": _TYPES.get(message.priority, "failure") if message.rings else "info",
        }  # fmt: skip
        try:
            helper = await self._started()
            async with asyncio.timeout(self._timeout_s):
                answer = await _ask(helper, line)
        except TimeoutError:
            await self.close()
            return RetryAfter(
                f"no answer within {self._timeout_s:g} s; the service may have taken it, and it is sent again"
            )
        except BaseException as error:  # also when nobody waits any more: nothing may be sent unseen
            await self.close()
            if isinstance(error, _HelperEnded):
                return RetryAfter(f"Apprise did not run: {error}")
            raise
        if answer["taken"]:
            statuses = ", ".join(f"HTTP {status}" for status in answer["answers"])
            return Delivered(statuses or "Apprise read no answer")
        why = one_line(str(answer["why"]).replace(self._url, "…"), 200)
        return RetryAfter(
            f"not handed over: {why or 'Apprise does not say why'}", whole_target=not answer["answers"]
        )

    async def run(self) -> None:
        """Start the helper before the first event needs it."""
        with contextlib.suppress(_HelperEnded):
            await self._started()
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the helper, whatever it is doing."""
        helper, self._helper = self._helper, None
        if helper is not None:
            with contextlib.suppress(ProcessLookupError):
                helper.kill()
            await helper.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._helper is None or self._helper.returncode is not None:
                self._helper = await self._start()
            return self._helper

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        try:
            helper = await asyncio.create_subprocess_exec(
                *COMMAND, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            raise _HelperEnded(error.strerror or "no process can be started") from None
        problem: str | None = f"no start within {START_S:g} s"
        try:
            async with asyncio.timeout(START_S):
                problem = (await _ask(helper, {"url": self._url, "timeout_s": self._timeout_s}))["problem"]
        except TimeoutError:
            pass
        finally:
            if problem:
                helper.kill()
        if problem:
            raise _HelperEnded(problem)
        return helper


class _HelperEnded(Exception):  # noqa: N818 (errors are named by their condition)
    """The helper process cannot be used; the text says why."""


async def _ask(helper: asyncio.subprocess.Process, line: dict[str, Any]) -> dict[str, Any]:
    assert helper.stdin is not None and helper.stdout is not None
    try:
        helper.stdin.write(json.dumps(line).encode() + b"\n")
        await helper.stdin.drain()
        answer: dict[str, Any] = json.loads(await helper.stdout.readline())
    except (ConnectionError, ValueError):
        raise _HelperEnded("its process ended") from None
    return answer
