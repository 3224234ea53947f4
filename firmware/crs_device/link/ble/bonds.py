"""Bonds: the secrets that the stack hands out, in a file of two slots. Oldest first out; wiped with the binding.

The stack calls from its interrupt: it is answered from memory, and `flush`, called by a task, writes.
Payload: version u8, then for each secret type u8, key length u8, key, value length u8, value.
"""

from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_device.two_slot import TwoSlot

_VERSION = const(1)
_BONDS_MAX = const(3)  # one less than NimBLE has places: the custodian gets in beside them
_PEER_KINDS = (1, 2)  # our keys and the peer's; other types belong to the radio itself
_PART_MAX = const(255)


class Bonds:
    """`path` as of TwoSlot. `refused` counts what was not kept because no pairing was allowed.

    What the stack forgets is only put aside: NimBLE drops a bond as soon as somebody with that address asks to pair,
    before it is known who that is. `settle` when a pairing was good, `restore` when it was not.
    """

    def __init__(self, path: str = "/bonds") -> None:
        self._file = TwoSlot(path)
        self._secrets: list[tuple[int, bytes, bytes]] = []
        self._aside: list[tuple[int, bytes, bytes]] = []
        self._is_dirty = False
        self.refused = 0
        data = self._file.load()
        if data:
            try:
                self._secrets = decode(data)
            except RemoteError:
                self._is_dirty = True  # it is unreadable, and an empty file replaces it

    @property
    def count(self) -> int:
        """How many centrals are bonded."""
        return len([secret for secret in self._secrets if secret[0] == _PEER_KINDS[0]])

    def get(self, kind: int, index: int, key: bytes | None) -> bytes | None:
        """The secret with this key, or the index-th of its kind when `key` is None."""
        for secret in self._secrets:
            if secret[0] != kind:
                continue
            if key is not None:
                if secret[1] == key:
                    return secret[2]
            elif index == 0:
                return secret[2]
            else:
                index -= 1
        return None

    def put(self, kind: int, key: bytes, value: bytes | None) -> bool:
        """Keep or (None) forget a secret; False when it was not kept or not known."""
        known = [secret for secret in self._secrets if secret[0] == kind and secret[1] == key]
        if value is None:
            if not known:
                return False
            self._secrets = [secret for secret in self._secrets if secret not in known]
            self._aside += known
        else:
            if len(key) > _PART_MAX or len(value) > _PART_MAX:
                return False
            self._secrets = [secret for secret in self._secrets if secret not in known]
            self._secrets.append((kind, bytes(key), bytes(value)))
            same = [secret for secret in self._secrets if secret[0] == kind]
            if kind in _PEER_KINDS and len(same) > _BONDS_MAX:
                self._secrets.remove(same[0])
        self._is_dirty = True
        return True

    def settle(self) -> None:
        """Forget what was put aside: the pairing was good."""
        self._aside = []

    def restore(self) -> None:
        """Use what was put aside again, except what was replaced since."""
        aside, self._aside = self._aside, []
        for kind, key, value in aside:
            if self.get(kind, 0, key) is None:
                self.put(kind, key, value)

    def wipe(self) -> None:
        """Forget every central; the radio's own secrets stay. OSError: flash refused."""
        self._aside = []
        self._secrets = [secret for secret in self._secrets if secret[0] not in _PEER_KINDS]
        self._is_dirty = True
        self.flush()

    def flush(self) -> None:
        """Write what changed. OSError: it is tried again at the next call."""
        if not self._is_dirty or self._aside:
            return
        self._is_dirty = False  # first, because the stack may hand out another secret during the write
        try:
            self._file.store(encode(self._secrets))
        except OSError:
            self._is_dirty = True
            raise


def encode(secrets: list[tuple[int, bytes, bytes]]) -> bytes:
    """The file's payload."""
    out = bytearray([_VERSION])
    for kind, key, value in secrets:
        out.extend(bytes([kind, len(key)]) + key + bytes([len(value)]) + value)
    return bytes(out)


def decode(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """The secrets in order; RemoteError when cut or of another version."""
    if data[0] != _VERSION:
        raise RemoteError("bonds of version %d" % data[0])
    secrets = []
    at = 1
    while at < len(data):
        key_end = at + 2 + data[at + 1] if at + 1 < len(data) else len(data)
        if key_end >= len(data) or key_end + 1 + data[key_end] > len(data):
            raise RemoteError("bonds cut short")
        end = key_end + 1 + data[key_end]
        secrets.append((data[at], data[at + 2 : key_end], data[key_end + 1 : end]))
        at = end
    return secrets
