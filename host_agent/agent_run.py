"""The agent's own note of when it ran: that nobody was monitored is seen afterwards, however the agent ended.

`agent.json` in the state folder says when this run began, whether it ended and why, and when the agent did not run
before. The time of change of the file is the last sign of life: after a crash or a power cut it is all there is.
It also counts since when no data came, and how old the entries are that wait for a wearable, by the clock that nobody
can set: a wall clock that was wrong makes neither younger. After a restart of this computer that clock begins anew.
"""

import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from host_agent.clock import Clock, RealClock
from host_agent.paths import Paths
from host_agent.state_lock import AGENT, AGENT_NOTE, SILENT_S, StateLock, read_note, write_note
from host_agent.text import local_time

_LOG = logging.getLogger(__name__)
LIFE_S = 5.0  # real seconds between two signs of life
_GAPS_KEPT = 50
_SHORT_RUN_MS = 60_000  # a start that failed does not cut a gap in two
_CUT = "the agent ended without a word: it was killed, it crashed, or the power was cut"
_SYSTEM_START = Path(
    "/proc/sys/kernel/random/boot_id"
)  # another one at each start of the computer; Linux only
_SUSPENDED = "this computer slept, or the agent was suspended"


class Gap(NamedTuple):
    """A time in which no agent ran here. `until_utc_ms` is None when none runs now."""

    from_utc_ms: int
    until_utc_ms: int | None
    why: str

    def text(self) -> str:
        """`Not monitoring from 2026-03-31 02:10:00 to 2026-03-31 06:30:00: stopped by SIGTERM`."""
        end = (
            "until now"
            if self.until_utc_ms is None
            else f"to {local_time(self.until_utc_ms, with_date=True)}"
        )
        return f"Not monitoring from {local_time(self.from_utc_ms, with_date=True)} {end}: {self.why}"


class AgesBefore(NamedTuple):
    """How old entries are at least that waited when the last run gave its last sign of life: ms, by the clock then.

    `others_ms`: those that it did not note. `is_known` False: the computer restarted and its clock stands before that.
    """

    by_entry: dict[int, int]
    others_ms: int
    is_known: bool

    def of(self, audit: int) -> int:
        """The least age of the entry of this audit row at the start of this run, ms."""
        return self.by_entry.get(audit, self.others_ms)


NO_AGES = AgesBefore({}, 0, is_known=True)


class AgentRun:
    """One run of the agent on a state folder, from before it opens anything to after it closed everything."""

    def __init__(self, paths: Paths, clock: Clock | None = None) -> None:
        """Lock the folder; StateFolderBusy when another process works there."""
        # when data of any wearable was last stored in this run, by `clock`
        self.newest_data_s: Callable[[], float | None] = lambda: None
        # audit row of each entry that waits for a wearable -> its least age, ms
        self.waiting_ages: Callable[[], dict[int, int]] = dict
        self._clock: Clock = clock or RealClock()
        self._path = paths.home / AGENT_NOTE
        self._why = "it was stopped"
        self._lock = StateLock(paths, AGENT)
        now_ms = self._clock.utc_ms()
        gaps = _joined(gaps_of(paths.home, now_ms, self._clock))
        self.without_data_s = without_data_s(paths.home, self._clock)  # before this run
        self._data_s = self._clock.monotonic() - self.without_data_s
        self.ages_before = _ages_before(paths.home, self._clock)
        self._note: dict[str, Any] = {
            "pid": os.getpid(), "command": AGENT, "since_utc_ms": now_ms, "ready": False,
            "gaps": [list(gap) for gap in gaps[-_GAPS_KEPT:]], "counted": self._counted(),
        }  # fmt: skip
        self.gap = gaps[-1] if gaps and gaps[-1].until_utc_ms == now_ms else None
        write_note(self._path, self._note)

    async def keep_alive(self) -> None:
        """Give signs of life, until cancelled."""
        self._note["ready"] = True
        while True:
            self._note["counted"] = self._counted()
            write_note(self._path, self._note)
            with contextlib.suppress(OSError):
                os.utime(self._path)  # also on a disk that takes no file
            alive_s = self._clock.monotonic()
            await self._clock.sleep(LIFE_S)
            self._note_silence(self._clock.monotonic() - alive_s)

    def _note_silence(self, silent_s: float) -> None:
        """Keep a pause between two signs of life as a gap. Wall time is not asked: somebody may set it."""
        if silent_s <= SILENT_S:
            return
        now_ms = self._clock.utc_ms()
        gap = Gap(now_ms - round(silent_s * 1000), now_ms, _SUSPENDED)
        self._note["gaps"] = [*self._note["gaps"], list(gap)][-_GAPS_KEPT:]
        write_note(self._path, self._note)
        _LOG.warning("%s.", gap.text())

    def _counted(self) -> dict[str, Any]:
        newest_s = self.newest_data_s()
        self._data_s = self._data_s if newest_s is None else newest_s
        return {
            "system": system_start(), "alive_s": self._clock.monotonic(), "data_s": self._data_s,
            "alive_utc_ms": self._clock.utc_ms(), "ages_ms": {str(k): v for k, v in self.waiting_ages().items()},
        }  # fmt: skip

    @property
    def why(self) -> str:
        """Why this run ends, as far as it is known."""
        return self._why

    def ending(self, why: str) -> None:
        """Remember why this run ends; the first reason counts."""
        if self._why == "it was stopped":
            self._why = why

    def end(self) -> None:
        """Write the end and its reason, and let others work on the folder; safe to call twice."""
        if "ended_utc_ms" not in self._note:
            self._note["counted"] = self._counted()
            self._note |= {"ready": False, "ended_utc_ms": self._clock.utc_ms(), "why": self._why}
            write_note(self._path, self._note)
        self._lock.release()


def without_data_s(home: Path, clock: Clock | None = None) -> float:
    """For how long at least no data of any wearable has come here; 0 when that is not known.

    Call it only while no agent runs.
    """
    return _counted_s(read_note(home / AGENT_NOTE), "data_s", clock or RealClock())


def _counted_s(note: dict[str, Any], since: str, clock: Clock) -> float:
    counted = note.get("counted")
    try:
        if not isinstance(counted, dict) or not counted["system"] or counted["system"] != system_start():
            return 0.0
        return max(0.0, clock.monotonic() - float(counted[since]))
    except (KeyError, ValueError, TypeError, OverflowError):
        return 0.0


def _ages_before(home: Path, clock: Clock) -> AgesBefore:
    note = read_note(home / AGENT_NOTE)
    since_ms = round(_counted_s(note, "alive_s", clock) * 1000)
    counted = note.get("counted")
    try:
        if not isinstance(counted, dict) or "alive_utc_ms" not in counted:
            return NO_AGES._replace(others_ms=since_ms)
        is_known = counted["system"] == system_start() or clock.utc_ms() >= int(counted["alive_utc_ms"])
        ages = {int(audit): int(age_ms) + since_ms for audit, age_ms in counted["ages_ms"].items()}
        return AgesBefore(ages, since_ms, is_known)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        return NO_AGES._replace(others_ms=since_ms)


def system_start() -> str:
    """Names this start of the computer; "" where the system does not say."""
    try:
        return _SYSTEM_START.read_text().strip()
    except OSError:
        return ""


def gaps_of(home: Path, until_utc_ms: int | None, clock: Clock | None = None) -> list[Gap]:
    """When no agent ran here, oldest first, with the time since the end of the last run.

    `until_utc_ms`: when the next run begins, None when none does. Call it only while no agent runs.
    """
    note = read_note(home / AGENT_NOTE)
    gaps = past_gaps(home)
    try:
        ended_ms = int(note["ended_utc_ms"]) if "ended_utc_ms" in note else None
        if ended_ms is not None:
            gaps.append(_since(ended_ms, until_utc_ms, str(note.get("why", ""))))
        elif "since_utc_ms" in note:
            alive_ms = (home / AGENT_NOTE).stat().st_mtime_ns // 1_000_000
            gaps.append(_since(alive_ms, until_utc_ms, _CUT))
        if until_utc_ms is not None and "since_utc_ms" in note:
            # the wall clock may have been set back since
            counted_ms = until_utc_ms - round(_counted_s(note, "alive_s", clock or RealClock()) * 1000)
            gaps[-1] = gaps[-1]._replace(from_utc_ms=min(gaps[-1].from_utc_ms, counted_ms))
    except (OSError, ValueError, TypeError):
        pass
    return gaps


def _since(begin_utc_ms: int, until_utc_ms: int | None, why: str) -> Gap:
    """A gap never begins after it ended: the clock may have been set back meanwhile."""
    return Gap(begin_utc_ms if until_utc_ms is None else min(begin_utc_ms, until_utc_ms), until_utc_ms, why)


def _joined(gaps: list[Gap]) -> list[Gap]:
    joined: list[Gap] = []
    for gap in gaps:
        before = joined[-1] if joined else None
        if before is not None and gap.from_utc_ms - (before.until_utc_ms or 0) < _SHORT_RUN_MS:
            joined[-1] = before._replace(until_utc_ms=gap.until_utc_ms)
        else:
            joined.append(gap)
    return joined


def past_gaps(home: Path) -> list[Gap]:
    """When no agent ran here, oldest first, as the last start of the agent found it."""
    try:
        return [
            Gap(int(begin), int(until), str(why))
            for begin, until, why in read_note(home / AGENT_NOTE).get("gaps", [])
        ]
    except (ValueError, TypeError):
        return []
