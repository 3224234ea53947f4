"""Bytes on pseudo-terminals, which the kernel hands over late: what one end has sent, the other can wait for.

A pty has one maker, the wearable, and one host after the other opens it. Both count without a gap: nothing on a pty is
flushed away uncounted.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Due = dict[str, tuple[int, int]]
Counts = Mapping[str, Sequence[int]]


class _Made(NamedTuple):
    maker: int
    epoch: int
    sent: int
    number: int  # of this making, over all makers of the path: the epoch that hosts are told


class PortCounts:
    """Participants are known by a number that is never used again."""

    def __init__(self) -> None:
        self._made: dict[str, _Made] = {}
        self._opened: dict[str, dict[int, tuple[int, int]]] = {}
        self._makings = 0

    def report(self, who: int, ports: Counts, opened: Counts) -> None:
        """Keep the totals with which a participant ended its turn."""
        for path, (epoch, sent, _taken) in ports.items():
            known = self._made.get(path)
            if known is None or (known.maker, known.epoch) != (who, epoch):
                self._makings += 1
                self._opened[path] = {}
                known = _Made(who, epoch, 0, self._makings)
            self._made[path] = known._replace(sent=sent)
        for path, (epoch, sent, taken) in opened.items():
            if path in self._made and self._made[path].number == epoch:
                self._opened[path][who] = (sent, taken)

    def gone(self, who: int) -> None:
        """A participant ended. What a host sent and took still counts; a pty ends with its maker."""
        for path in [path for path, made in self._made.items() if made.maker == who]:
            del self._made[path], self._opened[path]

    def due(self, who: int) -> Due:
        """For each pty the epoch and the bytes that the other end has sent to this participant since it began."""
        return {path: self._of(path, who) for path in self._made}

    def _of(self, path: str, who: int) -> tuple[int, int]:
        made, hosts = self._made[path], self._opened[path]
        if made.maker == who:
            return made.epoch, sum(sent for sent, _ in hosts.values())
        return made.number, made.sent - sum(taken for host, (_, taken) in hosts.items() if host != who)


def counts_of(message: Mapping[str, Any], key: str) -> dict[str, tuple[int, int, int]]:
    """The totals in a message of the wire; ValueError or TypeError when they are none."""
    found = {}
    for path, (epoch, sent, taken) in message.get(key, {}).items():
        if not all(isinstance(number, int) for number in (epoch, sent, taken)):
            raise ValueError(f"{key}: {path} has no three numbers")
        found[path] = (epoch, sent, taken)
    return found
