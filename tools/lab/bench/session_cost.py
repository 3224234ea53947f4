"""What the link costs the wearable: sealing and framing a 240-byte message, and taking an ACK, on MicroPython unix.

For comparison: 240 bytes take 20 800 us on a 115 200 baud line. No board was measured: a chip is slower by a factor
that only the chip can tell.
"""

from collections.abc import Iterable

from tools.rig.micropython import ROOT, run_micropython

MICROPYTHON_SCRIPT = ROOT / "tools" / "lab" / "bench" / "micropython" / "session_cost.py"
# name in the script, what it is, target in microseconds: our own, about three times a quiet desk machine
ROWS = (
    ("send", "session: seal and frame a 240 B message", 40.0),
    ("receive", "session: take and open an ACK", 60.0),
    ("handshake", "session: whole handshake, both sides", 700.0),
    ("counter_mode", "session: AES-128 counter mode, 240 B", 15.0),
    ("mac", "session: HMAC-SHA256, 245 B", 15.0),
    ("frame", "frame: CRC-32 and stuffing, 253 B", 15.0),
    ("send_4096", "session: seal and frame a 4096 B message", 800.0),
)


def measured() -> dict[str, float]:
    """Microseconds by name; RuntimeError with the interpreter's words when it failed."""
    done = run_micropython(MICROPYTHON_SCRIPT)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return {name: float(us) for name, us in (line.split() for line in done.stdout.splitlines())}


def rows() -> Iterable[tuple[str, str, str, bool]]:
    """(name, figure, target, reached), all on MicroPython unix."""
    figures = measured()
    for key, label, target_us in ROWS:
        yield label, f"{figures[key]:.1f} us", f"<= {target_us:.0f} us", figures[key] <= target_us
