"""Scenarios of the link: found, in session."""

from crs_core.wire import message as wire

from tools.rig.image import DEVICE_ID
from tools.rig.radio_bedside import RadioBedside


async def found_by_service_and_tag(bedside: RadioBedside) -> str:
    """The system hears what a wearable says about itself."""
    heard = await bedside.radio.find(DEVICE_ID)
    assert heard.address == bedside.wearable.ble_address, heard
    assert heard.is_simulated and not heard.may_pair, heard
    return f"{heard.address}, {heard.rssi_dbm} dBm"


async def session_and_status(bedside: RadioBedside) -> str:
    """A session over the private service without pairing, in fragments as large as the MTU allows."""
    async with bedside.session() as client:
        status = await bedside.status(client)
        fragment_bytes = client.transport.fragment_bytes or 0
        assert fragment_bytes > 100, f"fragments of {fragment_bytes} bytes"
        assert status.head_seq > 0 and status.flags & wire.STATUS_SIMULATED, status
    return f"fragments of {fragment_bytes} bytes"
