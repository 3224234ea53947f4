"""One session over one carrier: reads the port, answers requests, sends records, and never delays sampling.

Order of sending: handshake, answers, the ALARM doorbell, LIVE, records. Deadlines are real time: a HELLO without PROOF
is dropped after 5 s, a port that takes nothing for 2 s or a host that says nothing for 45 s ends the session.
"""

from crs_core.compat import const
from crs_core.errors import CoreError
from crs_core.wire import message as wire
from crs_core.wire import rights
from crs_core.wire import session as sessions
from crs_device import health as counts
from crs_device.link.pump import Pump
from crs_device.heap import unload_modules

SILENCE_MS = const(45_000)
_FRAMES_PER_TURN = const(8)
_ANSWERS_MAX = const(16)
_HANDSHAKE_MAX = const(4)


class LinkServer:
    """`port` offers read/is_idle/queue/drop/pump and the bounds of what its host may have in flight; `session` is a
    DeviceSession; `handle(server, message)` returns answers; `presence` hears of each authenticated message under a key
    that may accept alarms: a host that can only read is no host that is there.

    Call `turn()` every few milliseconds. `ring()` and `live()` may be called at any time; they only remember.
    """

    def __init__(self, port, session, journal, handle, presence, health, clock) -> None:  # type: ignore[no-untyped-def]
        self.session = session
        # Of the event in hand: what one read brings may belong to two sessions, and each message counts under the key
        # that it came with.
        self.key = None
        self.pump = Pump(journal) if journal is not None else None
        self.port = port
        self._handle = handle
        self._health = health
        self._presence = presence
        self._clock = clock
        self._handshake: list[list[bytes]] = []  # pieces of each payload
        self.parts: dict = {}  # type: ignore[type-arg]  # kind of request -> PartJoiner
        self._counted: dict[str, int] = {}
        self._answers: list = []  # type: ignore[type-arg]
        self._alarm: wire.Alarm | None = None
        self._live: wire.Live | None = None
        self._half_since_ms = -1
        self._heard_real_ms = 0
        # board time when the port was last read empty: what is read now arrived later
        self.emptied_ms = clock.ms()

    @property
    def is_open(self) -> bool:
        """Whether a host is in session."""
        return self.session.is_open  # type: ignore[no-any-return]

    @property
    def rights(self) -> int:
        """What the key of the host in session may do (crs_core/wire/rights.py); 0 without a session."""
        return 0 if self.key is None else rights.of_role(self.key.role)

    @property
    def is_custodian(self) -> bool:
        """Whether the host in session is the one whose acknowledgement frees flash."""
        return self.key is not None and self.key.role == rights.CUSTODIAN

    def ring(self, alarm: wire.Alarm) -> None:
        """Send the changed alarms before anything else. The newest doorbell replaces one that was not sent yet."""
        if self._alarm is not None and self.is_open:
            self._health.count(counts.TX_DROPPED)
        self._alarm = alarm if self.is_open else None

    def live(self, live: wire.Live) -> None:
        """Send the newest values, which are shown and never stored. They replace values that were not sent yet."""
        if self._live is not None and self.is_open:
            self._health.count(counts.TX_DROPPED)
        self._live = live if self.is_open else None

    def answer(self, message) -> None:  # type: ignore[no-untyped-def]
        """Queue one answer; when too many wait it is dropped and counted."""
        if len(self._answers) < _ANSWERS_MAX:
            self._answers.append(message)
        else:
            self._health.count(counts.TX_DROPPED)

    def adopt(self, journal) -> None:  # type: ignore[no-untyped-def]
        """Serve this journal from now on; the host must start reading from its beginning."""
        self.pump = Pump(journal)
        self.set_journal_id(journal.journal_id)

    def set_journal_id(self, journal_id: bytes) -> None:
        """Tell the host by BYE that the journal was replaced, so that it starts reading from its beginning."""
        self.session.journal_id = journal_id
        self._flush_answers()
        self._events(self.session.close(wire.BYE_JOURNAL_CHANGED))

    def set_keys(self, keys: list) -> None:  # type: ignore[type-arg]
        """Use these keys; a session whose key is gone ends."""
        self._flush_answers()
        self._events(self.session.set_keys(keys))

    def close(self, reason: int) -> None:
        """Say BYE and end the session."""
        self._flush_answers()
        self._events(self.session.close(reason))

    def abandon(self) -> None:
        """The program ends and the port becomes the REPL: nothing more is sent."""
        self.port.drop()
        self._handshake = []
        self.session.link_lost()
        self.key = None

    def link_lost(self) -> None:
        """The carrier is gone: end the session and forget what waited."""
        self.abandon()
        self._reset()

    def start_reading(self, seq: int, window: int, max_bytes: int) -> None:
        """Send records from `seq` on, as much at once as the host takes and the carrier can hold."""
        most = min(max_bytes, self.session.peer_largest - 1, self.port.message_max)
        self.pump.start(seq, min(window, self.port.window_max), most)  # type: ignore[union-attr]

    def take_counts(self) -> None:
        """Copy what the session counted into the health counters."""
        # loaded for one call and unloaded again, to save heap
        from crs_device.link.session_counts import copy

        copy(self.session, self._health, self._counted)
        unload_modules("crs_device.link.session_counts")

    def turn(self) -> bool:
        """Do what can be done without waiting; True when there is more to send."""
        now = self._clock.real_ms()
        now_ms = self._clock.ms()
        for data in self.port.read():
            self._events(self.session.receive(data))
        if self.port.is_read_empty:
            self.emptied_ms = now_ms
        self._deadlines(now)
        for _ in range(_FRAMES_PER_TURN):
            if not self.port.pump(now):
                self._health.count(counts.LINK_DEAD)
                self.port.drop()
                self._handshake = []
                self._events(self.session.link_lost())
                return False
            if not self.port.is_idle:
                return True
            pieces = self._next_pieces()
            if pieces is None:
                return False
            self.port.queue(pieces, now)
        return True

    def _deadlines(self, now: int) -> None:
        if not self.session.half_open:
            self._half_since_ms = -1
        elif self._half_since_ms < 0:
            self._half_since_ms = now
        elif now - self._half_since_ms >= sessions.HANDSHAKE_DEADLINE_MS:
            self._half_since_ms = -1
            self._health.count(counts.SESSION_TIMEOUT)
            self.session.drop_half_open()
        if self.is_open and now - self._heard_real_ms >= SILENCE_MS:
            self._health.count(counts.SESSION_TIMEOUT)
            self._events(self.session.close(wire.BYE_SHUTDOWN))

    def _events(self, events: list) -> None:  # type: ignore[type-arg]
        said: list[bytes] = []
        for event in events:
            if isinstance(event, sessions.Send):
                said.append(event.data)
            elif isinstance(event, sessions.Received):
                self._received(event.message)
            elif isinstance(event, sessions.Opened):
                self._health.count(counts.SESSION_OPENED)
                self.key = event.key
                self._heard()
                self._reset()
            elif isinstance(event, sessions.Closed):
                self.key = None
                self._reset()
        if said and len(self._handshake) < _HANDSHAKE_MAX:
            self._handshake.append(said)

    def _heard(self) -> None:
        self._heard_real_ms = self._clock.real_ms()
        if self.rights & rights.ACCEPT:
            self._presence.heard(self)

    def _reset(self) -> None:
        self._answers = []
        self.parts = {}
        self._alarm = self._live = None
        if self.pump is not None:
            self.pump = Pump(self.pump.journal)

    def _received(self, message) -> None:  # type: ignore[no-untyped-def]
        self._heard()
        if isinstance(message, wire.Unknown):
            return
        for answer in self._handle(self, message):
            self.answer(answer)

    def _flush_answers(self) -> None:
        """Seal what waits now, so that it goes out before the BYE that follows."""
        answers, self._answers = self._answers, []
        for answer in answers:
            pieces = self._seal(answer)
            if pieces is not None:
                self._handshake.append(pieces)

    def _next_pieces(self) -> list[bytes] | None:
        if self._handshake:
            return self._handshake.pop(0)
        if not self.is_open:
            return None
        if self._answers:
            return self._seal(self._answers.pop(0))
        if self._alarm is not None:
            alarm, self._alarm = self._alarm, None
            return self._seal(alarm)
        if self._live is not None:
            live, self._live = self._live, None
            return self._seal(live)
        if self.pump is None:
            return None
        try:
            message = self.pump.next()
        except OSError:
            self._health.count(counts.JOURNAL_FAIL)
            return None
        return None if message is None else self._seal(message)

    def _seal(self, message) -> list[bytes] | None:  # type: ignore[no-untyped-def]
        if not self.is_open:
            return None
        try:
            return self.session.seal_pieces(message)  # type: ignore[no-any-return]
        except CoreError:  # too large for this peer, or its counter is used up
            self._health.count(counts.TX_DROPPED)
            return None
