"""Cost of the link on the wearable: seal and frame a 240-byte message, and open an ACK, on MicroPython unix.

For comparison: 240 bytes take 20 800 us on a 115 200 baud line. No board was measured; a chip is slower.
"""

from collections.abc import Iterable

from tools.lab.bench.measuring import Row, words_of
from tools.rig.micropython import ROOT

MICROPYTHON_SCRIPT = ROOT / "tools" / "lab" / "bench" / "micropython" / "session_cost.py"
# Name in the script, label, our own target in microseconds: about three times the time of an idle desktop computer.
ROWS = (
    ("send", "session: seal and frame a 240 B message", 40.0),
    ("receive", "session: take and open an ACK", 60.0),
    ("handshake", "session: whole handshake, both sides", 700.0),
    ("counter_mode", "session: AES-128 counter mode, 240 B", 15.0),
    ("mac", "session: HMAC-SHA256, 245 B", 15.0),
    ("frame", "frame: CRC-32 and stuffing, 253 B", 15.0),
    ("send_4096", "session: seal and frame a 4096 B message", 800.0),
)


def rows() -> Iterable[Row]:
    """All on MicroPython unix."""
    figures = {name: float(us) for name, us in words_of(MICROPYTHON_SCRIPT)}
    for key, label, target_us in ROWS:
        yield label, f"{figures[key]:.1f} us", f"<= {target_us:.0f} us", figures[key] <= target_us
