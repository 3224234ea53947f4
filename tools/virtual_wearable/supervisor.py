"""Everything around the chip: power, resets, the port, and the loop that serves them."""

import contextlib
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.virtual_wearable.bridge import Bridge
from tools.virtual_wearable.build import Build
from tools.virtual_wearable.cable import Cable
from tools.virtual_wearable.chip_process import (
    HARD_RESET,
    PWRON_RESET,
    SOFT_RESET,
    WDT_RESET,
    ChipProcess,
)
from tools.virtual_wearable.chip_service import ChipService
from tools.virtual_wearable.control import ControlServer, carry_out
from tools.virtual_wearable.flash_plan import FlashPlan
from tools.virtual_wearable.lockstep import STUCK_S, Lockstep
from tools.virtual_wearable.panel import Panel
from tools.virtual_wearable.ptys import HostPort
from tools.virtual_wearable.watchdog import Watchdog
from tools.virtual_wearable.world import World

_TICK_S = 0.02
_BREAK_S = 0.0005
_PRESS_MIN_S = 0.01
_YOUNG_S = 0.25
_CRASHES = 5
_START_S = 10.0
_MESSAGE_BYTES = 16384


class BoardDeadError(Exception):
    """The virtual board cannot go on; the text says why."""


class Supervisor:
    """One virtual wearable. `run` returns when it was asked to stop."""

    def __init__(
        self,
        build: Build,
        world: World,
        flash: FlashPlan,
        control_path: Path | None,
        lockstep: Lockstep | None = None,
        cable: Cable | None = None,
    ) -> None:
        self.build, self.world, self.flash, self._lockstep = build, world, flash, lockstep
        self._axis = world.axis
        self._cable = cable or Cable(None)
        self._dir = Path(tempfile.mkdtemp(prefix="vw-"))
        self.panel = Panel(self._dir / "inputs")
        self.watchdog = Watchdog()
        self.port = HostPort()
        self.bridge = Bridge(self.port, build.bps, lockstep, build.seed or 1)
        self.control = ControlServer(control_path, self) if control_path else None
        self.resets = {"power": 0, "machine": 0, "watchdog": 0, "soft": 0, "crash": 0}
        self.chip: ChipProcess | None = None
        self.mounted: bool | None = None
        self._service = ChipService(world, self.panel, self.watchdog, flash, self)
        # a path of a socket has 107 bytes at most, so the folder's name is short
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self._dir / "chip"))
        self._listener.listen(1)
        self._backplane: socket.socket | None = None
        self.stopping = self._closed = False
        self._lives = 0
        self._ready = False
        self._power_back: float | None = None  # time of the axis at which a cut ends
        self._next_cause = PWRON_RESET
        self._crashes = 0
        self._let_go: float | None = None
        self._raw_next = False
        self._actions = sorted(world.track.actions, key=lambda action: action.t_s)

    def _spawn(self, cause: int, raw_repl: bool = False) -> None:
        self._ready = False
        self._born, self._real_born = self._axis.now_s(), time.monotonic()
        self._lives += 1
        self.chip = ChipProcess(
            self.build.heap,
            {
                "VW_SOCKET": str(self._dir / "chip"),
                "VW_INPUTS": str(self._dir / "inputs"),
                "VW_RAW_MARK": self.bridge.mark,
                "VW_RESET_CAUSE": str(cause),
                "VW_RAW_REPL": "1" if raw_repl else "0",
                **self.build.environment(self._lives),
                **(self._lockstep.environment() if self._lockstep else {}),
            },
            self._lockstep is not None,
        )  # fmt: skip
        if self._lockstep:
            self._lockstep.chip_started()
        self.bridge.attach(self.chip, raw_repl)

    def _bury(self) -> tuple[int, bool]:
        """Take away the dead chip, after its last words; returns its wait status and whether it was in the raw REPL."""
        assert self.chip is not None
        status = self.chip.wait()
        if self._lockstep is None:
            time.sleep(0.001)  # a terminal hands its bytes over a moment after they were written
        raw = self.bridge.detach()
        if self._backplane:
            self._backplane.close()
            self._backplane = None
        self.chip.close()
        self.chip = None
        return status, raw

    def hard_reset(self, cause: int, kind: str, off_ms: int = 0) -> None:
        """Kill the chip where it stands and start it as after power-on; `off_ms` without power before."""
        self.resets[kind] += 1
        if self.chip:
            self.chip.kill()
            self._bury()
        self.watchdog.clear()
        self.panel.dark(self.world.now_ms())
        self._next_cause = cause
        self._power_back = self._axis.now_s() + off_ms / 1000
        if kind == "power" and self.build.once:
            self.stopping = True

    def power_cut(self, off_ms: int | None = None) -> None:
        """Take the power away and give it back after `off_ms` of real time."""
        self.hard_reset(PWRON_RESET, "power", self.build.off_ms if off_ms is None else off_ms)

    def console_ready(self, mounted: bool) -> None:
        self._ready, self.mounted = True, mounted
        self.bridge.listen()
        if not mounted:
            print(
                f"{self.build.image}: not blank and cannot be mounted; left as it is, nothing was formatted",
                file=sys.stderr, flush=True,
            )  # fmt: skip

    def keyboard_interrupt(self, on: bool) -> None:
        self.bridge.interruptible = on

    def reset_requested(self) -> None:
        self.hard_reset(HARD_RESET, "machine")

    def cut_requested(self) -> None:
        self.power_cut()

    def soft_reset_requested(self) -> None:
        if self.chip:
            self.chip.kill()
            self._bury()
            self._soft_reset(raw_repl=False)

    def _soft_reset(self, raw_repl: bool) -> None:
        self.resets["soft"] += 1
        self.panel.mute(self.world.now_ms())
        self.bridge.say(b"\r\nMPY: soft reboot\r\n")
        now = self._axis.now_s()
        young = now - self._born < _YOUNG_S
        self._power_back = now + (0.1 if young else 0)  # a boot loop does not eat the machine
        self._next_cause = SOFT_RESET
        self._raw_next = raw_repl

    def _chip_ended(self) -> None:
        status, raw = self._bury()
        if os.WIFEXITED(status) and self._ready:  # Ctrl-D, sys.exit(), machine.soft_reset() at the REPL
            self._soft_reset(raw)
            return
        self.resets["crash"] += 1
        words = f"with status {status}: {self.bridge.last_words()}"
        print(f"the interpreter ended {words}", file=sys.stderr, flush=True)
        self._crashes = 0 if self._ready else self._crashes + 1
        if self._crashes >= _CRASHES:
            raise BoardDeadError(f"the interpreter ended {_CRASHES} times before it was up, last {words}")
        self.hard_reset(PWRON_RESET, "power", self.build.off_ms)

    # -- the loop --

    def press(self, board_ms: int) -> None:
        """Hold the button down for `board_ms` of the wearable's time, at least _PRESS_MIN_S of real time."""
        self.panel.set_button(True)
        self._let_go = self._axis.now_s() + max(_PRESS_MIN_S, board_ms / 1000 / self.build.speed)

    def stop(self, *_: object) -> None:
        """Ask `run` to end."""
        self.stopping = True

    def run(self) -> None:
        """Serve until stopped; cleans up whatever happens."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(wake_read, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._power_back = self._axis.now_s()
        try:
            while not self.stopping:
                self._turn(wake_read)
        finally:
            signal.set_wakeup_fd(-1)
            self.close()

    def _turn(self, wake_read: int) -> None:
        now = self._axis.now_s()
        if self.chip is None and self._power_back is not None and now >= self._power_back:
            raw, self._raw_next, self._power_back = self._raw_next, False, None
            self._spawn(self._next_cause, raw)
        if self._lockstep:
            self._lockstep.wait(self, wake_read)
        else:
            self._wait(wake_read, now)
        self._serve_backplane()
        now = self._axis.now_s()
        # in simulated time nothing else moves while the chip runs: what it meets must not depend on who is faster
        if self.chip is None or not (self._lockstep and self._lockstep.chip_runs):
            if self.control and (self._lockstep is None or self._lockstep.has_begun()):
                self.control.serve()
            self.bridge.pump(now)
        if self.chip and self.chip.ended():
            self._chip_ended()
        start_s = STUCK_S if self._lockstep else _START_S
        if self.chip and not self._ready and time.monotonic() - self._real_born > start_s:
            said = self.bridge.last_words()
            raise BoardDeadError(f"the interpreter did not start within {start_s:g} s: {said}")
        if self.watchdog.bites_now(now):
            self.hard_reset(WDT_RESET, "watchdog")
        if self._let_go is not None and now >= self._let_go:
            self._let_go = None
            self.panel.set_button(False)
        if self._cable.is_back(now):
            self._cable.lead_to(self.port.name)
        self._run_actions()

    def unplug(self, off_ms: int) -> None:
        """The cable is pulled, and put back after so long."""
        self._cable.pull(self._axis.now_s() + off_ms / 1000)
        self.port.make_anew()

    def _wait(self, wake_read: int, now: float) -> None:
        readers: list[Any] = [wake_read, self._backplane or self._listener]
        if self.control:
            readers += self.control.sockets()
        more_readers, writers = self.bridge.wanted(self.port.state()[0], now)
        select.select(readers + more_readers, writers, [], _BREAK_S if self.bridge.breaking else _TICK_S)
        try:
            os.read(wake_read, 512)
        except BlockingIOError:
            return

    def _serve_backplane(self) -> None:
        if self._backplane is None:
            if select.select([self._listener], [], [], 0)[0]:
                self._backplane = self._listener.accept()[0]
                if self._lockstep:
                    self._backplane.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, self._lockstep.patience)
                else:
                    self._backplane.setblocking(False)
            return
        for _ in range(64):  # so that a busy bus does not starve the port
            if not self._serve_message():
                return

    def _serve_message(self, flags: int = socket.MSG_DONTWAIT) -> bool:
        """Take one message of the chip; False when there is none."""
        if self._backplane is None:
            return False
        try:
            message = self._backplane.recv(_MESSAGE_BYTES, flags)
        except BlockingIOError:
            return False
        except OSError:
            message = b""
        if not message:
            self._backplane.close()
            self._backplane = None
            return False
        answer = self._service.take(message, self._axis.now_s())
        if answer is not None:
            self.tell_chip(answer)
        return True

    def serve_chip(self, chip_runs: Callable[[], bool], timeout_s: float) -> bool:
        """Simulated time: serve the chip while it runs; False when it has said nothing for so long."""
        if self._backplane is None:
            return bool(select.select([self._listener], [], [], timeout_s)[0])
        while self._backplane is not None and chip_runs() and not self.stopping:
            if not self._serve_message(0):
                return self._backplane is None
        return True

    def tell_chip(self, answer: bytes) -> None:
        """Answer the chip; one that is gone needs none."""
        if self._backplane:
            with contextlib.suppress(OSError):
                self._backplane.send(answer, socket.MSG_DONTWAIT)

    def time_asked(self, payload: bytes) -> None:
        if self._lockstep:
            self._lockstep.asked(payload)

    def time_told(self, payload: bytes) -> None:
        if self._lockstep:
            self._lockstep.told(payload)

    def program_ended(self) -> None:
        if self._lockstep:
            self._lockstep.at_prompt()

    def appointments(self) -> list[float | None]:
        """Times of the axis at which the board has something to do by itself; None for none."""
        action_s = self.world.axis_s(self._actions[0].t_s) if self._actions else None
        return [
            self._power_back, self.watchdog.due, self._let_go, action_s, self.bridge.due(), self._cable.back_s
        ]  # fmt: skip

    def _run_actions(self) -> None:
        at_s = self.world.track_s()
        while self._actions and at_s >= self._actions[0].t_s:
            self.do(self._actions.pop(0).command)

    def do(self, command: dict[str, object]) -> dict[str, object]:
        """Carry out one control command; see control.py."""
        return carry_out(self, command)

    def close(self) -> None:
        """Take everything away; again does nothing."""
        if self._closed:
            return
        self._closed = True
        if self.chip:
            self.chip.kill()
            self._bury()
        if self.control:
            self.control.close()
        self._listener.close()
        self.port.close()
        self.panel.close()
        shutil.rmtree(self._dir, ignore_errors=True)
