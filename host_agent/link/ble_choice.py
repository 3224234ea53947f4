"""Which of several radios to try, when any of them could be the wearable.

An address that the wearable proved its key from comes first, then the addresses with the fewest tries in vain, among
them the one that was heard first: who comes with a new address each time comes last. After two new addresses were tried
in vain, one that was tried before has its turn: else new addresses would keep out a wearable that failed once.
"""

from collections.abc import Collection
from typing import NamedTuple

_NEW_IN_A_ROW = 2
_ADDRESSES_MAX = 256
_FORGOTTEN_S = 900.0


class _Known(NamedTuple):
    first_s: float
    last_s: float
    in_vain: int
    is_proven: bool


class Addresses:
    """What this laptop remembers of radio addresses. Times are monotonic seconds; at most 256 addresses are known."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._new_in_vain = 0  # one after the other

    def heard(self, address: str, now_s: float) -> None:
        """Note the address. When too many are known, a new one is not noted: it stays the last to be tried."""
        known = self._known.get(address)
        if known is None and len(self._known) >= _ADDRESSES_MAX:
            self._known = {
                name: one for name, one in self._known.items() if now_s - one.last_s < _FORGOTTEN_S
            }
            if len(self._known) >= _ADDRESSES_MAX:
                return
        self._known[address] = known._replace(last_s=now_s) if known else _Known(now_s, now_s, 0, False)

    def proved(self, address: str) -> None:
        """The wearable proved its key over a connection with this address."""
        known = self._known.get(address, _Known(0.0, 0.0, 0, False))
        self._known[address] = known._replace(in_vain=0, is_proven=True)

    def tried_in_vain(self, address: str) -> None:
        """A connection with this address ended, or never came about, without a proof."""
        known = self._known.get(address)
        self._new_in_vain = 0 if known is not None and known.in_vain else self._new_in_vain + 1
        if known is not None:
            self._known[address] = known._replace(in_vain=known.in_vain + 1)

    def is_proven(self, address: str) -> bool:
        """Whether the last try with this address was proven."""
        known = self._known.get(address)
        return known is not None and known.is_proven and not known.in_vain

    def choose(self, addresses: Collection[str]) -> str:
        """The one of these that is to be tried now."""
        before = [one for one in addresses if self.rank(one)[0]]
        is_their_turn = before and self._new_in_vain >= _NEW_IN_A_ROW
        return min(before if is_their_turn else addresses, key=self.rank)

    def rank(self, address: str) -> tuple[int, float]:
        """Tries in vain, and when it was heard first: the smallest is the one to try, but for turns."""
        known = self._known.get(address)
        return (known.in_vain, known.first_s) if known is not None else (0, float("inf"))
