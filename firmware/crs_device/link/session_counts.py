"""Copies the counters of a session into the health counters. Loaded when a host asks for the status."""

from crs_device import health as counts

# names of the session's own counters -> health counter ids
_COUNTERS = {
    "bad_crc": counts.RX_BAD_CRC,
    "bad_escape": counts.RX_BAD_ESCAPE,
    "oversize": counts.RX_OVERSIZE,
    "too_short": counts.RX_SHORT,
    "text_bytes": counts.RX_TEXT_BYTES,
    "bad_mac": counts.RX_BAD_SEAL,
    "reflected": counts.RX_REFLECTED,
    "replayed": counts.RX_REPLAY,
    "missed": counts.RX_LOST_MESSAGE,
    "bad_message": counts.RX_BAD_MESSAGE,
    "refused_version": counts.REFUSED_VERSION,
    "refused_key": counts.REFUSED_KEY,
    "refused_proof": counts.REFUSED_PROOF,
    "torn": counts.BLE_TORN,
}


def copy(session, health, taken: dict[str, int]) -> None:  # type: ignore[no-untyped-def]
    """Add what `session` counted since the last time; `taken` remembers how much that was."""
    known = session.counters()
    for name, counter in _COUNTERS.items():
        total = known.get(name, 0)
        if total > taken.get(name, 0):
            health.count(counter, total - taken.get(name, 0))
            taken[name] = total
