"""Scenarios of the link: found, in session."""

from crs_core.wire import message as wire

from tools.rig.image import CUSTODIAN, DEVICE_ID, READER
from tools.rig.radio_bedside import RadioBedside


async def found_by_its_tag(bedside: RadioBedside) -> str:
    """The system hears a wearable that names itself to its key's holder alone, under another address after a start."""
    heard = await bedside.radio.find(DEVICE_ID, CUSTODIAN.key)
    assert heard.said.only_comes_from(heard.address), heard
    assert heard.is_simulated and not heard.may_pair, heard
    assert not heard.is_of(DEVICE_ID, READER.key[::-1]), "found with a key that it does not hold"
    await bedside.kill_wearable()
    await bedside.start_wearable()
    again = await bedside.radio.find(DEVICE_ID, CUSTODIAN.key)
    assert again.address != heard.address and not {*again.said.tags} & {*heard.said.tags}, again
    return f"{heard.address}, then {again.address}, {again.rssi_dbm} dBm"


async def session_and_status(bedside: RadioBedside) -> str:
    """A session over the private service without pairing, in fragments as large as the MTU allows."""
    async with bedside.session() as client:
        status = await bedside.status(client)
        fragment_bytes = client.transport.fragment_bytes or 0
        assert fragment_bytes > 100, f"fragments of {fragment_bytes} bytes"
        assert status.head_seq > 0 and status.flags & wire.STATUS_SIMULATED, status
    return f"fragments of {fragment_bytes} bytes"
