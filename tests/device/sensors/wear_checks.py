"""Is the strap on? The decision over what both probes say; runs on both runtimes."""

from crs_core.units import WEAR_OFF, WEAR_UNKNOWN, WEAR_WORN
from crs_device.sensors.wear import OFF_HOLD_MS, Wear


def check_wear_table() -> None:
    expected = {
        (True, True): WEAR_WORN, (True, False): WEAR_WORN, (True, None): WEAR_WORN,
        (False, True): WEAR_WORN, (False, False): WEAR_OFF, (False, None): WEAR_UNKNOWN,
        (None, True): WEAR_WORN, (None, False): WEAR_UNKNOWN, (None, None): WEAR_UNKNOWN,
    }  # fmt: skip
    for (optical, thermal), state in expected.items():
        wear = Wear()
        wear.update(optical, thermal, 0)
        assert wear.update(optical, thermal, OFF_HOLD_MS) == state, (optical, thermal)


def check_wear_off_is_held_and_on_is_at_once() -> None:
    wear = Wear()
    assert wear.update(True, True, 0) == WEAR_WORN and wear.update(False, False, 1000) == WEAR_WORN
    assert wear.update(False, False, 1000 + OFF_HOLD_MS - 1) == WEAR_WORN
    assert wear.update(False, False, 1000 + OFF_HOLD_MS) == WEAR_OFF
    assert wear.update(False, True, 7000) == WEAR_WORN and wear.update(False, False, 8000) == WEAR_WORN
    assert wear.update(False, None, 20000) == WEAR_UNKNOWN
