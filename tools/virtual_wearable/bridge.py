"""Moves the bytes between the host's port and the chip's terminal, in both directions, as the port of a board would."""

import os
import random
import secrets

from tools.virtual_wearable.break_in import Breaker, BreakIn, Outcome
from tools.virtual_wearable.chip_process import ChipProcess
from tools.virtual_wearable.console import CTRL_C, Cooker, Receiver, ReplWatch
from tools.virtual_wearable.ptys import HostPort

_OUT_LIMIT = 4096  # bytes on their way to a host that does not read; then the chip's port is not ready
_IN_MOST = 1024


class Bridge:
    """The port's two queues. `attach` a chip when it starts, `detach` it when it has ended."""

    def __init__(self, port: HostPort, bps: int, breaker: Breaker | None = None, seed: int = 1) -> None:
        """`breaker`: how Ctrl-C reaches every chip; None: a new BreakIn for each. `seed`: of the noise on the line."""
        self.port = port
        self.mark = f"\x1d{secrets.token_hex(6)}"
        self.receiver = Receiver()
        self.interruptible = True  # micropython.kbd_intr
        self.gave = False  # the chip has been given bytes since this was last cleared
        self.breaking = False  # a Ctrl-C waits for a moment in which the interpreter can take it
        self.noise_per_million = (
            0  # of so many bytes, on their way in either direction, one is lost or spoiled
        )
        self._noise = random.Random(f"{seed} noise")
        self._bps = bps
        self._own_breaker = breaker
        self._chip: ChipProcess | None = None
        self._listens = False
        self._out = bytearray()
        self._tail = b""
        self._in_after = 0.0

    def attach(self, chip: ChipProcess, raw_repl: bool) -> None:
        """A chip has started; `raw_repl` types what brings it back into the raw REPL."""
        self._chip, self._listens = chip, False
        self.interruptible, self.breaking = True, False
        self._cooker, self._watch = Cooker(self.mark.encode()), ReplWatch()
        self._breaker = self._own_breaker or BreakIn(chip.pid)
        if raw_repl:
            self.receiver.inject(b"\r\x01")

    def listen(self) -> None:
        """The chip reads its port from now on."""
        self._listens = True

    def detach(self) -> bool:
        """Take the chip's last words; True when it was in the raw REPL."""
        self.take_output(all_of_it=True)
        self._chip, self._listens, self.breaking = None, False, False
        self.receiver.release()
        return self._watch.raw

    def say(self, data: bytes) -> None:
        """Put the board's own words on the line."""
        self._out += data

    def last_words(self) -> str:
        """The end of what the chip said, for an error message."""
        return self._tail.decode("utf-8", "replace").strip().replace("\r\n", " | ")

    def due(self) -> float | None:
        """When held back bytes may go on; None when nothing is held back."""
        return self.receiver.held_until

    def wanted(self, host_open: bool, now: float) -> tuple[list[int], list[int]]:
        """Descriptors to wait for: readers and writers."""
        readers, writers = [], []
        if host_open and now >= self._in_after:
            readers.append(self.port.fd)
        if self._out and host_open:
            writers.append(self.port.fd)
        if self._chip:
            if len(self._out) < _OUT_LIMIT:
                readers.append(self._chip.ours)
            if self._listens and self.receiver.ready(now):
                writers.append(self._chip.ours)
        return readers, writers

    def pump(self, now: float) -> None:
        """Move what can be moved."""
        if self._chip and len(self._out) < _OUT_LIMIT:
            self.take_output()
        host_open, host_bytes = self.port.state()
        if host_open or host_bytes:
            self._from_host(now)
        if self.breaking and not self._break_in(now):
            self.receiver.release()
        self._to_chip(now)
        self._to_host(self.port.state()[0])

    def take_output(self, all_of_it: bool = False) -> None:
        """Read what the chip has written."""
        while self._chip and (all_of_it or len(self._out) < _OUT_LIMIT):
            try:
                data = os.read(self._chip.ours, 65536)
            except (BlockingIOError, OSError):
                return
            if not data:
                return
            if self._watch.feed(data):
                self.receiver.release()
            text = self._spoiled(self._cooker.feed(data))
            self._tail = (self._tail + text)[-200:]
            self._out += text

    def _from_host(self, now: float) -> None:
        if now < self._in_after:
            return
        try:
            data = self.port.read(min(_IN_MOST, max(1, self._bps // 100)) if self._bps else _IN_MOST)
        except (BlockingIOError, OSError):
            return
        data = self._spoiled(data)
        if self._bps:
            self._in_after = now + len(data) * 10 / self._bps
        unread = 0
        if self._chip and self._listens:
            unread = self._chip.unread()
            _, ctrl_c, after = data.rpartition(CTRL_C)
            if ctrl_c and not self.receiver.is_held(now) and self._break_in(now):
                self.receiver.clear()
                data, unread = after, 0
        self.receiver.accept(data, unread, now)

    def _spoiled(self, data: bytes) -> bytes:
        """What the noise leaves of it."""
        if not self.noise_per_million:
            return data
        chance = self._noise
        kept = bytearray()
        for byte in data:
            if chance.randrange(1_000_000) >= self.noise_per_million:
                kept.append(byte)
            elif chance.random() < 0.5:
                kept.append(byte ^ 1 << chance.randrange(8))
        return bytes(kept)

    def _break_in(self, now: float) -> bool:
        """Break into a running program, now or in a moment; False when there is none, or it wants Ctrl-C as data."""
        if self._chip is None or not self.interruptible:
            self.breaking = False
            return False
        if not self.breaking:
            self._breaker.begin()
        outcome = self._breaker.attempt()
        self.breaking = outcome is Outcome.BUSY
        if outcome is Outcome.PROMPT:
            return False
        self.receiver.interrupted(now)
        return True

    def _to_chip(self, now: float) -> None:
        if self._chip is None or not self._listens:
            return
        data = self.receiver.ready(now)
        if not data:
            return
        if data == CTRL_C and self._break_in(now):
            self.receiver.taken(1)
            return
        try:
            self.receiver.taken(os.write(self._chip.ours, data))
            self.gave = True
        except BlockingIOError:
            return

    def _to_host(self, is_open: bool) -> None:
        if not is_open:
            self._out.clear()
        if self._out:
            try:
                del self._out[: self.port.write(bytes(self._out[:4096]))]
            except BlockingIOError:
                return
