"""Whether what was sent on a TCP connection of this computer has arrived at its other end (Linux, loopback).

A UNIX socket hands bytes over while they are sent. TCP on loopback does so later, on a busy computer much later.
The kernel tells what the socket at the other end has received (sock_diag(7)), so nobody needs to guess.
"""

import os
import select
import socket
import stat
import struct
import time
from typing import NamedTuple

_TIMEOUT_S = 2.0
_POLL_S = 0.0002
_SOCK_DIAG = 4  # netlink family
_BY_FAMILY, _INFO = 20, 2
_REQUEST, _ERROR = 1, 2
_MESSAGE_HEADER, _DIAG_HEADER = 16, 72
# offsets in struct tcp_info
_STATE, _RECEIVED, _SENT, _INFO_BYTES = 0, 128, 200, 216
_ESTABLISHED, _SYN_SENT, _CLOSED, _LISTENING = 1, 2, 7, 10

_now_s = time.monotonic  # real, whatever clock the process gets
Address = tuple[str, int]


class _Seen(NamedTuple):
    inode: int
    local: Address
    peer: Address | None
    state: int
    sent: int


class TcpArrivals:
    """The connections of one process; `note` each descriptor, then `wait`."""

    def __init__(self) -> None:
        self._netlink: socket.socket | None = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG)
        self._seen: dict[int, _Seen] = {}

    def note(self, fd: int) -> None:
        """Watch a descriptor, when it is a TCP socket. Call it before the descriptor is closed."""
        try:
            status = os.fstat(fd)
        except OSError:
            return
        if not stat.S_ISSOCK(status.st_mode):
            return
        known = self._seen.get(fd)
        end = socket.socket(fileno=fd)
        try:
            if end.type != socket.SOCK_STREAM or end.family not in (socket.AF_INET, socket.AF_INET6):
                return
            local = end.getsockname()[:2]
            try:
                peer = end.getpeername()[:2]
            except OSError:
                peer = None
        except OSError:
            return
        finally:
            end.detach()
        if known is None or (known.inode, known.local, known.peer) != (status.st_ino, local, peer):
            self._seen[fd] = _Seen(status.st_ino, local, peer, -1, -1)

    def wait(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Wait, for real, until all that was sent has arrived: bytes, a new connection, the end of one."""
        end_s = _now_s() + timeout_s
        for fd in list(self._seen):
            while not self._has_arrived(fd) and _now_s() < end_s:
                select.select([], [], [], _POLL_S)

    def has_arrived(self) -> bool:
        """Whether all that was sent has arrived, without waiting."""
        return all([self._has_arrived(fd) for fd in list(self._seen)])

    def close(self) -> None:
        """Watch nothing more."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None
        self._seen.clear()

    def _has_arrived(self, fd: int) -> bool:
        seen = self._seen[fd]
        info = _info(fd, seen.inode)
        if info is None:  # closed here: the other end must have seen the end
            if seen.peer is not None and self._ask(seen)[0] == _ESTABLISHED:
                return False
            del self._seen[fd]
            return True
        # a busy computer sends some bytes again before it is told that they came
        state, (sent, sent_again) = info[_STATE], struct.unpack_from("=QQ", info, _SENT)
        sent -= sent_again
        if (state, sent) == (seen.state, seen.sent) or state in (_LISTENING, _CLOSED):
            return True
        if state == _SYN_SENT:
            # one that is for another computer may take its time
            return not seen.local[0].startswith("127.") and seen.local[0] != "::1"
        if seen.peer is None:
            self.note(fd)
            seen = self._seen[fd]
        peer_state, received = self._ask(seen)
        if peer_state == _LISTENING or (peer_state == _ESTABLISHED and received < sent):
            return False
        self._seen[fd] = seen._replace(state=state, sent=sent)
        return True

    def _ask(self, seen: _Seen) -> tuple[int, int]:
        """(state, bytes received) of the other end of a connection; (closed, 0) when there is none here."""
        if seen.peer is None or self._netlink is None:
            return _CLOSED, 0
        family = socket.AF_INET6 if ":" in seen.local[0] else socket.AF_INET
        ends = b"".join(
            socket.inet_pton(family, address).ljust(16, b"\0") for address, _ in (seen.peer, seen.local)
        )
        body = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0xFFFFFFFF)
        body += struct.pack(">HH", seen.peer[1], seen.local[1]) + ends + struct.pack("=I8s", 0, b"\xff" * 8)
        self._netlink.send(
            struct.pack("=IHHII", _MESSAGE_HEADER + len(body), _BY_FAMILY, _REQUEST, 1, 0) + body
        )
        answer = self._netlink.recv(65536)
        length, kind = struct.unpack_from("=IH", answer)
        if kind == _ERROR:
            return _CLOSED, 0
        state, at = answer[_MESSAGE_HEADER + 1], _MESSAGE_HEADER + _DIAG_HEADER
        while at + 4 <= length:
            size, kind = struct.unpack_from("=HH", answer, at)
            if kind == _INFO:
                return state, struct.unpack_from("=Q", answer, at + 4 + _RECEIVED)[0]
            at += (size + 3) & ~3
        return state, 0


def _info(fd: int, inode: int) -> bytes | None:
    """The kernel's struct tcp_info; None when the descriptor is no longer this socket."""
    try:
        if os.fstat(fd).st_ino != inode:
            return None
        end = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        return end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    finally:
        end.detach()
