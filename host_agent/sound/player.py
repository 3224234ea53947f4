"""The process that makes the sound: `python -m host_agent.sound.player`, with one command on each line of its input.

    play PRIORITY VOLUME   repeat this burst until another command; the volume is in percent
    try                    open the device and play silence, to see that it can be opened
    stop                   close the device

It answers `ready`, `using NAME`, every half second `frames N` (how many the device took since it was opened), and
`failed WHY`. It is a process, because a device may block a call for ever: its owner then ends it. It ends by itself
with its input, so that nothing sounds after its owner ended.
"""

import os
import sys
import threading
from array import array
from collections.abc import Generator
from typing import Any

import miniaudio

from host_agent.sound.patterns import PATTERNS, RATE_HZ, burst

TOLD_EVERY_S = 0.5
_BUFFER_MS = 60
# Every system's own, in the library's order, without the one that plays into nothing.
_BACKENDS = [one for one in miniaudio.Backend if one.name not in ("NULL", "CUSTOM", "WEBAUDIO")]
_SILENCE = array("h", bytes(2 * RATE_HZ // 10))


class Player:
    """The device, and what it plays now."""

    def __init__(self) -> None:
        self.frames = 0
        self._device: miniaudio.PlaybackDevice | None = None
        self._samples = _SILENCE
        self._is_repeated = True
        self._at = 0

    def obey(self, command: str) -> None:
        """Carry out one line; what fails is told."""
        word, *rest = command.split()
        try:
            if word == "play":
                pattern = PATTERNS[int(rest[0])]
                self._samples, self._at = burst(pattern, int(rest[1])), 0
                self._is_repeated = pattern.gap_ms > 0
                self._open()
            elif word == "try":
                self._samples, self._at, self._is_repeated = _SILENCE, 0, True
                self._open()
            elif word == "stop":
                self._close()
        except miniaudio.MiniaudioError as error:
            self._close()
            tell(f"failed {error.args[0] if error.args else error}")

    def beat(self) -> None:
        """Tell how much the device has taken, while it is open."""
        if self._device is not None:
            tell(f"frames {self.frames}")

    def _open(self) -> None:
        if self._device is not None:
            return
        self.frames = 0
        self._device = miniaudio.PlaybackDevice(
            nchannels=1, sample_rate=RATE_HZ, buffersize_msec=_BUFFER_MS, backends=_BACKENDS,
            app_name="CytoWatch",
        )  # fmt: skip
        source = self._source()
        next(source)
        self._device.start(source)
        tell(f"using {self._device.backend}")

    def _close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _source(self) -> Generator["array[int]", int, None]:
        """Asked by the device's own thread for so many samples."""
        wanted = yield array("h")
        while True:
            samples, at = self._samples, self._at
            taken = samples[at : at + wanted]
            at += len(taken)
            if at >= len(samples):
                at = 0
                if not self._is_repeated:
                    self._samples = _SILENCE
            self._at = at
            self.frames += wanted
            # at the end of the samples fewer than were asked for: the rest of the buffer is silent already
            wanted = yield taken


def tell(line: str) -> None:
    """One line to the owner; without an owner nothing may sound on."""
    try:
        os.write(sys.stdout.fileno(), f"{line}\n".encode())
    except OSError:
        os._exit(0)


def main(argv: list[str] | None = None) -> Any:
    """Until the input ends. The process leaves without closing the device: that may block."""
    player = Player()
    tell("ready")

    def beat() -> None:
        while True:
            never.wait(TOLD_EVERY_S)
            if os.getppid() != owner:  # also while a call to the device hangs
                os._exit(0)
            player.beat()

    owner, never = os.getppid(), threading.Event()
    threading.Thread(target=beat, daemon=True).start()
    for line in sys.stdin:
        if line.strip():
            player.obey(line)
    os._exit(0)


if __name__ == "__main__":
    main()
