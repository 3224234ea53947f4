"""The virtual chip's `machine`: I2C, Pin, PWM, ADC, WDT, Timer, resets, wired to the supervisor. Runs on MicroPython.

Signatures follow the esp32 and rp2 ports; what the wearable does not use is absent, so using it fails loudly.
"""

import _thread
import micropython
import struct
import time

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5

board = None  # Backplane, set at power-on
inputs = None  # Inputs
stalled = bytearray(1)  # 1 while an erase holds everything up
interrupts = None  # simulated_time, when a conductor owns the time; else threads stand for interrupts


class I2C:
    """A hardware I2C controller; the one bus of the wearable is behind every id."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=50000) -> None:
        self.id = id

    def scan(self) -> list:
        return list(board.call(ord("S")))

    def writeto(self, addr, buf, stop=True) -> int:
        board.call(ord("W"), bytes((addr,)) + bytes(buf))
        return len(buf)

    def writevto(self, addr, vector, stop=True) -> int:
        return self.writeto(addr, b"".join(vector), stop)

    def readfrom(self, addr, nbytes, stop=True) -> bytes:
        return board.call(ord("R"), struct.pack("<BH", addr, nbytes))

    def readfrom_into(self, addr, buf, stop=True) -> None:
        buf[:] = self.readfrom(addr, len(buf))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8) -> bytes:
        return board.call(ord("M"), struct.pack("<BBH", addr, memaddr, nbytes))

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8) -> None:
        board.read_into(addr, memaddr, buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8) -> None:
        board.call(ord("W"), bytes((addr, memaddr)) + bytes(buf))


SoftI2C = I2C


class Pin:
    """A GPIO. An output tells the board its level; an input reads the level that the board shows."""

    IN, OUT, OPEN_DRAIN = 0, 1, 2
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_FALLING, IRQ_RISING = 4, 8

    def __init__(self, id, mode=-1, pull=-1, *, value=None) -> None:
        self.id = id
        self._mode = mode
        self._level = 0
        self._message = bytearray((ord("P"), 0, id, 0))
        if value is not None:
            self.value(value)

    def init(self, mode=-1, pull=-1, *, value=None) -> None:
        self._mode = mode
        if value is not None:
            self.value(value)

    def value(self, x=None):
        if x is not None:
            self._level = 1 if x else 0
            self._message[3] = self._level
            board.tell(self._message)
            return None
        if self._mode == Pin.OUT:
            return self._level
        levels = inputs.refresh()
        return levels[8 + (self.id >> 3)] >> (self.id & 7) & 1

    __call__ = value

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)

    def toggle(self) -> None:
        self.value(not self._level)

    def irq(self, handler=None, trigger=12, *, hard=False):
        _watched[self.id] = [self, handler, trigger, self.value()]
        if len(_watched) == 1:
            if interrupts is None:
                _thread.start_new_thread(_watch_pins, ())
            else:
                _look_again(None)


_watched = {}


def _watch_pins() -> None:
    while True:
        time.sleep_ms(2)
        _look_at_pins()


def _look_again(_) -> None:
    _look_at_pins()
    interrupts.call_at(interrupts.now_us + 2000, _look_again)


def _look_at_pins() -> None:
    for entry in list(_watched.values()):
        pin, handler, trigger, before = entry
        level = pin.value()
        entry[3] = level
        edge = Pin.IRQ_RISING if level > before else Pin.IRQ_FALLING if level < before else 0
        if handler and edge & trigger:
            micropython.schedule(handler, pin)


class PWM:
    """Pulse width on a pin; the board sees frequency and duty."""

    def __init__(self, dest, *, freq=1000, duty_u16=0, duty_ns=0) -> None:
        self._freq = freq
        self._duty = duty_u16
        self._message = bytearray((ord("Q"), 0, dest.id, 0, 0, 0, 0, 0, 0))
        self._send()

    def _send(self) -> None:  # allocates nothing: a timer's interrupt may use it
        struct.pack_into("<IH", self._message, 3, self._freq, self._duty)
        board.tell(self._message)

    def init(self, *, freq=None, duty_u16=None) -> None:
        if freq is not None:
            self._freq = freq
        if duty_u16 is not None:
            self._duty = duty_u16
        self._send()

    def freq(self, value=None):
        if value is None:
            return self._freq
        self._freq = int(value)
        self._send()
        return None

    def duty_u16(self, value=None):
        if value is None:
            return self._duty
        self._duty = int(value)
        self._send()
        return None

    def deinit(self) -> None:
        self._duty = 0
        self._send()


class ADC:
    """An analogue input; the board sets microvolts at the battery divider."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, *, atten=3) -> None:
        self._pin = pin

    def read_uv(self) -> int:
        levels = inputs.refresh()
        return (levels[2] | levels[3] << 8) * 1000

    def read_u16(self) -> int:
        return min(65535, self.read_uv() * 65535 // 3300000)


class WDT:
    """The watchdog: cannot be stopped; the board hard-resets the chip when it is not fed in real time."""

    _FEED = bytes((ord("D"), 0))

    def __init__(self, id=0, timeout=5000) -> None:
        board.tell(struct.pack("<BBI", ord("A"), 0, timeout))

    def feed(self) -> None:
        board.tell(self._FEED)

    def timeout_ms(self, timeout) -> None:
        board.tell(struct.pack("<BBI", ord("A"), 0, timeout))


class Timer:
    """A hardware timer whose callback runs as a hard interrupt: it must not allocate, and dies with a soft reset."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **settings) -> None:
        self._generation = 0
        if settings:
            self.init(**settings)

    def init(self, *, mode=1, freq=-1, period=-1, callback=None, hard=True) -> None:
        span_ms = int(1000 / freq) if freq > 0 else period
        self._generation += 1
        life = (self._generation, max(1, span_ms), mode, callback)
        if interrupts is None:
            _thread.start_new_thread(self._run, life)
        else:
            interrupts.call_at(interrupts.now_us + life[1] * 1000, self._due, life)

    def deinit(self) -> None:
        self._generation += 1

    def _run(self, generation, span_ms, mode, callback) -> None:
        while True:
            time.sleep_ms(span_ms)
            while stalled[0]:
                time.sleep_ms(1)
            if generation != self._generation:
                return
            self._call(callback)
            if mode == Timer.ONE_SHOT:
                return

    def _due(self, life) -> None:
        generation, span_ms, mode, callback = life
        if generation != self._generation:
            return
        self._call(callback)
        if mode == Timer.PERIODIC:
            interrupts.call_at(interrupts.now_us + span_ms * 1000, self._due, life)

    def _call(self, callback) -> None:
        micropython.heap_lock()
        try:
            callback(self)
        except BaseException as error:  # noqa: BLE001 as an interrupt: reported, never raised into the program
            micropython.heap_unlock()
            print("uncaught exception in Timer callback:", type(error).__name__, error)
        else:
            micropython.heap_unlock()


class RTC:
    """Wall clock of the board, unset after power-on as on a Pico: 2021-01-01."""

    _set_at = None

    def datetime(self, value=None):
        if value is not None:
            year, month, day, _, hour, minute, second = value[:7]
            RTC._set_at = (time.mktime((year, month, day, hour, minute, second, 0, 0)), time.ticks_ms())
            return None
        start, since = RTC._set_at or (1609459200, 0)
        now = time.gmtime(start + (time.ticks_ms() - since) // 1000 if RTC._set_at else start)
        return (now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0)


def reset() -> None:
    """Hard reset by the supervisor; does not return."""
    board.tell(b"X\0")
    while True:
        time.sleep_ms(100)


def freq(value=None):
    """Processor clock in Hz; the virtual chip has the speed of its host."""
    return 150000000 if value is None else None


def disable_irq() -> int:
    """Do nothing: the timers of the virtual chip are never blocked."""
    return 0


def enable_irq(state=0) -> None:
    """Do nothing, as disable_irq did nothing."""
