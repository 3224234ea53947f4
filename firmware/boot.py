"""Runs at every start and after every soft reset, alone: it imports nothing of the application.

1. Arms the watchdog and feeds it from a timer for at most 30 minutes: after a soft reset into the REPL main.py does not
   run, yet the watchdog of rp2 goes on; so an engineer can work, and the board then resets into monitoring by itself.
2. Chooses the application slot: /slot says "a" or "b"; after 3 starts that never became healthy, the other one. A slot
   is one file, /a.app or /b.app, mounted at /app: as files of their own its modules would take three times the flash.
3. The button held for half a second at a start and then released: a phone may pair for two minutes.
4. Safe mode: the button held for 3 s at a start, or no application: no monitoring, the REPL, a light that says so. A
   provisioned wearable without an application also sounds the HIGH pattern: the patient is not monitored.
What boot decided, main.py and the application find in sys.modules["boot_guard"].
"""

import gc
import io
import os
import sys
import time
import vfs
from binascii import crc32

import machine

# Collect often while modules load. Otherwise lasting objects end up scattered, and a heap that is more than half free
# has no room for one file buffer.
gc.threshold(4096)

_WDT_MS = 8000
_TICK_MS = 125
_HOLD_TICKS = 30 * 60 * 1000 // _TICK_MS
_UNHEALTHY_MAX = 3
_SAFE_HOLD_MS = 3000
_PAIR_HOLD_MS = 500
# the pins as the board files have them: button, red, green, blue, buzzer
_PINS = {"rp2": (22, 18, 19, 20, 21), "esp32": (4, 5, 6, 7, 15), "linux": (22, 18, 19, 20, 21)}
# IEC 60601-1-8 HIGH, one step each 125 ms: 3 + 2 pulses, twice, then 5 s of silence
_HIGH_HALF = b"\1\0\1\0\1\0\0\0\1\0\1\0\0\0\0"
_HIGH_STEPS = _HIGH_HALF + _HIGH_HALF + bytes(36)

MONITOR = 0
SAFE_BUTTON = 1
SAFE_NO_APPLICATION = 2


def _say(text):
    sys.stdout.write(text + "\n")


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _read(path):
    try:
        with open(path) as f:
            return f.read(8)
    except OSError:
        return ""


def _write(path, text):
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


class _Content(io.IOBase):
    """One file inside the slot file, read in place: a copy in memory would leave holes in a small heap."""

    def __init__(self, file, at, size):
        self._file = file
        self._at = at
        self._end = at + size

    def readinto(self, buffer):
        """Fill as much of `buffer` as is left."""
        self._file.seek(self._at)
        got = self._file.readinto(memoryview(buffer)[: self._end - self._at])
        self._at += got
        return got

    def ioctl(self, request, _argument):
        """Ask for the largest reads (11: get buffer size); closing needs no action."""
        return 255 if request == 11 else 0


class Application:
    """A slot file as a read-only file system, as far as import needs one.

    Layout: "CWAPP1 ", length and CRC-32 of the index (8 hex digits each, separated and ended by one byte), the index
    (a line per file: name, offset from the index's end, size, CRC-32), the contents. OSError(EIO) when damaged.
    """

    HEAD = 25

    def __init__(self, path):
        self._path = path
        self._file = self._index = None
        head = self._opened().read(self.HEAD)
        if head[:7] != b"CWAPP1 ":
            raise OSError(5)
        self._size = int(head[7:15], 16)
        if crc32(self._read_index()) != int(head[16:24], 16):
            raise OSError(5)

    def _opened(self):
        if self._file is None:
            self._file = open(self._path, "rb")
        return self._file

    def _read_index(self):
        if self._index is None:
            self._opened().seek(self.HEAD)
            self._index = self._file.read(self._size)
        return self._index

    def rest(self):
        """Free the open file and the index until the next import: the index alone is a hundredth of the heap."""
        if self._file is not None:
            self._file.close()
        self._file = self._index = None

    def _find(self, path, last=b" "):
        index = self._read_index()
        start = index.find(b"\n" + path.strip("/").encode() + last)
        if start < 0:
            return None
        return index[start + 1 : index.find(b"\n", start + 1)].split(b" ")

    def mount(self, _readonly, _mkfs):
        """Nothing to do: the file is already open."""

    def umount(self):
        """Close the slot file."""
        self.rest()

    def chdir(self, _path):
        """Refuse: this is no place to work in."""
        raise OSError(1)

    def stat(self, path):
        """File or directory, and the size; OSError(ENOENT) otherwise."""
        entry = self._find(path)
        if entry is not None:
            return (0x8000, 0, 0, 0, 0, 0, int(entry[2]), 0, 0, 0)
        if self._find(path, b"/") is not None:
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)

    def open(self, path, _mode):
        """The content as a stream, after all of it was checked. OSError when missing (ENOENT) or damaged (EIO)."""
        entry = self._find(path)
        if entry is None:
            raise OSError(2)
        return self._checked(entry)

    def _checked(self, entry):
        at, size = self.HEAD + self._size + int(entry[1]), int(entry[2])
        buffer = memoryview(bytearray(256))
        content = _Content(self._opened(), at, size)
        check, got = 0, content.readinto(buffer)
        while got:
            check = crc32(buffer[:got], check)
            got = content.readinto(buffer)
        if check != int(entry[3], 16):
            raise OSError(5)
        return _Content(self._file, at, size)

    def check(self):
        """Read every file, so that damage is found at the start. OSError(EIO) when one is damaged."""
        index = self._read_index()
        at = 1
        while at < len(index):
            end = index.find(b"\n", at)
            self._checked(index[at:end].split(b" "))
            at = end + 1


class Guard:
    """Holds the watchdog while no application does. `mode`, `slot`, `starts` and `fell_back` say what boot decided."""

    def __init__(self):
        pins = _PINS.get(sys.platform) or _PINS["rp2"]
        self.button = machine.Pin(pins[0], machine.Pin.IN, machine.Pin.PULL_UP)
        self.mode = MONITOR
        self.slot = ""
        self.fell_back = False
        self.pairing = False  # the button was held at power-on and released before safe mode
        self.is_provisioned = _exists("/keys.0") or _exists("/keys.1")
        self.application = None
        self.starts = 0
        self._red = machine.Pin(pins[1], machine.Pin.OUT, value=0)
        self._green = machine.Pin(pins[2], machine.Pin.OUT, value=0)
        self._blue = machine.Pin(pins[3], machine.Pin.OUT, value=0)
        self._buzzer_pin = pins[4]
        self._buzzer = None
        self._light = False
        self._ticks = 0
        self._left = 0
        self._timer = None
        self._tick_bound = self._tick  # made once: the callback may not allocate
        self.wdt = machine.WDT(timeout=_WDT_MS)

    def _tick(self, _timer):  # may run as a hard interrupt: no allocation
        if self._left > 0:
            self._left -= 1
            self.wdt.feed()
        self._ticks += 1
        if self._light:  # magenta 1 s on, 1 s off: not monitoring
            on = self._ticks >> 3 & 1
            self._red.value(on)
            self._blue.value(on)
        if self._buzzer is not None:
            self._buzzer.duty_u16(32768 if _HIGH_STEPS[self._ticks % len(_HIGH_STEPS)] else 0)

    def hold(self, light=True, sound=False):
        """Feed the watchdog from a timer for 30 minutes from now; then it resets the board."""
        self._left = _HOLD_TICKS
        self._light = light
        if sound:
            self._ticks = -1  # the burst begins with its first pulse
            self._buzzer = machine.PWM(machine.Pin(self._buzzer_pin), freq=520, duty_u16=0)
        elif self._buzzer is not None:
            buzzer, self._buzzer = self._buzzer, None
            buzzer.deinit()
        if self._timer is None:
            self.wdt.feed()
            try:
                self._timer = machine.Timer(-1)
            except ValueError:
                self._timer = machine.Timer(0)
            self._timer.init(period=_TICK_MS, mode=machine.Timer.PERIODIC, callback=self._tick_bound)

    def release(self):
        """Stop feeding the watchdog: the application feeds it from here on."""
        if self._timer is not None:
            self._timer.deinit()
            self._timer = None
        self._light = False
        self.wdt.feed()

    def count_start(self):
        """Count this start of the application; `healthy` clears the count."""
        _write("/starts", "%s%d" % (self.slot, self.starts + 1))

    def forget_index(self):
        """Free the slot file's index until the next import."""
        if self.application is not None:
            self.application.rest()

    def healthy(self):
        """Clear the count of starts: the application has run well for its first minute."""
        self.starts = 0
        _write("/starts", "%s0" % self.slot)

    def uncount(self):
        """Do not count this start: a person interrupted it."""
        _write("/starts", "%s%d" % (self.slot, self.starts))


def _intact(name):
    """The application of a slot; None when it is missing, cut or damaged."""
    try:
        application = Application("/%s.app" % name)
        application.check()
        return application
    except (OSError, ValueError):
        return None


def _try_write(path, text):
    try:
        _write(path, text)
    except OSError as error:  # a refusing flash must not stop the start
        _say("boot: flash refused: %s" % error)


def _choose(guard):
    """Pick the slot and the mode; put the slot on the import path."""
    slot = _read("/slot").strip()
    if slot != "b":
        slot = "a"
    other = "a" if slot == "b" else "b"
    starts = _read("/starts").strip()
    guard.starts = int(starts[1:]) if starts[:1] == slot and starts[1:].isdigit() else 0
    is_failing = guard.starts >= _UNHEALTHY_MAX
    for name in (other, slot) if is_failing else (slot, other):
        application = _intact(name)
        if application is not None:
            break
    else:
        name = ""
    if name == other:
        guard.starts = 0
        # A first flash into b is no fall-back. The next flash must not overwrite what runs now.
        guard.fell_back = is_failing or _exists("/%s.app" % slot)
        _try_write("/slot", name)
    guard.slot = name
    if application is not None:
        guard.application = application
        vfs.mount(application, "/app")
        sys.path.insert(0, "/app")
        if _button_held(guard):
            guard.mode = SAFE_BUTTON
    else:
        guard.mode = SAFE_NO_APPLICATION


def _button_held(guard):
    # After a watchdog reset the button may be held because somebody calls for help: go on monitoring.
    if machine.reset_cause() == getattr(machine, "WDT_RESET", -1):
        return False
    for i in range(_SAFE_HOLD_MS // 50):
        if guard.button.value():
            guard.pairing = i * 50 >= _PAIR_HOLD_MS
            return False
        time.sleep_ms(50)
    return True


def _start():
    guard = Guard()
    sys.modules["boot_guard"] = guard
    guard.hold(light=False)
    _choose(guard)
    if guard.mode == SAFE_BUTTON:
        guard.hold()
        _say("boot: safe mode (button held): NOT MONITORING for up to 30 minutes")
    elif guard.mode == SAFE_NO_APPLICATION:
        guard.hold(sound=guard.is_provisioned)
        _say("boot: no application: NOT MONITORING")


_start()
for _name in ("_start", "_choose", "_button_held", "_read", "_exists", "_intact", "_try_write"):
    globals().pop(_name)  # leaves more heap for the application
