"""Register model of the MAX30102 pulse oximeter front end (datasheet 19-7740, register map).

Speaks raw I2C transactions: `write(bytes)` sets the register pointer and writes, `read(n)` reads from it.
Conversions happen lazily: each transaction first lets the chip live up to `now_us()` (simulated microseconds).
"""

from tools.data.ppg_wave import PpgWave

ADDRESS = 0x57
DEPTH = 32  # samples the FIFO holds

INT_STATUS_1, INT_STATUS_2, INT_ENABLE_1, INT_ENABLE_2 = 0x00, 0x01, 0x02, 0x03
FIFO_WR_PTR, OVF_COUNTER, FIFO_RD_PTR, FIFO_DATA, FIFO_CONFIG = 0x04, 0x05, 0x06, 0x07, 0x08
MODE_CONFIG, SPO2_CONFIG, LED1_PA, LED2_PA, SLOT_12, SLOT_34 = 0x09, 0x0A, 0x0C, 0x0D, 0x11, 0x12
TEMP_INT, TEMP_FRAC, TEMP_CONFIG, REVISION_ID, PART_ID = 0x1F, 0x20, 0x21, 0xFE, 0xFF

A_FULL, PPG_RDY, ALC_OVF, PWR_RDY, DIE_TEMP_RDY = 0x80, 0x40, 0x20, 0x01, 0x02

REFERENCE_LED = 0x24  # register value (7.2 mA) at which ppg_wave's levels hold, at the 4096 nA range
_RATES_HZ = (50, 100, 200, 400, 800, 1000, 1600, 3200)
_MAX_RATE_HZ = {3: (1600, 1000, 800, 400), 2: (3200, 1600, 1600, 1000)}  # mode -> limit for each pulse width
_WRITABLE = (
    INT_ENABLE_1, INT_ENABLE_2, FIFO_WR_PTR, OVF_COUNTER, FIFO_RD_PTR, FIFO_DATA, FIFO_CONFIG, MODE_CONFIG,
    SPO2_CONFIG, LED1_PA, LED2_PA, SLOT_12, SLOT_34, TEMP_CONFIG,
)  # fmt: skip
_RED, _IR = 1, 2
_REFRESH_US = 100000  # how often the wearer's values are looked at
_DIE_TEMP_US = 29000


class Max30102:
    """The chip with its FIFO. `wearer` is described in wearer.py; `now_us` must never go back."""

    def __init__(self, wearer, now_us, seed: int = 1) -> None:
        self.wearer = wearer
        self._now_us = now_us
        self.wave = PpgWave(seed)
        self.stuck = False  # fault: conversions stop, registers still answer
        self.over_reads = 0  # samples read from an empty FIFO: a driver's mistake, counted for tests
        self.lost = 0  # samples the FIFO dropped since power-on
        # light that comes back, against ppg_wave's levels: skin, thickness
        self.red_light = self.ir_light = 1.0
        self.swapped = False  # fault of the board: LED 1 is the infrared one
        self.sunlight = False  # fault: more ambient light than can be taken away; counts stand at full scale
        self.data_fault = None  # fault: every byte of the FIFO's data reads so (0x00 or 0xFF)
        self.part_id = 0x15  # another part answers with another number
        self.rate_permille = 1000  # the chip's oscillator against the nominal one
        self.pointer = 0
        self._last_us = now_us()
        self._power_on()

    def _power_on(self) -> None:
        self.regs = bytearray(256)
        self.regs[INT_STATUS_1] = PWR_RDY
        self.regs[REVISION_ID] = 0x03
        self._ring = [b""] * DEPTH
        self._unread = 0
        self._byte = 0  # position inside the sample being read
        self._due_us = 0  # when the next FIFO sample is complete
        self._seen_us = -_REFRESH_US  # when the wearer was last looked at
        self._temp_due_us = -1  # no die temperature conversion runs

    # -- I2C side --

    def write(self, data: bytes) -> None:
        """Take one write transaction: register pointer, then data (pointer steps, except at FIFO_DATA)."""
        self.live()
        if not data:
            return
        self.pointer = data[0]
        for value in data[1:]:
            self._store(self.pointer, value)
            self._step()

    def read(self, count: int) -> bytes:
        """Return `count` bytes from the register pointer on; FIFO_DATA repeats itself."""
        self.live()
        if self.pointer == FIFO_DATA and self._has_whole(count):
            return self._pop_whole(count)
        out = bytearray(count)
        for i in range(count):
            out[i] = self._pop_byte() if self.pointer == FIFO_DATA else self._load(self.pointer)
            self._step()
        return bytes(out)

    def _step(self) -> None:
        if self.pointer != FIFO_DATA:
            self.pointer = (self.pointer + 1) & 0xFF

    def _load(self, reg: int) -> int:
        if reg == PART_ID:
            return self.part_id
        value = self.regs[reg]
        if reg in (INT_STATUS_1, INT_STATUS_2):
            self.regs[reg] = 0
        return value

    def _store(self, reg: int, value: int) -> None:
        if reg not in _WRITABLE:
            return
        if reg == MODE_CONFIG and value & 0x40:  # reset: back to power-on, the bit clears itself
            self._power_on()
            return
        if reg == TEMP_CONFIG:
            if value & 1:
                self._temp_due_us = self._last_us + _DIE_TEMP_US
            value &= 1
        if reg in (FIFO_WR_PTR, OVF_COUNTER, FIFO_RD_PTR):
            value &= 0x1F
        before = self.regs[reg]
        self.regs[reg] = value
        if reg in (FIFO_WR_PTR, FIFO_RD_PTR):
            self._unread = (self.regs[FIFO_WR_PTR] - self.regs[FIFO_RD_PTR]) & 0x1F
            self._byte = 0
        elif reg in (MODE_CONFIG, SPO2_CONFIG, FIFO_CONFIG) and value != before:
            self._due_us = self._last_us + self._period_us()
            self._byte = 0

    # -- configuration, decoded --

    def _slots(self) -> tuple:
        mode = self.regs[MODE_CONFIG] & 7
        if mode == 2:
            return (_RED,)
        if mode == 3:
            return (_RED, _IR)
        if mode == 7:
            picked = []
            for nibble in (
                self.regs[SLOT_12] & 7, self.regs[SLOT_12] >> 4 & 7, self.regs[SLOT_34] & 7, self.regs[SLOT_34] >> 4 & 7
            ):  # fmt: skip
                if nibble not in (_RED, _IR):
                    break
                picked.append(nibble)
            return tuple(picked)
        return ()

    def _rate_hz(self) -> int:
        config = self.regs[SPO2_CONFIG]
        limit = _MAX_RATE_HZ[2 if self.regs[MODE_CONFIG] & 7 == 2 else 3][config & 3]
        return min(_RATES_HZ[config >> 2 & 7], limit)

    def _average(self) -> int:
        return 1 << min(self.regs[FIFO_CONFIG] >> 5, 5)

    def _period_us(self) -> int:
        return 1000000000 * self._average() // (self._rate_hz() * self.rate_permille)

    # -- FIFO --

    def _pop_byte(self) -> int:
        width = 3 * len(self._slots()) or 3
        if self._byte == 0:
            self.regs[INT_STATUS_1] &= ~PPG_RDY & 0xFF
        if not self._unread:
            if self._byte == 0:
                self.over_reads += 1
            self._byte = (self._byte + 1) % width
            return 0
        sample = self._ring[self.regs[FIFO_RD_PTR]]
        value = sample[self._byte] if self._byte < len(sample) else 0
        self._byte += 1
        if self._byte >= width:
            self._byte = 0
            self._unread -= 1
            self.regs[FIFO_RD_PTR] = (self.regs[FIFO_RD_PTR] + 1) & 0x1F
            self.regs[OVF_COUNTER] = 0
        return value if self.data_fault is None else self.data_fault

    def _has_whole(self, count: int) -> bool:
        """Whether the next `count` bytes are whole samples that wait, read as they are."""
        width = 3 * len(self._slots())
        return (
            width > 0 and self._byte == 0 and self.data_fault is None
            and 0 < count <= width * self._unread and count % width == 0
            and len(self._ring[self.regs[FIFO_RD_PTR]]) == width
        )  # fmt: skip

    def _pop_whole(self, count: int) -> bytes:
        """The same as `count` times `_pop_byte`."""
        regs = self.regs
        samples = count // (3 * len(self._slots()))
        first = regs[FIFO_RD_PTR]
        regs[INT_STATUS_1] &= ~PPG_RDY & 0xFF
        self._unread -= samples
        regs[FIFO_RD_PTR] = (first + samples) & 0x1F
        regs[OVF_COUNTER] = 0
        return b"".join([self._ring[(first + i) & 0x1F] for i in range(samples)])

    def _push(self, sample: bytes) -> None:
        regs = self.regs
        if self._unread >= DEPTH:
            self._lose(1)
            if not regs[FIFO_CONFIG] & 0x10:
                return
            regs[FIFO_RD_PTR] = (regs[FIFO_RD_PTR] + 1) & 0x1F  # roll over: the oldest goes
            self._unread -= 1
        self._ring[regs[FIFO_WR_PTR]] = sample
        regs[FIFO_WR_PTR] = (regs[FIFO_WR_PTR] + 1) & 0x1F
        self._unread += 1
        flags = PPG_RDY
        if self._unread == DEPTH - (regs[FIFO_CONFIG] & 0x0F):
            flags |= A_FULL
        regs[INT_STATUS_1] |= flags & regs[INT_ENABLE_1]

    def _lose(self, count: int) -> None:
        self.lost += count
        self.regs[OVF_COUNTER] = min(31, self.regs[OVF_COUNTER] + count)

    # -- time --

    def live(self) -> None:
        """Let the chip convert up to now."""
        now = self._now_us()
        self._die_temperature(now)
        slots = self._slots()
        running = slots and not self.regs[MODE_CONFIG] & 0x80 and not self.stuck
        if not running:
            self.wave.skip((now - self._last_us) / 1e6)
            self._last_us = now
            self._due_us = now + self._period_us()
            return
        period = self._period_us()
        ready = (now - self._due_us) // period + 1 if now >= self._due_us else 0
        if self.regs[FIFO_CONFIG] & 0x10:
            if ready > DEPTH:  # these would be overwritten before anybody could read them
                self._pass_by(ready - DEPTH, period)
                ready = DEPTH
        elif ready > DEPTH - self._unread:  # a full FIFO stands still
            self._convert(DEPTH - self._unread, period, slots)
            ready = (now - self._due_us) // period + 1
            self._lose(ready)
            self._due_us += ready * period
            self.wave.skip(ready * period / 1e6)
            ready = 0
        self._convert(ready, period, slots)
        self._last_us = now

    def _pass_by(self, count: int, period: int) -> None:
        self._lose(self._unread + count)
        self._look(self._due_us)
        self.wave.skip(count * period / 1e6)
        self._due_us += count * period
        self.regs[FIFO_WR_PTR] = self.regs[FIFO_RD_PTR] = (self.regs[FIFO_WR_PTR] + count) & 0x1F
        self._unread = 0
        self._byte = 0

    def _convert(self, count: int, period: int, slots: tuple) -> None:
        if count <= 0:
            return
        average = self._average()
        step_s = period / average / 1e6
        config = self.regs[SPO2_CONFIG]
        drop = 3 - (config & 3)  # 15 to 18 bits by pulse width; the FIFO keeps them left-justified
        full_scale = 2.0 ** (1 - (config >> 5 & 3))  # 4096 nA is the reference range
        first, second = self.regs[LED1_PA], self.regs[LED2_PA]
        if self.swapped:
            first, second = second, first
        red_gain = first / REFERENCE_LED * full_scale * self.red_light
        ir_gain = second / REFERENCE_LED * full_scale * self.ir_light
        for _ in range(count):
            if self._due_us - self._seen_us >= _REFRESH_US:
                self._look(self._due_us)
            red, ir = self.wave.advance(average, step_s, red_gain, ir_gain, 0x3FFFF)
            if self.sunlight:
                red = ir = 0x3FFFF
                self.regs[INT_STATUS_1] |= ALC_OVF & self.regs[INT_ENABLE_1]
            red, ir = red >> drop << drop, ir >> drop << drop
            if self.swapped:
                red, ir = ir, red
            sample = bytearray()
            for slot in slots:
                value = red if slot == _RED else ir
                sample.append(value >> 16)
                sample.append(value >> 8 & 0xFF)
                sample.append(value & 0xFF)
            self._push(bytes(sample))
            self._due_us += period

    def _look(self, t_us: int) -> None:
        self._seen_us = t_us
        self.wave.see(self.wearer.optical(t_us / 1e6))

    def _die_temperature(self, now: int) -> None:
        if 0 <= self._temp_due_us <= now:
            self._temp_due_us = -1
            sixteenths = int((self.wearer.ambient_c(now / 1e6) + 4.0) * 16)
            self.regs[TEMP_INT], self.regs[TEMP_FRAC] = sixteenths >> 4 & 0xFF, sixteenths & 0x0F
            self.regs[TEMP_CONFIG] = 0
            self.regs[INT_STATUS_2] |= DIE_TEMP_RDY & self.regs[INT_ENABLE_2]
