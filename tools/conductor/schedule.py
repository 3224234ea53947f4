"""Whose turn it is, and how far time goes: from what participants said and the seed, never from real time."""

import hashlib
import random
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from tools.conductor.errors import ConductorError, FloodError, ParticipantDiedError
from tools.conductor.participant import Participant
from tools.conductor.port_counts import Counts, Due, PortCounts

QUANTUM_US = 20_000
_FLOOD_TURNS = 100_000
_LINES_TOLD = 12
_PLAYER = 0  # participants are numbered from 1


class Schedule:
    """The participants of one run, and the moment in which they are.

    `limit_us`: how far the player lets time go. `expected`: names of those who are about to come. `work` rises when
    anybody may have given another something to do; who has not seen the last of it has a turn. `record` gets each line.
    """

    def __init__(self, seed: int, utc_start_ms: int, record: Callable[[str], object] | None) -> None:
        self.seed, self.utc_start_ms = seed, utc_start_ms
        self._record = record
        self.participants: list[Participant] = []
        self.expected: list[str] = []
        self.now_us = self.limit_us = 0
        self.work = 0
        self._worked_now = 0  # turns with work since time has passed
        self._turns_now: Counter[str] = Counter()
        self._lives: Counter[str] = Counter()
        self._ports = PortCounts()
        self._digest = hashlib.sha256()
        self.last_lines: deque[str] = deque(maxlen=_LINES_TOLD)

    def digest(self) -> str:
        """A hash of every line."""
        return self._digest.hexdigest()

    def busy(self) -> Participant | None:
        """Who has a turn."""
        return next((one for one in self.participants if one.has_turn), None)

    def is_here(self, name: str) -> bool:
        """Whether a participant of this name is expected or has not ended."""
        return name in self.expected or any(one.name == name for one in self.participants)

    def touched(self) -> None:
        """Somebody from outside may have given anybody something to do, and one with a turn may have looked before."""
        self.work += 1
        if busy := self.busy():
            busy.must_look_again = True
        self._turns_now.clear()

    def player_due(self) -> Due:
        """What wearables have sent to ports that the player opened."""
        return self._ports.due(_PLAYER)

    def player_counts(self, opened: Counts) -> None:
        """What the player has sent and taken on ports."""
        self._ports.report(_PLAYER, {}, opened)

    # -- what participants do --------------------------------------------------------------------------------------

    def idled(self, participant: Participant, message: dict[str, Any]) -> None:
        """A participant ended its turn."""
        at_us = message["at"]
        if at_us > participant.horizon_us:
            raise ConductorError(
                f"{participant} ran to {at_us} µs and its horizon was {participant.horizon_us} µs"
            )
        participant.has_turn = False
        participant.until_us = message["idle"]
        if at_us > self.now_us:
            participant.runs_ahead = True
            self._set_now(at_us)
        if message["ran"]:
            self.work += message["spoke"]
            self._worked_now += 1
            until = "ever" if participant.until_us is None else participant.until_us
            self._tell(f"{self.now_us} {participant} until {until}")
        participant.seen = -1 if participant.must_look_again else self.work
        self._ports.report(participant.number, message["ports"], message["opened"])

    def said_bye(self, participant: Participant, message: dict[str, Any]) -> None:
        """A participant is about to end; what it sent and took in its last turn counts."""
        self._ports.report(participant.number, {}, message["opened"])

    def gone(self, participant: Participant) -> None:
        """A participant ended. ParticipantDiedError when it should not have."""
        self.participants.remove(participant)
        self._ports.gone(participant.number)
        self.work += 1
        if participant.has_started:
            self._tell(f"{self.now_us} {participant} ended")
        if participant.has_turn and not participant.has_said_bye:
            raise ParticipantDiedError(
                f"{participant} (process {participant.process}) died in its turn; its log says more"
            )
        if participant.name in self.expected and not participant.has_started:
            raise ParticipantDiedError(f"{participant} (process {participant.process}) died before its start")

    def suspend(self, name: str, is_suspended: bool) -> None:
        """Give this one no turns, or turns again: then it finds what came meanwhile, and how late it is."""
        for one in self.participants:
            if one.name == name:
                one.is_suspended, one.seen = is_suspended, -1

    # -- whose turn it is ------------------------------------------------------------------------------------------

    def start_next(self, real_s: float) -> bool:
        """Let the next newcomer start; True while nobody else may have a turn."""
        here = [one for one in self.participants if one.name and not one.has_started]
        if self.expected:
            here = [one for one in here if one.name == self.expected[0]]
        if not here:
            return bool(self.expected)
        newcomer = here[0]
        if any(one.name == newcomer.name and one.has_started for one in self.participants):
            raise ConductorError(f"two participants are called {newcomer}")
        if newcomer.name in self.expected:
            self.expected.remove(newcomer.name)
        self._lives[newcomer.name] += 1
        self._tell(f"{self.now_us} {newcomer} starts")
        newcomer.start(self.now_us, real_s, {
            "seed": self.seed, "life": self._lives[newcomer.name], "now_us": self.now_us,
            "utc_start_ms": self.utc_start_ms, "due": self._ports.due(newcomer.number),
        })  # fmt: skip
        return True

    def give_turn(self, real_s: float) -> bool:
        """Give the next turn of this moment; False when nobody has anything to do in it. FloodError."""
        participant = self._next()
        if participant is None:
            return False
        self._turns_now[participant.name] += 1
        if self._turns_now.total() > _FLOOD_TURNS:
            raise FloodError(
                f"{_FLOOD_TURNS} turns and no time has passed; the most had "
                + ", ".join(f"{name} ({count})" for name, count in self._turns_now.most_common(3))
            )
        due = self._ports.due(participant.number)
        participant.go(self.now_us, self._horizon_us(participant), real_s, due)
        return True

    def step(self) -> bool:
        """Let time go on to the next who has something to do; False when the player's limit is reached first."""
        timed = [
            (one.until_us, one)
            for one in self.participants
            if one.until_us is not None and not one.is_suspended
        ]
        next_us = max(min((until_us for until_us, _ in timed), default=self.limit_us + 1), self.now_us)
        if next_us > self.limit_us:
            if self.limit_us > self.now_us:
                self._set_now(self.limit_us)
            return False
        if next_us > self.now_us:
            self._set_now(next_us)
        for until_us, participant in timed:
            if until_us <= next_us:
                participant.seen = -1
        return True

    def _next(self) -> Participant | None:
        waiting = {
            one.name: one
            for one in self.participants
            if one.has_started and one.seen < self.work and not one.is_suspended
        }
        if len(waiting) <= 1:
            return next(iter(waiting.values()), None)
        names = sorted(one.name for one in self.participants)
        # the same order for the same moment, whatever was asked from outside before
        random.Random(f"{self.seed} {self.now_us} {self._worked_now}").shuffle(names)
        return next(waiting[name] for name in names if name in waiting)

    def _horizon_us(self, participant: Participant) -> int:
        """How far this one may run ahead: until another has something to do, and not at all while another waits."""
        horizon_us = self.limit_us
        for other in self.participants:
            if other is participant or other.is_suspended:
                continue
            if other.seen < self.work:
                return self.now_us
            if other.until_us is not None:
                ahead_us = self.now_us + QUANTUM_US if other.runs_ahead else 0
                horizon_us = min(horizon_us, max(other.until_us, ahead_us))
        return max(horizon_us, self.now_us)

    def _set_now(self, now_us: int) -> None:
        self.now_us = now_us
        self._turns_now.clear()
        self._worked_now = 0

    def _tell(self, line: str) -> None:
        self._digest.update(line.encode() + b"\n")
        self.last_lines.append(line)
        if self._record is not None:
            self._record(line)
