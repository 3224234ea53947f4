"""The control socket: JSON lines in, JSON lines out, for tests and for the demo to look at and act on the wearable.

Commands: state | outputs {since} | press {ms} | play | battery {mv} | charging {on} | cut {off_ms} | reset |
unplug {off_ms} | fault {what, ...} with what = nack {address, times, errno}, stuck_fifo,
nack_in_burst {address, after_bytes, times}, light {red, ir}, sunlight, swapped, stuck_temp, flash {writes, reads},
cut_at {op, torn_pct}, noise {per_million};
heal ends all faults. Every answer has "done" true, or false with "error".
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.virtual_wearable.chip_process import PWRON_RESET

if TYPE_CHECKING:
    from tools.virtual_wearable.supervisor import Supervisor

_LINE_MAX = 65536


class ControlServer:
    """Listens at `path` (a unix socket) and answers from the supervisor's loop."""

    def __init__(self, path: Path, board: Supervisor) -> None:
        self._path, self._board = path, board
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(4)
        self._listener.setblocking(False)
        self._peers: dict[socket.socket, bytearray] = {}

    def sockets(self) -> list[socket.socket]:
        """All sockets to wait on."""
        return [self._listener, *self._peers]

    def serve(self) -> None:
        """Answer everything that waits."""
        with contextlib.suppress(BlockingIOError):
            peer = self._listener.accept()[0]
            peer.setblocking(False)
            self._peers[peer] = bytearray()
        for peer in list(self._peers):
            self._serve_peer(peer)

    def _serve_peer(self, peer: socket.socket) -> None:
        try:
            data = peer.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        buffer = self._peers[peer]
        buffer += data
        if not data or len(buffer) > _LINE_MAX:
            del self._peers[peer]
            peer.close()
            return
        while b"\n" in buffer:
            line, _, rest = bytes(buffer).partition(b"\n")
            buffer[:] = rest
            answer = self._answer(line)
            peer.settimeout(1.0)  # a peer that does not read its answer is not waited for
            try:
                peer.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                del self._peers[peer]
                peer.close()
                return
            peer.setblocking(False)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
        except ValueError as error:
            return {"done": False, "error": f"not JSON: {error}"}
        if not isinstance(command, dict):
            return {"done": False, "error": "a command is a JSON object"}
        return self._board.do(command)

    def close(self) -> None:
        """Close and remove the socket."""
        for peer in self._peers:
            peer.close()
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


def carry_out(board: Supervisor, command: dict[str, Any]) -> dict[str, Any]:
    """Do one command on the board and return the answer."""
    name = command.get("cmd")
    action = _COMMANDS.get(str(name))
    if action is None:
        return {"done": False, "error": f"unknown command {name!r}; known: {', '.join(sorted(_COMMANDS))}"}
    try:
        return {"done": True} | (action(board, command) or {})
    except (KeyError, TypeError, ValueError) as error:
        return {"done": False, "error": f"{name}: {error!r}"}


def _state(board: Supervisor, _: dict[str, Any]) -> dict[str, Any]:
    world, panel, flash = board.world, board.panel, board.flash
    return {
        "led": [panel.outputs["red"], panel.outputs["green"], panel.outputs["blue"]],
        "buzzer": panel.buzzer,
        "vibration": panel.outputs["vibration"],
        "button": panel.button_pressed,
        "battery_mv": panel.battery_mv,
        "sim_ms": world.now_ms(),
        "track_s": round(world.track_s(), 3),
        "track_end_s": world.track.end_s,
        "speed": world.speed,
        "held": world.held,
        "truth": world.truth(),
        "pid": board.chip.pid if board.chip else None,
        "port": board.port.name,
        "host_open": board.port.state()[0],
        "mounted": board.mounted,
        "resets": board.resets,
        "watchdog_due_ms": None
        if board.watchdog.due is None
        else round((board.watchdog.due - board.world.axis.now_s()) * 1000),
        "rx_dropped": board.bridge.receiver.dropped,
        "flash": {
            "erases": flash.erases,
            "programs": flash.programs,
            "failed": flash.failed,
            "cuts": flash.cuts,
        },
        "i2c": {"transactions": world.bus.transactions, "refused": world.bus.refused},
        "fifo": {"lost": world.ppg.lost, "over_reads": world.ppg.over_reads},
        "outputs": panel.changes,
        "supervisor_pid": os.getpid(),
    }


def _outputs(board: Supervisor, command: dict[str, Any]) -> dict[str, Any]:
    since = int(command.get("since", 0))
    return {"log": [entry for entry in board.panel.log if int(str(entry["n"])) > since]}


def _press(board: Supervisor, command: dict[str, Any]) -> None:
    board.press(int(command.get("ms", 200)))


def _play(board: Supervisor, _: dict[str, Any]) -> None:
    board.world.play()


def _battery(board: Supervisor, command: dict[str, Any]) -> None:
    board.panel.set_battery(int(command["mv"]))


def _charging(board: Supervisor, command: dict[str, Any]) -> None:
    board.panel.set_charging(bool(command["on"]))


def _cut(board: Supervisor, command: dict[str, Any]) -> None:
    board.power_cut(int(command["off_ms"]) if "off_ms" in command else None)


def _reset(board: Supervisor, _: dict[str, Any]) -> None:
    board.hard_reset(PWRON_RESET, "power")


def _unplug(board: Supervisor, command: dict[str, Any]) -> None:
    board.unplug(int(command["off_ms"]))


def _fault(board: Supervisor, command: dict[str, Any]) -> None:
    what = command["what"]
    if what == "nack":
        board.world.bus.fail(
            int(command["address"]), int(command.get("times", -1)), int(command.get("errno", 5))
        )
    elif what == "stuck_fifo":
        board.world.ppg.stuck = True
    elif what == "nack_in_burst":
        board.world.bus.break_off(
            int(command["address"]), int(command.get("after_bytes", 21)), int(command.get("times", 1))
        )
    elif what == "light":
        board.world.ppg.red_light = float(command.get("red", 1))
        board.world.ppg.ir_light = float(command.get("ir", 1))
    elif what == "sunlight":
        board.world.ppg.sunlight = True
    elif what == "swapped":
        board.world.ppg.swapped = True
    elif what == "stuck_temp":
        board.world.thermometer.stuck = True
    elif what == "flash":
        board.flash.fail_writes = int(command.get("writes", 0))
        board.panel.set_flash_read_fault(bool(command.get("reads", False)))
    elif what == "cut_at":
        board.flash.cut_at = int(command["op"])
        board.flash.torn_pct = int(command.get("torn_pct", 0))
    elif what == "noise":
        board.bridge.noise_per_million = int(command["per_million"])
    else:
        raise ValueError(f"unknown fault {what!r}")


def _heal(board: Supervisor, _: dict[str, Any]) -> None:
    board.world.bus.faults.clear()
    board.world.bus.broken.clear()
    ppg = board.world.ppg
    ppg.red_light = ppg.ir_light = 1.0
    ppg.sunlight = ppg.swapped = False
    board.world.ppg.stuck = board.world.thermometer.stuck = False
    board.flash.fail_writes, board.flash.cut_at = 0, None
    board.panel.set_flash_read_fault(False)
    board.bridge.noise_per_million = 0


_COMMANDS = {
    "state": _state, "outputs": _outputs, "press": _press, "play": _play, "battery": _battery,
    "charging": _charging, "cut": _cut, "reset": _reset, "unplug": _unplug, "fault": _fault, "heal": _heal,
}  # fmt: skip
