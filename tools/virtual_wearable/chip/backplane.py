"""The wires from the chip to the rest of the board: datagrams to the supervisor. Runs on MicroPython.

A call carries a number and waits for the answer with the same number, so a Ctrl-C between sending and receiving
leaves at most one stale answer, which the next call throws away. A tell is not answered.
"""

import micropython
import socket
import struct

_SOCK_SEQPACKET = 5
_ANSWER_MAX = 512  # a whole FIFO is 192; each answer is taken from the chip's own heap
_READ = ord("M")
_READ_AT = ord("m")  # the same, with the chip's time before the rest
_TIME_AT, _TIME_END = 2, 10


@micropython.viper
def _copy(target: ptr8, source: ptr8, count: int):  # noqa: F821 viper's own type
    for i in range(count):
        target[i] = source[2 + i]


class Backplane:
    """Connection to the supervisor's socket at `path`."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, _SOCK_SEQPACKET)
        self._socket.connect(struct.pack("<H", socket.AF_UNIX) + path.encode())
        self._number = 0
        self.before_message = None  # simulated time: says through the socket how far the chip has come
        self.put_time = None  # simulated time: writes it into a message
        self._question = bytearray(_TIME_END + 4)
        self._answers = {}  # by length, so that a read allocates no more than on the chip

    def call(self, op: int, payload: bytes = b"") -> bytes:
        """Send `op` and return the answer's payload; OSError with the errno the board answered."""
        if self.before_message is not None:
            self.before_message(self._socket)
        number = self._number = (self._number + 1) & 0xFF
        self._socket.send(bytes((op, number)) + payload)
        while True:
            answer = self._socket.recv(_ANSWER_MAX)
            if not answer:  # the supervisor is gone: so is the power
                raise SystemExit
            if answer[0] == number:
                break
        if answer[1]:
            raise OSError(answer[1])
        return answer[2:]

    def read_into(self, address: int, register: int, buf) -> None:
        """Fill `buf` from a register on; allocates nothing, as the ports of the chips. OSError as `call`."""
        count = len(buf)
        answer = self._answers.get(count)
        if answer is None:
            answer = self._answers[count] = bytearray(2 + count)
        number = self._number = (self._number + 1) & 0xFF
        question = self._question
        question[1] = number
        if self.put_time is None:
            question[0] = _READ
            struct.pack_into("<BBH", question, 2, address, register, count)
            self._socket.write(question, 6)
        else:
            question[0] = _READ_AT
            self.put_time(question, _TIME_AT)
            struct.pack_into("<BBH", question, _TIME_END, address, register, count)
            self._socket.write(question)
        while True:
            if not self._socket.readinto(answer):
                raise SystemExit
            if answer[0] == number:
                break
        if answer[1]:
            raise OSError(answer[1])
        _copy(buf, answer, count)

    def ask(self, question, answer) -> None:
        """Send a ready-made message and take its answer into a buffer: allocates nothing."""
        self._socket.send(question)
        if not self._socket.readinto(answer):
            raise SystemExit

    def tell(self, message) -> None:
        """Send a ready-made message (op, 0, payload) without waiting: allocates nothing."""
        if self.before_message is not None:
            self.before_message(self._socket)
        self._socket.send(message)


class Inputs:
    """Levels that the outside sets, read from a small shared file: cheap enough to poll from anywhere."""

    SIZE = 16

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")
        self._buf = bytearray(self.SIZE)

    def refresh(self) -> bytearray:
        """Return the current bytes: see panel.py for their meaning."""
        self._file.seek(0)
        self._file.readinto(self._buf)
        return self._buf
