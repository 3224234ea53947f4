"""The attributes that a chip registered, on a bumble GATT server: reads and writes are asked of the chip.

Permissions follow NimBLE: a characteristic whose flags ask for encryption or authentication answers Insufficient
Authentication (5) before pairing, Insufficient Encryption (15) to a bonded central that has not encrypted yet. The
descriptor that subscribes (CCCD) is open to everybody, as on the real stacks.
"""

from typing import Any

from bumble import att
from bumble.core import UUID
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Descriptor, Service

from tools.ble_air import codes

_READ, _WRITES = 2, 4 | 8
_ENCRYPTED, _AUTHENTICATED, _AUTHORIZED = 0x200, 0x400, 0x800  # of a write: three bits higher
_PROPERTIES = 0x3E


class ChipGatt:
    """`ask(operation, body)` asks the chip and returns its value or raises att.ATT_Error. `settled(connection)` waits
    until the chip knows how secure it is. `authenticated` holds the connections whose key somebody vouched for."""

    def __init__(self, device: Device, ask: Any, settled: Any, authenticated: set[int]) -> None:
        self._device, self._ask, self._settled, self._authenticated = device, ask, settled, authenticated
        self._services: list[Service] = []

    def register(self, tree: list[Any]) -> list[list[int]]:
        """Replace all services; `tree` is [(uuid, [(uuid, flags, [(uuid, flags)])])], UUIDs in little-endian hex.

        Returns the handles of each service: characteristic values, each followed by its descriptors. A characteristic
        with flags None is one that the board had no room for: handle 0, and nobody sees it.
        """
        server = self._device.gatt_server
        for service in self._services:
            last = service.end_group_handle
            server.attributes[:] = [a for a in server.attributes if not service.handle <= a.handle <= last]
            server.services.remove(service)
        server.attributes_by_handle.clear()
        server.attributes_by_handle.update({a.handle: a for a in server.attributes})
        self._services = []
        handles = []
        for uuid, characteristics in tree:
            made = [
                self._characteristic(*fields) if fields[1] is not None else None for fields in characteristics
            ]
            service = Service(_uuid(uuid), [c for c in made if c is not None])
            if any(made):
                server.add_service(service)
                self._services.append(service)
            row: list[int] = []
            for characteristic, fields in zip(made, characteristics, strict=True):
                row += _handles(characteristic, len(fields[2]))
            handles.append(row)
        return handles

    def attribute(self, handle: int) -> Any:
        """The attribute with this handle."""
        return self._device.gatt_server.get_attribute(handle)

    def _characteristic(self, uuid: str, flags: int, descriptors: list[Any]) -> Characteristic[bytes]:
        made = [Descriptor(_uuid(u), _permissions(f)) for u, f in descriptors]
        for descriptor in made:
            descriptor.value = self._value(descriptor, 0)
        characteristic: Characteristic[bytes] = Characteristic(
            _uuid(uuid), Characteristic.Properties(flags & _PROPERTIES), _permissions(flags), descriptors=made
        )
        characteristic.value = self._value(characteristic, flags)
        return characteristic

    def _value(self, attribute: Any, flags: int) -> Any:
        async def read(bearer: Any) -> bytes:
            await self._check(bearer, flags)
            return await self._ask(codes.READ, _place(bearer, attribute))  # type: ignore[no-any-return]

        async def write(bearer: Any, value: bytes) -> None:
            await self._check(bearer, flags >> 3)
            await self._ask(codes.WRITTEN, _place(bearer, attribute) + bytes(value))

        return CharacteristicValue(read=read, write=write)

    async def _check(self, bearer: Any, flags: int) -> None:
        await self._settled(bearer.handle)
        if flags & (_ENCRYPTED | _AUTHENTICATED) and not bearer.is_encrypted:
            store = self._device.keystore
            is_bonded = store is not None and await store.get(str(bearer.peer_address)) is not None
            code = (
                att.ErrorCode.INSUFFICIENT_ENCRYPTION
                if is_bonded
                else att.ErrorCode.INSUFFICIENT_AUTHENTICATION
            )
            raise att.ATT_Error(code)
        if flags & _AUTHENTICATED and bearer.handle not in self._authenticated:
            raise att.ATT_Error(att.ErrorCode.INSUFFICIENT_AUTHENTICATION)
        if flags & _AUTHORIZED:
            raise att.ATT_Error(att.ErrorCode.INSUFFICIENT_AUTHORIZATION)


def _handles(characteristic: Characteristic[bytes] | None, descriptors: int) -> list[int]:
    if characteristic is None:
        return [0] * (1 + descriptors)
    return [characteristic.handle, *(d.handle for d in characteristic.descriptors[:descriptors])]


def _place(bearer: Any, attribute: Any) -> bytes:
    return int(bearer.handle).to_bytes(2, "little") + int(attribute.handle).to_bytes(2, "little")


def _uuid(text: str) -> UUID:
    return UUID.from_bytes(bytes.fromhex(text))


def _permissions(flags: int) -> Any:
    permissions = Characteristic.Permissions(0)
    if flags & _READ:
        permissions |= Characteristic.Permissions.READABLE
    if flags & _WRITES:
        permissions |= Characteristic.Permissions.WRITEABLE
    return permissions
