"""Time of the virtual chip when a conductor owns it: `time`, `select.poll` and interrupts. Runs on MicroPython.

The chip carries its own count of microseconds. A wait ends when the count reaches its end, at once in real time; each
look at a clock costs a little, so that a loop that only looks at the clock comes to its end, too. The supervisor
lends time up to a horizon before which nothing can arrive. Beyond it the chip asks: it says how far it has come and
until when it has nothing to do, and hears how late it is.
"""

import select as real_select
import struct
import time as real_time
from array import array

_LOOK_US = 2  # what one look at a clock costs
_TICKS_AT_START_MS = 1000
_FOREVER = (1 << 62) - 1
_ASK, _TELL = ord("T"), ord("t")
_BREAK = 1  # the answer: Ctrl-C has come; the question: it may come
_SPOKE = 2  # the question: something went out past the supervisor since the last one

now_us = 0
_horizon_us = 0
_board = None
_utc_start_us = 0
_interrupts = []  # [due_us, callback, argument], soonest first
_in_interrupt = False
_held = False  # an erase holds interrupts up
_spoke = 0
_told_us = bytearray(10)  # the message, ready made
_question = array("l", (_ASK, 0, 0, 0))  # operation, now, until, flags
_answer = array("l", (0, 0, 0, 0))  # nothing, now, horizon, flags
arrivals = None  # called after each answer: whatever comes to the chip past the supervisor
wants_break = True  # micropython.kbd_intr


def begin(board, start_us: int, utc_start_ms: int) -> None:
    """Count on from `start_us`; `board` is the wire to the supervisor."""
    global _board, now_us, _horizon_us, _utc_start_us
    _board = board
    now_us = _horizon_us = start_us
    _utc_start_us = utc_start_ms * 1000
    _told_us[0] = _TELL
    board.before_message, board.put_time = _tell, _put


def _put(message, at: int) -> None:
    struct.pack_into("<Q", message, at, now_us)


def _tell(socket) -> None:
    """Say how far the chip has come, before a message that happens now. Allocates nothing."""
    struct.pack_into("<Q", _told_us, 2, now_us)
    socket.send(_told_us)


def end_lease() -> None:
    """Something has left the chip: others may answer from now on, so the next wait asks."""
    global _horizon_us
    if _horizon_us > now_us:
        _horizon_us = now_us


def spoke() -> None:
    """Something has left the chip past the supervisor: the next wait asks, and says so."""
    global _spoke
    _spoke = _SPOKE


def _ask(until_us: int, may_break: bool) -> None:
    """Hand the turn back until `until_us` or until something arrives. Allocates nothing: how often the chip has to ask
    depends on others, and the heap is the firmware's."""
    global now_us, _horizon_us, _spoke
    _question[1], _question[2], _question[3] = now_us, until_us, (_BREAK if may_break else 0) | _spoke
    _spoke = 0
    _board.ask(_question, _answer)
    now_us, _horizon_us, flags = _answer[1], _answer[2], _answer[3]
    if arrivals is not None:
        arrivals()
    if flags & _BREAK and may_break:
        raise KeyboardInterrupt


def await_arrival() -> None:
    """Wait until anything has come to the chip past the supervisor."""
    _ask(_FOREVER, False)


def _run_interrupts() -> None:
    global _in_interrupt
    while _interrupts and _interrupts[0][0] <= now_us and not (_in_interrupt or _held):
        entry = _interrupts.pop(0)
        _in_interrupt = True
        try:
            entry[1](entry[2])
        finally:
            _in_interrupt = False


def call_at(due_us: int, callback, argument=None) -> None:
    """Run `callback(argument)` as an interrupt when the chip's time has come to `due_us`."""
    at = len(_interrupts)
    while at and _interrupts[at - 1][0] > due_us:
        at -= 1
    _interrupts.insert(at, [due_us, callback, argument])


def hold(on: bool) -> None:
    """An erase begins (True) or ends (False): interrupts wait for its end."""
    global _held
    _held = on
    if not on:
        _run_interrupts()


def _look() -> int:
    global now_us
    now_us += _LOOK_US
    if now_us > _horizon_us:
        _ask(now_us, False)
    if _interrupts and _interrupts[0][0] <= now_us:
        _run_interrupts()
    return now_us


def erase_wait(speed: int):
    """An erase keeps the chip waiting: milliseconds of the wearable's time in which nobody can break in."""

    def wait_ms(span_ms: int) -> None:
        global now_us
        end_us = now_us + span_ms * 1000 // speed
        while now_us < end_us and end_us > _horizon_us:
            _ask(end_us, False)
        if now_us < end_us:
            now_us = end_us

    return wait_ms


def _wait(end_us: int, is_over) -> None:
    """Wait until `end_us`, or until `is_over()` says so after something arrived or an interrupt ran."""
    global now_us
    while True:
        next_us = _interrupts[0][0] if _interrupts and not (_in_interrupt or _held) else _FOREVER
        if next_us > end_us:
            next_us = end_us
        if next_us <= _horizon_us and not _spoke:
            if next_us > now_us:
                now_us = next_us
        else:
            _ask(next_us, wants_break)
        _run_interrupts()
        if now_us >= end_us or (is_over is not None and is_over()):
            return


# -- the time module ----------------------------------------------------------------------------------------------


def ticks_ms() -> int:
    return _TICKS_AT_START_MS + _look() // 1000


def ticks_us() -> int:
    return _TICKS_AT_START_MS * 1000 + _look()


ticks_cpu = ticks_us


def sleep_us(span_us) -> None:
    _wait(now_us + max(0, span_us), None)


def sleep_ms(span_ms) -> None:
    _wait(now_us + max(0, span_ms) * 1000, None)


def sleep(seconds) -> None:
    _wait(now_us + max(0, int(seconds * 1000000)), None)


def time_ns() -> int:
    return (_utc_start_us + _look()) * 1000


def time() -> int:
    return (_utc_start_us + _look()) / 1000000


def gmtime(seconds=None):
    return real_time.gmtime(time() if seconds is None else seconds)


def localtime(seconds=None):
    return real_time.localtime(time() if seconds is None else seconds)


# -- the select module --------------------------------------------------------------------------------------------


class Poll:
    """`select.poll()`: looks at the real descriptors; only the waiting is simulated."""

    def __init__(self):
        self._poll = real_select.poll()
        self.register = self._poll.register
        self.unregister = self._poll.unregister
        self.modify = self._poll.modify
        self._has_found = self._look  # made once: naming a method allocates

    def poll(self, timeout=-1, flags=0):
        found = self._poll.poll(0)
        if found or timeout == 0:
            return found
        self._wait(timeout)
        return self._poll.poll(0)

    def ipoll(self, timeout=-1, flags=0):
        if timeout != 0 and not self._look():
            self._wait(timeout)
        return self._poll.ipoll(0, flags)

    def _wait(self, timeout):
        _wait(_FOREVER if timeout is None or timeout < 0 else now_us + timeout * 1000, self._has_found)

    def _look(self):
        for _ in self._poll.ipoll(0):
            return True
        return False


def modules(copy_of):
    """The modules that programs on this chip see instead of the interpreter's own: name -> module."""
    return {
        "time": copy_of(
            real_time,
            ticks_ms=ticks_ms,
            ticks_us=ticks_us,
            ticks_cpu=ticks_cpu,
            sleep=sleep,
            sleep_ms=sleep_ms,
            sleep_us=sleep_us,
            time=time,
            time_ns=time_ns,
            gmtime=gmtime,
            localtime=localtime,
        ),
        "select": copy_of(real_select, poll=Poll),
    }
