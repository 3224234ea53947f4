"""Bonds kept by the firmware: a bumble key store behind _IRQ_GET_SECRET and _IRQ_SET_SECRET.

Values are 80 bytes of two types, as NimBLE hands out: type 1 our keys, type 2 the peer's. What the firmware forgets is
really gone. A "no" makes room as NimBLE does: one bond after the other is thrown out and the write tried again.
"""

import contextlib
import struct
from collections.abc import Awaitable, Callable

from bumble import att, hci
from bumble.keys import KeyStore, PairingKeys

GetSecret = Callable[[int, bytes], Awaitable[bytes | None]]
SetSecret = Callable[[int, bytes, bytes | None], Awaitable[None]]
TYPES = (1, 2)
_LAYOUT = struct.Struct("<16s16s16sBB30x")
_HAS_LTK, _HAS_IRK, _HAS_CSRK, _AUTHENTICATED = 1, 2, 4, 8


class SecretStore(KeyStore):
    """`get(type, key)` and `set(type, key, value)` ask the chip."""

    def __init__(self, get: GetSecret, put: SetSecret) -> None:
        self._get, self._put = get, put
        self._names: list[str] = []  # oldest first, of this power-up

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Keep a bond."""
        for kind in TYPES:
            while True:
                try:
                    await self._put(kind, _key(name), _pack(keys))
                    break
                except att.ATT_Error:
                    if not self._names:
                        return
                    await self.delete(self._names.pop(0))
        self._names = [known for known in self._names if known != name] + [name]

    async def delete(self, name: str) -> None:
        """Forget a bond."""
        for kind in TYPES:
            with contextlib.suppress(att.ATT_Error):  # it knew none
                await self._put(kind, _key(name), None)

    async def get(self, name: str) -> PairingKeys | None:
        """The bond with this address."""
        value = await self._get(TYPES[0], _key(name))
        return _unpack(value) if value else None

    async def get_all(self) -> list[tuple[str, PairingKeys]]:
        """Nothing: only the chip knows, and addresses here do not change."""
        return []


def _key(name: str) -> bytes:
    address = hci.Address(name.split("/", maxsplit=1)[0], 0 if name.endswith("/P") else 1)
    return bytes([address.address_type & 1]) + bytes(address)


def _pack(keys: PairingKeys) -> bytes:
    parts = [keys.ltk, keys.irk, keys.csrk]
    flags = sum(flag for part, flag in zip(parts, (_HAS_LTK, _HAS_IRK, _HAS_CSRK), strict=True) if part)
    if keys.ltk and keys.ltk.authenticated:
        flags |= _AUTHENTICATED
    values = [part.value if part else bytes(16) for part in parts]
    return _LAYOUT.pack(*values, flags, int(keys.address_type or 0))


def _unpack(value: bytes) -> PairingKeys:
    ltk, irk, csrk, flags, address_type = _LAYOUT.unpack(value)
    authenticated = bool(flags & _AUTHENTICATED)
    keys = PairingKeys()
    keys.address_type = hci.AddressType(address_type)
    if flags & _HAS_LTK:
        keys.ltk = PairingKeys.Key(value=ltk, authenticated=authenticated)
    if flags & _HAS_IRK:
        keys.irk = PairingKeys.Key(value=irk, authenticated=authenticated)
    if flags & _HAS_CSRK:
        keys.csrk = PairingKeys.Key(value=csrk, authenticated=authenticated)
    return keys
