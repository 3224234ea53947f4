"""A wearable's own calibration on the real firmware: the values are its, and the journal says whose they are."""

from pathlib import Path

from crs_core import calibration, codes
from crs_core.journal import record_layout, record_types
from crs_core.spo2_curve import spo2_tenths
from crs_core.wire import message as wire

from tools.data.ppg_wave import ratio_of
from tools.rig.host import of_type, pull
from tools.rig.image import SETTINGS
from tools.rig.wearable import Wearable, ready

CURVE = (0, -250000, 1050000)
OWN = "date=2026-11-20;spo2=0,-250000,1050000;spo2_n=120;spo2_arms=187;temp=-50;temp_n=24;temp_sd=4;by=simulated bench"
AT_97 = spo2_tenths(CURVE, round(1000 * ratio_of(97)))


def test_its_own_curve_and_offset_make_the_values_and_the_journal_says_so(tmp_path: Path) -> None:
    assert AT_97 < 940, "far from what the other curve says"
    with ready(tmp_path, speed=60, settings={**SETTINGS, "calibration": OWN}) as wearable:
        host = wearable.connect()
        live = host.see_measured()
        assert abs(live.spo2_tenths - AT_97) <= 15 and abs(live.temp_cc - 3630) <= 20
        events, _ = pull(host, 4)
        own_id = calibration.id_of(OWN)
        assert of_type(events, record_layout.CALIBRATION) == [record_types.Calibration(own_id, OWN)]
        assert of_type(events, record_layout.SETTINGS)[0].calibration_id == own_id
        kinds = [event.type for _, event in events]
        assert kinds.index(record_layout.CALIBRATION) < kinds.index(record_layout.SETTINGS)


def test_a_change_is_for_the_next_start_and_a_wrong_one_for_none(wearable: Wearable) -> None:
    host = wearable.connect()
    before = host.settings()
    refused = host.change_settings(f"calibration={OWN.replace('temp=-50', 'temp=-51')}\n")
    assert (refused.code, refused.detail) == (
        wire.RESULT_BAD_VALUE, "calibration: temperature offset beyond 50 cc",
    )  # fmt: skip
    assert host.settings() == before and abs(host.see_measured().spo2_tenths - 970) <= 15
    assert host.change_settings(f"calibration={OWN}\n").code == wire.RESULT_DONE
    host.messages.clear()
    assert abs(host.see_measured().spo2_tenths - 970) <= 15, "what runs is what the journal said at the start"
    wearable.control("cut", off_ms=200)
    host.open()
    host.messages.clear()
    assert abs(host.see_measured().spo2_tenths - AT_97) <= 15
    events, _ = pull(host)
    built_in = record_types.Calibration(1, calibration.BUILT_IN[1][1])
    own = record_types.Calibration(calibration.id_of(OWN), OWN)
    assert of_type(events, record_layout.CALIBRATION) == [built_in, built_in, own]
    changes = [(entry.calibration_id, OWN in entry.text) for entry in of_type(events, record_layout.SETTINGS)]
    assert changes == [(1, False), (1, True), (own.calibration_id, True)]


def test_a_stored_calibration_that_cannot_be_used_takes_nothing_else_with_it(tmp_path: Path) -> None:
    """Another application may have allowed what this one refuses: site and numbers hold, the journal says AN6845."""
    with ready(
        tmp_path, speed=60, settings={**SETTINGS, "calibration": OWN.replace("temp=-50", "temp=90")}
    ) as wearable:
        host = wearable.connect()
        live = host.see_measured()
        assert abs(live.spo2_tenths - 970) <= 15 and abs(live.temp_cc - 3680) <= 20
        assert live.status & 7 == 1, "the site is still known"
        events, _ = pull(host, 5)
        assert [entry.calibration_id for entry in of_type(events, record_layout.CALIBRATION)] == [1]
        faults = [
            fault
            for fault in of_type(events, record_layout.FAULT)
            if fault.subsystem == codes.SUBSYSTEM_SETTINGS
        ]
        assert [fault.detail for fault in faults] == ["calibration: temperature offset beyond 50 cc"]
