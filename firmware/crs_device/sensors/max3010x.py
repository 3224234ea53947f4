"""MAX30102 (and MAX30101) pulse oximeter: set-up, and the whole FIFO in one burst.

Source: Maxim MAX30102 data sheet, register map and FIFO description. Two channels in SpO2 mode: each FIFO sample is
3 bytes red then 3 bytes infrared, 18 bits, high byte first. 100 samples/s averaged by 4 in the chip: 25 Hz out, so
the 32-deep FIFO holds 1.28 s. Roll-over is off: a full FIFO keeps the old samples and counts the lost new ones, so
what a drain returns is contiguous and a gap always comes *after* it.
"""

from array import array

from crs_core.compat import const

ADDRESS = const(0x57)
PART_ID = const(0x15)
SAMPLE_RATE_HZ = const(25)
FIFO_DEPTH = const(32)
FULL_SCALE = const(262143)
LED_CURRENT_DEFAULT = const(36)  # × 0.2 mA = 7.2 mA

_REG_INTERRUPTS = const(0x00)  # 0x00-0x01 status (cleared by reading), 0x02-0x03 enable
_REG_ENABLE = const(0x02)
_REG_FIFO_WRITE = const(0x04)  # 0x04 write pointer, 0x05 overflow counter, 0x06 read pointer
_REG_FIFO_READ = const(0x06)
_REG_FIFO_DATA = const(0x07)
_REG_FIFO_CONFIG = const(0x08)
_REG_MODE = const(0x09)
_REG_SPO2_CONFIG = const(0x0A)
_REG_LED_RED = const(0x0C)  # and infrared behind it
_REG_PART_ID = const(0xFF)

_MODE_RESET = const(0x40)
_MODE_SPO2 = const(0x03)
_MODE_SHUTDOWN = const(0x83)  # bit 7; the mode below it is kept
_FIFO_AVERAGE_4 = const(0x40)  # bits 7:5 = 2; bit 4 roll-over 0
_SPO2_100SPS_411US = const(0x07)  # rate 001, width 11 (18 bit); bits 6:5 are the range
_ALMOST_FULL = const(0x80)  # set when the 32nd sample comes, as FIFO_CONFIG asks for 0 places left
_AMBIENT_OVERFLOW = const(0x20)  # ALC_OVF: more ambient light than the chip can take away
_OVERFLOW_MAX = const(31)  # the counter stops here
_RESET_POLLS = const(50)  # the reset bit clears within a millisecond; 50 reads at 400 kHz take 4


class Max3010x:
    """One chip on a Bus. `start()` first; then `drain()` at least every second.

    `is_swapped`: LED 1 is the infrared one, as on some clone boards; what `drain()` and `set_light()` name red is red.
    `ambient_overflow`: since the drain before, ambient light was more than the chip can take away.
    `overflow` is how many samples are known lost right after those the last `drain()` returned (0: none), and
    `overflow_is_floor` says that more may be lost than counted. `bus_lost` is how many were lost *before* them, by
    a broken transfer. Nothing is allocated by `drain()`.
    """

    def __init__(self, bus, is_swapped: bool = False) -> None:  # type: ignore[no-untyped-def]
        self._bus = bus
        self._is_swapped = is_swapped
        self._config = 0
        self._currents = bytearray(2)
        self._status = bytearray(7)  # 0x00-0x06: one transfer for the flags and the pointers
        self.ambient_overflow = False
        data = bytearray(6 * FIFO_DEPTH)
        view = memoryview(data)
        self._data = data
        self._slices = [
            view[: 6 * n] for n in range(FIFO_DEPTH + 1)
        ]  # a slice made in the sample path allocates
        self._next_read = 0
        self._broken = False  # the last burst was: the chip may stand in the middle of a sample
        self._hole = 0  # samples lost behind the full FIFO that a burst broke off in
        self.overflow = 0
        self.overflow_is_floor = False
        self.bus_lost = 0

    def start(
        self, led_red: int = LED_CURRENT_DEFAULT, led_infrared: int = LED_CURRENT_DEFAULT, full_scale: int = 1
    ) -> None:
        """Check the part, reset it, start 25 Hz SpO2 mode with the light of `set_light()`.

        OSError when the chip is missing, is another part, does not leave reset, or does not keep its set-up.
        """
        bus = self._bus
        part = bus.read_u8(ADDRESS, _REG_PART_ID)
        if part != PART_ID:
            raise OSError("PPG sensor: part id 0x%02x, expected 0x%02x" % (part, PART_ID))
        bus.write_u8(ADDRESS, _REG_MODE, _MODE_RESET)
        for _ in range(_RESET_POLLS):
            if not bus.read_u8(ADDRESS, _REG_MODE) & _MODE_RESET:
                break
        else:
            raise OSError("PPG sensor: stays in reset")
        bus.write_u8(ADDRESS, _REG_FIFO_CONFIG, _FIFO_AVERAGE_4)
        bus.write_u8(
            ADDRESS, _REG_ENABLE, _ALMOST_FULL | _AMBIENT_OVERFLOW
        )  # no pin is wired; a flag shows only when enabled
        self._config = 0
        self.set_light(led_red, led_infrared, full_scale)
        bus.write(ADDRESS, _REG_FIFO_WRITE, b"\0\0\0")
        bus.write_u8(ADDRESS, _REG_MODE, _MODE_SPO2)
        if not self.is_running():
            raise OSError("PPG sensor: set-up did not take")
        bus.read_u8(ADDRESS, _REG_INTERRUPTS)
        self._next_read = self._hole = 0
        self._broken = False
        self.overflow = self.bus_lost = 0
        self.overflow_is_floor = False

    def set_light(self, led_red: int, led_infrared: int, full_scale: int) -> None:
        """Currents in 0.2 mA, 0..255; `full_scale` 0..3: 2048, 4096, 8192, 16384 nA. OSError: no answer.

        Samples that were under way are a mixture of both lights, and one may wait in the FIFO: drop the next two.
        """
        bus = self._bus
        config = _SPO2_100SPS_411US | full_scale << 5
        if config != self._config:
            bus.write_u8(ADDRESS, _REG_SPO2_CONFIG, config)
            self._config = config
        if self._is_swapped:
            led_red, led_infrared = led_infrared, led_red
        currents = self._currents
        currents[0] = led_red
        currents[1] = led_infrared
        bus.write(ADDRESS, _REG_LED_RED, currents)

    def is_running(self) -> bool:
        """Whether the chip still holds our set-up; False after it lost power or was reset. OSError: no answer."""
        bus = self._bus
        return (
            bus.read_u8(ADDRESS, _REG_MODE) == _MODE_SPO2
            and bus.read_u8(ADDRESS, _REG_SPO2_CONFIG) == self._config
            and bus.read_u8(ADDRESS, _REG_FIFO_CONFIG) & 0xF0 == _FIFO_AVERAGE_4
        )

    def drain(self, red: array, infrared: array) -> int:
        """Move every waiting sample into `red` and `infrared` (array('i') of FIFO_DEPTH); return how many.

        OSError when the bus failed; what a broken burst had already taken out of the FIFO shows as `bus_lost` of the
        next good drain. A burst is never repeated: the chip has moved its read pointer.
        """
        self.overflow = self.bus_lost = 0
        self.overflow_is_floor = False
        status = self._status
        self._bus.read_into(ADDRESS, _REG_INTERRUPTS, status)
        if (status[4] | status[5] | status[6]) > _OVERFLOW_MAX:
            raise OSError("PPG sensor: FIFO pointers out of range")  # the bus reads all ones
        self.ambient_overflow = status[0] & _AMBIENT_OVERFLOW != 0
        read = status[6]
        self.bus_lost = (read - self._next_read) % FIFO_DEPTH
        lost = status[5]
        n = (status[4] - read) % FIFO_DEPTH
        if n == 0 and (lost or status[0] & _ALMOST_FULL or (self._broken and not self.bus_lost)):
            n = FIFO_DEPTH  # full and empty have the same pointers
        if self._hole and self.bus_lost:
            # Taking a sample cleared the chip's count, and what waits now has the hole in its middle: it is dropped.
            self.bus_lost += self._hole + n + lost
            self.overflow_is_floor = self._hole == _OVERFLOW_MAX or lost == _OVERFLOW_MAX
            self._bus.write(ADDRESS, _REG_FIFO_WRITE, b"\0\0\0")
            self._next_read = self._hole = 0
            self._broken = False
            return 0
        self._next_read = read
        if n == 0:
            return 0
        if self._broken:
            # Writing the read pointer makes the chip begin a sample. Written as it is, a full FIFO would look empty.
            if n >= FIFO_DEPTH - 1:
                read = (read + 1) % FIFO_DEPTH
                self.bus_lost += 1
                n -= 1
            self._bus.write_u8(ADDRESS, _REG_FIFO_READ, read)
            self._broken = False
        if self._is_swapped:
            red, infrared = infrared, red
        data = self._data
        self._broken = True
        self._hole = lost
        self._bus.read_into(ADDRESS, _REG_FIFO_DATA, self._slices[n], 0)
        self._broken = False
        self._hole = 0
        self._next_read = (read + n) % FIFO_DEPTH
        self.overflow = lost
        self.overflow_is_floor = lost == _OVERFLOW_MAX
        j = 0
        for i in range(n):
            red[i] = (data[j] & 3) << 16 | data[j + 1] << 8 | data[j + 2]
            infrared[i] = (data[j + 3] & 3) << 16 | data[j + 4] << 8 | data[j + 5]
            j += 6
        return n

    def sleep(self) -> None:
        """Light and converter off, registers kept (0.7 uA typical); `wake()` ends it. OSError: no answer."""
        self._bus.write_u8(ADDRESS, _REG_MODE, _MODE_SHUTDOWN)

    def wake(self) -> None:
        """Go on after `sleep()` with an empty FIFO. OSError: no answer, or the set-up was lost meanwhile."""
        bus = self._bus
        bus.write(ADDRESS, _REG_FIFO_WRITE, b"\0\0\0")
        bus.write_u8(ADDRESS, _REG_MODE, _MODE_SPO2)
        if not self.is_running():
            raise OSError("PPG sensor: set-up lost")
        self._next_read = self._hole = 0
        self._broken = False
