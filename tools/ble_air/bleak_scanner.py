"""bleak's scanner on the simulated air."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bumble import core
from bumble.core import AdvertisingData
from bumble.device import Advertisement

if TYPE_CHECKING:
    from tools.ble_air.bleak_backend import Adapter

_NAMES = (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME)
_SERVICE_DATA = (
    AdvertisingData.SERVICE_DATA_16_BIT_UUID,
    AdvertisingData.SERVICE_DATA_32_BIT_UUID,
    AdvertisingData.SERVICE_DATA_128_BIT_UUID,
)


def uuid_text(uuid: core.UUID) -> str:
    """The 128-bit form that bleak uses."""
    return str(UUID(bytes=bytes(reversed(uuid.to_bytes(force_128=True)))))


class AirScanner(BaseBleakScanner):
    """See bleak.BleakScanner; made by Adapter.backends()."""

    adapter: "Adapter"

    def __init__(self, detection_callback: Any, service_uuids: Any, scanning_mode: str, **_: Any) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"

    async def start(self) -> None:
        self.seen_devices = {}
        await self.adapter.listen(self._heard, self._active)

    async def stop(self) -> None:
        await self.adapter.unlisten(self._heard)

    def _heard(self, advertisement: Advertisement) -> None:
        uuids: list[str] = []
        manufacturer: dict[int, bytes] = {}
        service_data: dict[str, bytes] = {}
        name = None
        for kind, raw in advertisement.data.ad_structures:
            value = AdvertisingData.ad_data_to_object(kind, raw)
            if kind in _NAMES:
                name = name or value
            elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA:
                manufacturer[value[0]] = bytes(value[1])
            elif kind in _SERVICE_DATA:
                service_data[uuid_text(value[0])] = bytes(value[1])
            elif isinstance(value, list):
                uuids += [uuid_text(uuid) for uuid in value if isinstance(uuid, core.UUID)]
        address = advertisement.address.to_string(with_type_qualifier=False)
        known = self.seen_devices.get(str(advertisement.address))
        if known is not None:  # advertisement and scan response are one device
            before = known[1]
            name = name or before.local_name
            uuids = uuids or before.service_uuids
            manufacturer = manufacturer or before.manufacturer_data
        data = AdvertisementData(
            name, manufacturer, service_data, uuids, None, advertisement.rssi, (advertisement,)
        )  # fmt: skip
        device = self.create_or_update_device(
            str(advertisement.address), address, name, advertisement.address, data
        )  # fmt: skip
        if self.is_allowed_uuid(uuids):
            self.call_detection_callbacks(device, data)
