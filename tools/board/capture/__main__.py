"""Record light: `python -m tools.board.capture PORT [--seconds N] --out FILE.csv`, 25 rows a second of `t_s,red,ir`.

The application stops during the recording: NOBODY IS MONITORED until the board has restarted. This tool restarts it at
the end and after Ctrl-C. The firmware's own driver sets the LED currents. A row without counts is a lost sample.
"""

import argparse
import json
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from host_agent.terminal.guarding import Guard
from host_agent.terminal.streams import run_clean
from tools.board.capture.on_board import SCRIPT
from tools.board.capture.rows import BoardLineError, Rows
from tools.board.port import BIN, NOBODY, BoardPort, PortError, add_guard_options, guard_of, released

SECONDS_MAX = 1500  # the board's watchdog is fed for 30 minutes at the REPL, then it restarts
SILENT_S = 15.0
LINE_MAX = 4096
RATE_HZ = 25


def record(board: BoardPort, rows: Rows, seconds: int) -> None:
    """Run the script on the board and write its rows until it ends; PortError: no sensor, or no answer."""
    board.execute("pass")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(SCRIPT.replace("SECONDS", str(seconds)))
        script.flush()
        process = subprocess.Popen(
            [str(BIN / "mpremote"), "connect", board.port, "run", script.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
            start_new_session=True,  # a Ctrl-C at the terminal is ours to handle
        )  # fmt: skip
        try:
            _follow(board.port, process, rows, seconds)
        finally:
            process.terminate()
            process.wait(10)


def _follow(port: str, process: subprocess.Popen[bytes], rows: Rows, seconds: int) -> None:
    assert process.stdout is not None
    text = b""
    told_s = 0
    heard = time.monotonic()
    while not rows.ended:
        if not select.select([process.stdout], [], [], 1.0)[0]:
            if time.monotonic() - heard > SILENT_S:
                raise PortError(f"{port}: the board said nothing for {SILENT_S:.0f} s. {rows.fault}".strip())
            continue
        data = process.stdout.read(4096)
        if not data:
            last = text.decode(errors="replace").strip()
            raise PortError(f"{port}: the recording stopped early. {rows.fault or last}".strip())
        heard = time.monotonic()
        *lines, text = (text + data).split(b"\n")
        if len(text) > LINE_MAX:
            raise PortError(f"{port}: the board sends no lines of text. Is another program on it?")
        for line in lines:
            before = rows.fault
            rows.take(line.decode(errors="replace"))
            if rows.fault and rows.fault != before:
                _say(rows.fault)
        done_s = (rows.samples + rows.lost) // RATE_HZ
        if done_s > told_s:
            told_s = done_s
            _say(f"{done_s} of {seconds} s, {rows.samples} samples, {rows.lost} lost")
    if not rows.samples:
        raise PortError(f"{port}: no sample came. {rows.fault}".strip())


def _say(text: str) -> None:
    print(f"capture: {text}", file=sys.stderr, flush=True)


def capture(port: str, out: TextIO, seconds: int, guard: Guard = NOBODY) -> tuple[Rows, str]:
    """Record, then restart the board; (the rows, how it ended: "whole", "stopped" or the error)."""
    rows = Rows(out, seconds * RATE_HZ)
    ended = "whole"
    with released(port, guard):
        board = BoardPort(port)
        _say("stopping the application; nobody is monitored until the board has restarted")
        try:
            record(board, rows, seconds)
        except KeyboardInterrupt:
            ended = "stopped"
        except (PortError, BoardLineError) as error:
            ended = str(error)
        except OSError as error:  # a full disk: the board must restart all the same
            ended = f"the rows cannot be written: {error.strerror or error}"
        try:
            board.restart()
            _say("the board restarts and monitors again")
        except PortError as error:
            first = "" if ended in ("whole", "stopped") else f"{ended}; "
            ended = f"{first}the board may NOT be monitoring; reset it by hand: {error}"
    return rows, ended


def main() -> int:
    """Exit 0: recorded in full; 130: stopped by Ctrl-C, the rows so far are kept; 1: failed; 2: wrong options."""
    parser = argparse.ArgumentParser(prog="python -m tools.board.capture", description=__doc__)
    parser.add_argument("port")
    parser.add_argument("--seconds", type=int, default=60, help=f"1 to {SECONDS_MAX}, default 60")
    parser.add_argument("--out", type=Path, required=True, help="the recording; must not exist yet")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    add_guard_options(parser)
    options = parser.parse_args()
    if not 1 <= options.seconds <= SECONDS_MAX:
        parser.error(f"--seconds must be 1 to {SECONDS_MAX}")
    try:
        out = options.out.open("x", encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        parser.error(f"--out {options.out}: {getattr(error, 'strerror', None) or error}")
    rows, ended = Rows(out, 0), ""
    try:
        with out:
            try:
                rows, ended = capture(options.port, out, options.seconds, guard_of(options))
            except PortError as error:
                ended = str(error)
    except OSError as error:  # the last rows did not fit on the disk
        ended = f"the rows cannot be written: {error.strerror or error}"
    if not rows.samples:
        options.out.unlink()
    summary = {
        "out": str(options.out) if rows.samples else None,
        "ended": ended,
        "seconds": round((rows.samples + rows.lost) / RATE_HZ, 2),
        "samples": rows.samples,
        "lost": rows.lost,
        "light_changes": rows.light_changes,
        "simulated": rows.simulated,
    }
    if options.json:
        print(json.dumps(summary))
    else:
        samples = f"{rows.samples} {'simulated ' if rows.simulated else ''}samples"
        print(f"{options.out}: {samples}, {rows.lost} lost, {rows.light_changes} changes of light; {ended}")
    return {"whole": 0, "stopped": 130}.get(ended, 1)


if __name__ == "__main__":
    run_clean(main)
