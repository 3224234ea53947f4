"""MAX30102 (and MAX30101) pulse oximeter: set-up, and the whole FIFO in one burst.

    chip = Max3010x(Bus(i2c))
    chip.start()  # OSError: no chip, another chip, or one that does not keep its set-up
    red = array("i", [0] * FIFO_DEPTH)
    infrared = array("i", [0] * FIFO_DEPTH)
    n = chip.drain(red, infrared)  # at least once a second: samples 0 to n - 1, 25 a second, 18 bits

Source: Maxim MAX30102 data sheet, register map and FIFO description; names in quotes are its headings. Two channels in
SpO2 mode: each FIFO sample is 3 bytes red, then 3 bytes infrared, 18 bits, high byte first. 100 samples/s averaged by 4
in the chip make 25 Hz, so the 32-deep FIFO holds 1.28 s. Roll-over is off: a full FIFO keeps its old samples and counts
the new ones that it lost. So what a drain returns is contiguous, and a gap always comes *after* it.
"""

from array import array

from crs_core.compat import const

ADDRESS = const(0x57)
SAMPLE_RATE_HZ = const(25)
FIFO_DEPTH = const(32)
FULL_SCALE = const(262143)
LED_CURRENT_DEFAULT = const(36)  # × 0.2 mA = 7.2 mA

# Registers of 8 bits
_INTERRUPT_STATUS_1 = const(0x00)  # "Interrupt Status": reading clears it
_INTERRUPT_ENABLE_1 = const(0x02)  # "Interrupt Enable": a flag shows only when it is enabled
_FIFO_WR_PTR = const(0x04)  # "FIFO": 0x04 write pointer, 0x05 overflow counter, 0x06 read pointer
_FIFO_RD_PTR = const(0x06)
_FIFO_DATA = const(0x07)  # the only address that a burst does not step on
_FIFO_CONFIG = const(0x08)  # "FIFO Configuration"
_MODE_CONFIG = const(0x09)  # "Mode Configuration"
_SPO2_CONFIG = const(0x0A)  # "SpO2 Configuration"
_LED1_PA = const(0x0C)  # "LED Pulse Amplitude": 0x0C LED 1 (red), 0x0D LED 2 (infrared), × 0.2 mA
_PART_ID = const(0xFF)  # "Part ID"

# Interrupt status and enable
_A_FULL = const(0x80)  # bit 7: the 32nd sample came, because FIFO_A_FULL asks for 0 places left
_ALC_OVF = const(0x20)  # bit 5: more ambient light than the chip can take away

# FIFO configuration: 7:5 SMP_AVE 010, 4 FIFO_ROLLOVER_EN 0, 3:0 FIFO_A_FULL 0
_AVERAGE_4 = const(0x40)
_AVERAGE_AND_ROLLOVER = const(0xF0)

# Mode configuration: 7 SHDN, 6 RESET, 2:0 MODE
_MODE_RESET = const(0x40)
_MODE_SPO2 = const(0x03)
_MODE_SHUTDOWN = const(0x83)

# SpO2 configuration: 6:5 SPO2_ADC_RGE (the range), 4:2 SPO2_SR 001, 1:0 LED_PW 11
_100_SPS_411_US = const(0x07)

_PART = const(0x15)
_OVERFLOW_MAX = const(31)  # the overflow counter stops here
_RESET_POLLS = const(50)  # the reset bit clears within a millisecond; 50 reads at 400 kHz take 4

# What a drain does with the FIFO
NOTHING = const(0)
READ = const(1)
ALIGN = const(2)  # write the read pointer first: the chip may stand in the middle of a sample
DROP = const(3)  # empty it unread: a gap is in the middle of what waits


def samples_waiting(write: int, read: int, lost: int, is_flagged_full: bool, is_unread: bool) -> int:
    """Samples in the FIFO, 0 to 32, by its pointers; a full FIFO and an empty one have the same pointers.

    It is full when it lost samples, when the almost-full flag is up, or when a burst broke off before the first sample
    (`is_unread`): that drain had read, and so cleared, the flag.

    | pointers | lost | flag | unread | waiting |
    |---|---|---|---|---|
    | apart | any | any | any | the distance |
    | equal | > 0 | any | any | 32 |
    | equal | 0 | up | any | 32 |
    | equal | 0 | down | yes | 32 |
    | equal | 0 | down | no | 0 |
    """
    if write != read:
        return (write - read) % FIFO_DEPTH
    return FIFO_DEPTH if lost or is_flagged_full or is_unread else 0


def drain_step(waiting: int, taken: int, is_broken: bool, gap: int, was_full: bool, was_slow: bool) -> int:
    """NOTHING, READ, ALIGN or DROP. `taken` samples left the FIFO in a burst that broke off (`is_broken`).

    `gap` samples had been lost behind that burst. Taking one more cleared the chip's count, so their place is now
    unknown within what waits. The same holds when the FIFO `was_full` since the last look at its pointers, and is not
    now or was read too slowly (`was_slow`): it lost samples between that look and its burst, and nobody counted them.

    | gap and taken, or was full and (is not or was slow) | waiting | broken | step |
    |---|---|---|---|
    | yes | any | any | DROP |
    | no | 0 | any | NOTHING |
    | no | > 0 | yes | ALIGN |
    | no | > 0 | no | READ |
    """
    if (gap and taken) or (was_full and (was_slow or waiting < FIFO_DEPTH)):
        return DROP
    if not waiting:
        return NOTHING
    return ALIGN if is_broken else READ


class Max3010x:
    """One chip on a Bus. `start()` first; then `drain()` at least every second.

    `is_swapped`: LED 1 is the infrared one, as on some clone boards; what `drain()` and `set_light()` name red is red.
    `ambient_overflow`: since the drain before, ambient light was more than the chip can take away.
    `overflow` is how many samples are known lost right after those the last `drain()` returned (0: none), and
    `overflow_is_floor` says that more may be lost than counted. `bus_lost` is how many were lost *before* them, by
    a broken transfer. Nothing is allocated by `drain()`. The caller sets `was_slow` after each drain: whether it took
    so long that the FIFO may have been full before its burst.
    """

    fifo_depth = FIFO_DEPTH

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
        # made here, because a slice made in the sample path allocates
        self._slices = [view[: 6 * n] for n in range(FIFO_DEPTH + 1)]
        self._next_read = 0
        self._broken = False  # the last burst broke off: the chip may stand in the middle of a sample
        self._gap = 0  # samples that the full FIFO had lost when the burst broke off
        self.was_slow = False
        self.overflow = 0
        self.overflow_is_floor = False
        self.bus_lost = 0

    def identify(self) -> int:
        """The part id, read without side effects. OSError: no answer, or another part."""
        part = self._bus.read_u8(ADDRESS, _PART_ID)
        if part != _PART:
            raise OSError("not a MAX3010x: part id 0x%02x, expected 0x%02x" % (part, _PART))
        return part  # type: ignore[no-any-return]

    def start(
        self, led_red: int = LED_CURRENT_DEFAULT, led_infrared: int = LED_CURRENT_DEFAULT, full_scale: int = 1
    ) -> None:
        """Check the part, reset it, start 25 Hz SpO2 mode with the light of `set_light()`.

        OSError when the chip is missing, is another part, does not leave reset, or does not keep its set-up.
        """
        self.identify()
        bus = self._bus
        bus.write_u8(ADDRESS, _MODE_CONFIG, _MODE_RESET)
        for _ in range(_RESET_POLLS):
            if not bus.read_u8(ADDRESS, _MODE_CONFIG) & _MODE_RESET:
                break
        else:
            raise OSError("PPG sensor: stays in reset")
        bus.write_u8(ADDRESS, _FIFO_CONFIG, _AVERAGE_4)
        # No interrupt pin is wired, but a flag shows only when it is enabled.
        bus.write_u8(ADDRESS, _INTERRUPT_ENABLE_1, _A_FULL | _ALC_OVF)
        self._config = 0
        self.set_light(led_red, led_infrared, full_scale)
        bus.write(ADDRESS, _FIFO_WR_PTR, b"\0\0\0")
        bus.write_u8(ADDRESS, _MODE_CONFIG, _MODE_SPO2)
        if not self.is_running():
            raise OSError("PPG sensor: set-up did not take")
        bus.read_u8(ADDRESS, _INTERRUPT_STATUS_1)
        self._next_read = self._gap = 0
        self._broken = False
        self.overflow = self.bus_lost = 0
        self.overflow_is_floor = False

    def set_light(self, led_red: int, led_infrared: int, full_scale: int) -> None:
        """Currents in 0.2 mA, 0..255; `full_scale` 0..3: 2048, 4096, 8192, 16384 nA. OSError: no answer.

        Samples that were under way are a mixture of both lights, and one may wait in the FIFO: drop the next two.
        """
        bus = self._bus
        config = _100_SPS_411_US | full_scale << 5
        if config != self._config:
            bus.write_u8(ADDRESS, _SPO2_CONFIG, config)
            self._config = config
        if self._is_swapped:
            led_red, led_infrared = led_infrared, led_red
        currents = self._currents
        currents[0] = led_red
        currents[1] = led_infrared
        bus.write(ADDRESS, _LED1_PA, currents)

    def is_running(self) -> bool:
        """Whether the chip still holds our set-up; False after it lost power or was reset. OSError: no answer."""
        bus = self._bus
        return (
            bus.read_u8(ADDRESS, _MODE_CONFIG) == _MODE_SPO2
            and bus.read_u8(ADDRESS, _SPO2_CONFIG) == self._config
            and bus.read_u8(ADDRESS, _FIFO_CONFIG) & _AVERAGE_AND_ROLLOVER == _AVERAGE_4
        )

    def drain(self, red: array, infrared: array) -> int:
        """Move every waiting sample into `red` and `infrared` (array('i') of FIFO_DEPTH); return how many.

        OSError when the bus failed; what a broken burst had already taken out of the FIFO shows as `bus_lost` of the
        next good drain. A burst is never repeated: the chip has moved its read pointer.
        """
        self.overflow = self.bus_lost = 0
        self.overflow_is_floor = False
        status = self._status
        self._bus.read_into(ADDRESS, _INTERRUPT_STATUS_1, status)
        write, lost, read = status[_FIFO_WR_PTR], status[_FIFO_WR_PTR + 1], status[_FIFO_RD_PTR]
        if (write | lost | read) > _OVERFLOW_MAX:
            raise OSError("PPG sensor: FIFO pointers out of range")  # the bus reads all ones
        self.ambient_overflow = status[0] & _ALC_OVF != 0
        self.bus_lost = (read - self._next_read) % FIFO_DEPTH
        is_unread = self._broken and not self.bus_lost
        was_full = status[0] & _A_FULL != 0
        n = samples_waiting(write, read, lost, was_full, is_unread)
        step = drain_step(n, self.bus_lost, self._broken, self._gap, was_full, self.was_slow)
        if step == DROP:
            self._drop(n, lost)
            self.overflow_is_floor = self.overflow_is_floor or was_full
            return 0
        self._next_read = read
        if step == NOTHING:
            return 0
        if step == ALIGN:
            # Written as it is, the pointer of a full FIFO would make it look empty: one sample is given up.
            if n >= FIFO_DEPTH - 1:
                read = (read + 1) % FIFO_DEPTH
                self.bus_lost += 1
                n -= 1
            self._bus.write_u8(ADDRESS, _FIFO_RD_PTR, read)
        self._broken = True
        self._gap = lost
        self._bus.read_into(ADDRESS, _FIFO_DATA, self._slices[n], 0)
        self._broken = False
        self._gap = 0
        self._next_read = (read + n) % FIFO_DEPTH
        self.overflow = lost
        self.overflow_is_floor = lost == _OVERFLOW_MAX
        self._unpack(red, infrared, n)
        return n

    def _drop(self, waiting: int, lost: int) -> None:
        """Empty the FIFO unread; all of it counts as lost on the bus."""
        self.bus_lost += self._gap + waiting + lost
        self.overflow_is_floor = self._gap == _OVERFLOW_MAX or lost == _OVERFLOW_MAX
        self._bus.write(ADDRESS, _FIFO_WR_PTR, b"\0\0\0")
        self._next_read = self._gap = 0
        self._broken = False

    def _unpack(self, red: array, infrared: array, n: int) -> None:
        """Take `n` samples of 2 × 18 bits out of the burst."""
        if self._is_swapped:
            red, infrared = infrared, red
        data = self._data
        j = 0
        for i in range(n):
            red[i] = (data[j] & 3) << 16 | data[j + 1] << 8 | data[j + 2]
            infrared[i] = (data[j + 3] & 3) << 16 | data[j + 4] << 8 | data[j + 5]
            j += 6

    def sleep(self) -> None:
        """Light and converter off, registers kept (0.7 uA typical); `wake()` ends it. OSError: no answer."""
        self._bus.write_u8(ADDRESS, _MODE_CONFIG, _MODE_SHUTDOWN)

    def wake(self) -> None:
        """Go on after `sleep()` with an empty FIFO. OSError: no answer, or the set-up was lost meanwhile."""
        bus = self._bus
        bus.write(ADDRESS, _FIFO_WR_PTR, b"\0\0\0")
        bus.write_u8(ADDRESS, _MODE_CONFIG, _MODE_SPO2)
        if not self.is_running():
            raise OSError("PPG sensor: set-up lost")
        bus.read_u8(ADDRESS, _INTERRUPT_STATUS_1)  # a FIFO that was full before the sleep
        self._next_read = self._gap = 0
        self._broken = False


DRIVER = Max3010x
