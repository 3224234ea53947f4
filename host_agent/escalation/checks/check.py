"""The contract of the host's repeated checks, and the parts that each check gets."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from host_agent.clock import Clock
from host_agent.store.db import Store
from host_agent.store.rows import Derivation


class Finding(NamedTuple):
    """One alarm that must stand now; `priority` of crs_core.codes, `detail` for people."""

    alarm: int
    priority: int
    detail: str


class CheckParts(NamedTuple):
    """What every check works with.

    `alarm_from_memory(device_id, finding)` alarms while the store fails; None: about the agent itself.
    """

    store: Store
    derive: Derivation
    clock: Clock
    alarm_from_memory: Callable[[bytes | None, Finding], None] = lambda device_id, finding: None


class Check(Protocol):
    """Looks at one thing again and again, and raises and ends the host's alarms about it."""

    @property
    def name(self) -> str:
        """For the log."""

    @property
    def every_s(self) -> float:
        """Pause between two looks, in seconds of the agent's clock."""

    @property
    def least_real_s(self) -> float:
        """Shortest pause in real seconds: a fast simulation needs no more looks than that."""

    async def look(self) -> None:
        """Judge now. A store that fails is the check's own matter; any other error is logged as a fault in it."""
