"""A wearable's own calibration on the real firmware: the values are its, and the journal says whose they are."""

from pathlib import Path
from typing import Any

from crs_core import calibration, codes, records
from crs_core.spo2_curve import spo2_tenths
from crs_core.wire import message as wire

from tests.fakes.records_of import of_type, pull
from tools.data.ppg_wave import ratio_of
from tools.rig.image import SETTINGS, build_image
from tools.rig.serial_host import Wearable

CURVE = (0, -250000, 1050000)
OWN = "date=2026-11-20;spo2=0,-250000,1050000;spo2_n=120;spo2_arms=187;temp=-50;temp_n=24;temp_sd=4;by=simulated bench"
AT_97 = spo2_tenths(CURVE, round(1000 * ratio_of(97)))


def measured(host: Any) -> wire.Live:
    """The first live values with both measured."""
    live = host.take(wire.Live)
    while live.spo2_tenths is None or live.fever == codes.FEVER_UNKNOWN:
        live = host.take(wire.Live)
    return live  # type: ignore[no-any-return]


def test_its_own_curve_and_offset_make_the_values_and_the_journal_says_so(tmp_path: Path) -> None:
    assert AT_97 < 940, "far from what the other curve says"
    image = build_image(tmp_path / "f.img", settings={**SETTINGS, "calibration": OWN})
    with Wearable(tmp_path, image, speed=60) as wearable:
        host = wearable.connect()
        live = measured(host)
        assert abs(live.spo2_tenths - AT_97) <= 15
        assert abs(live.temp_cc - 3630) <= 20
        events, _ = pull(host, 4)
        own_id = calibration.id_of(OWN)
        assert of_type(events, records.CALIBRATION) == [records.Calibration(own_id, OWN)]
        assert of_type(events, records.SETTINGS)[0].calibration_id == own_id
        kinds = [event.type for _, event in events]
        assert kinds.index(records.CALIBRATION) < kinds.index(records.SETTINGS)


def test_a_change_is_for_the_next_start_and_a_wrong_one_for_none(tmp_path: Path) -> None:
    with Wearable(tmp_path, build_image(tmp_path / "f.img"), speed=60) as wearable:
        host = wearable.connect()
        before = host.ask(wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.SettingsIs)
        refused = send(host, f"calibration={OWN.replace('temp=-50', 'temp=-51')}\n")
        assert (refused.code, refused.detail) == (
            wire.RESULT_BAD_VALUE, "calibration: temperature offset beyond 50 cc",
        )  # fmt: skip
        assert host.ask(wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.SettingsIs) == before
        assert abs(measured(host).spo2_tenths - 970) <= 15
        assert send(host, f"calibration={OWN}\n").code == wire.RESULT_DONE
        host.messages.clear()
        assert abs(measured(host).spo2_tenths - 970) <= 15, "what runs is what the journal said at the start"
        wearable.control("cut", off_ms=200)
        host.open()
        host.messages.clear()
        assert abs(measured(host).spo2_tenths - AT_97) <= 15
        events, _ = pull(host)
        built_in = records.Calibration(1, calibration.BUILT_IN[1][1])
        own = records.Calibration(calibration.id_of(OWN), OWN)
        assert of_type(events, records.CALIBRATION) == [built_in, built_in, own]
        changes = [(entry.calibration_id, OWN in entry.text) for entry in of_type(events, records.SETTINGS)]
        assert changes == [(1, False), (1, True), (own.calibration_id, True)]


def test_a_stored_calibration_that_cannot_be_used_takes_nothing_else_with_it(tmp_path: Path) -> None:
    """Another application may have allowed what this one refuses: site and numbers hold, the journal says AN6845."""
    image = build_image(
        tmp_path / "f.img", settings={**SETTINGS, "calibration": OWN.replace("temp=-50", "temp=90")}
    )
    with Wearable(tmp_path, image, speed=60) as wearable:
        host = wearable.connect()
        live = measured(host)
        assert abs(live.spo2_tenths - 970) <= 15 and abs(live.temp_cc - 3680) <= 20
        assert live.status & 7 == 1, "the site is still known"
        events, _ = pull(host, 5)
        assert [entry.calibration_id for entry in of_type(events, records.CALIBRATION)] == [1]
        faults = [
            fault for fault in of_type(events, records.FAULT) if fault.subsystem == codes.SUBSYSTEM_SETTINGS
        ]
        assert [fault.detail for fault in faults] == ["calibration: temperature offset beyond 50 cc"]


def send(host: Any, text: str) -> wire.Result:
    """Change settings in parts that fit one message each."""
    data = text.encode()
    pieces = [data[at : at + 60] for at in range(0, len(data), 60)]
    for number, piece in enumerate(pieces):
        result = host.ask(wire.Settings(wire.SETTINGS_SET, number, len(pieces), piece))
    return result  # type: ignore[no-any-return]
