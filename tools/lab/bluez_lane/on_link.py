"""Scenarios of the link: found, in session."""

from tools.lab.bluez_lane.bed import Bed
from tools.rig.image import DEVICE_ID


async def found_by_service_and_tag(bed: Bed) -> str:
    """BlueZ hears what a wearable says about itself."""
    heard = await bed.radio.find(DEVICE_ID)
    assert heard.address == bed.wearable.ble_address, heard
    assert heard.is_simulated and not heard.may_pair, heard
    return f"{heard.address}, {heard.rssi_dbm} dBm"


async def session_and_status(bed: Bed) -> str:
    """A session over the private service without pairing, in fragments as large as the MTU allows."""
    async with bed.session() as client:
        status = await bed.status(client)
        fragment_bytes = client.transport.fragment_bytes or 0
        assert fragment_bytes > 100, f"fragments of {fragment_bytes} bytes"
        assert status.head_seq > 0, status
    return f"fragments of {fragment_bytes} bytes"
