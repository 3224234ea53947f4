"""Counters of everything that was dropped, retried or failed, and the faults that wait to be journaled.

A counter's id is part of the protocol (STATUS_IS and HEALTH carry it): never reuse a number. Names and meanings are
in crs_core/counters.py, which a test holds against this list and which the wearable does not load.
"""

from crs_core.compat import const

I2C_RETRY = const(1)
I2C_FAIL = const(2)
PPG_OVERFLOW = const(3)
PPG_LOST_SAMPLES = const(4)
TEMP_FAIL = const(5)
SENSOR_RESTART = const(6)
STEP_LATE_SECONDS = const(7)
READING_LATE = const(8)
JOURNAL_FAIL = const(9)
UNJOURNALED_EVENT = const(10)
GAP_COALESCED = const(11)
TASK_CRASH = const(12)
RX_BAD_CRC = const(13)
RX_OVERSIZE = const(14)
RX_SHORT = const(15)
RX_TEXT_BYTES = const(16)
RX_BAD_SEAL = const(17)
RX_REPLAY = const(18)
RX_LOST_MESSAGE = const(19)
RX_BAD_MESSAGE = const(20)
TX_DROPPED = const(21)
LINK_DEAD = const(22)
SESSION_OPENED = const(23)
SESSION_TIMEOUT = const(25)
REQUEST_REFUSED = const(26)
BUTTON_BOUNCE = const(27)
SETTINGS_BAD = const(28)
RULES_LATE_READING = const(29)
WATCHDOG_HELD = const(30)
HEAP_LOW = const(31)
READINGS_DROPPED = const(32)
RX_BAD_ESCAPE = const(33)
RX_REFLECTED = const(34)
REFUSED_VERSION = const(35)
REFUSED_KEY = const(36)
REFUSED_PROOF = const(37)
PPG_LIGHT_CHANGE = const(44)
PPG_FULL_SCALE = const(45)
PPG_AMBIENT = const(46)
PPG_SWAPPED_LIGHTS = const(47)
BLE_STRANGER = const(48)
BLE_FRAGMENT_DROPPED = const(49)
BLE_PAIRING_REFUSED = const(50)
BLE_TORN = const(51)
BLE_FULL = const(52)

_FAULT_QUEUE_MAX = const(16)
DETAIL_MAX = const(48)  # bytes, as the FAULT record allows


class Health:
    """Counts by id. `fault()` remembers a fault for the journal; `take_faults()` returns the remembered ones."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._faults: list[tuple[int, int, int, str]] = []

    def count(self, counter: int, by: int = 1) -> None:
        """Add `by` to a counter; it saturates at 2^32-1."""
        value = self._counts.get(counter, 0) + by
        self._counts[counter] = value if value < 0xFFFFFFFF else 0xFFFFFFFF

    def set(self, counter: int, value: int) -> None:
        """Set a counter to a total that another part counts itself."""
        if value:
            self._counts[counter] = min(value, 0xFFFFFFFF)

    def value(self, counter: int) -> int:
        """The count since boot."""
        return self._counts.get(counter, 0)

    def pairs(self) -> list[tuple[int, int]]:
        """(id, value) of every counter that is not zero, by id."""
        return sorted(self._counts.items())

    def fault(self, subsystem: int, code: int, detail: str = "") -> None:
        """Remember a fault for the journal; the same (subsystem, code) is counted, not repeated."""
        detail = detail[:DETAIL_MAX]
        while len(detail.encode()) > DETAIL_MAX:
            detail = detail[:-1]
        for i in range(len(self._faults)):
            known = self._faults[i]
            if known[0] == subsystem and known[1] == code:
                self._faults[i] = (subsystem, code, known[2] + 1, detail or known[3])
                return
        if len(self._faults) < _FAULT_QUEUE_MAX:
            self._faults.append((subsystem, code, 1, detail))

    def take_faults(self) -> list[tuple[int, int, int, str]]:
        """(subsystem, code, count, detail) since the last call; the caller journals them."""
        faults = self._faults
        self._faults = []
        return faults
