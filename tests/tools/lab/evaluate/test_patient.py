"""The simulated patient: the same from the same seed, and drawn from the published numbers."""

from random import Random
from statistics import fmean, median, pstdev

import pytest
from crs_core import units

from tools.lab.evaluate import parameters
from tools.lab.evaluate.body import STEP_S, dose_effect, shape
from tools.lab.evaluate.illness import DAY_S, HOUR_S, Illness, Wave, log_sd, plan
from tools.lab.evaluate.parameters import PRODUCTS, Product, value
from tools.lab.evaluate.patient import simulate
from tools.lab.evaluate.worn import NONE, Contact

BY_NAME = {product.name: product for product in PRODUCTS}


def plans(product: Product, count: int = 1500, days: int = 21) -> list[Illness]:
    return [plan(Random(f"plan {i}"), product, days) for i in range(count)]


def test_the_same_seed_gives_the_same_patient() -> None:
    assert simulate(7, 3, 1) == simulate(7, 3, 1)


def test_another_seed_or_number_gives_another_patient() -> None:
    one = simulate(7, 3, 1)
    assert one.body.oral_cc != simulate(8, 3, 1).body.oral_cc
    assert one.body.oral_cc != simulate(7, 9, 1).body.oral_cc
    assert one.product == simulate(7, 9, 1).product


def test_more_days_do_not_change_what_was_planned() -> None:
    assert simulate(7, 0, 1).ill.syndrome == simulate(7, 0, 2).ill.syndrome


@pytest.mark.parametrize("name", ["axi-cel", "tisa-cel", "liso-cel", "ide-cel", "cilta-cel"])
def test_syndromes_come_as_often_and_as_early_as_published(name: str) -> None:
    product = BY_NAME[name]
    drawn = plans(product)
    syndromes = [one.syndrome for one in drawn if one.syndrome]
    assert len(syndromes) / len(drawn) == pytest.approx(product.any_pct / 100, abs=0.04)
    severe = sum(one.is_severe for one in drawn) / len(drawn)
    assert severe == pytest.approx(product.severe_pct / 100, abs=0.03)
    onsets_d = [(begin_s - value("infusion_h") * HOUR_S) / DAY_S for begin_s, _ in syndromes]
    assert median(onsets_d) == pytest.approx(product.onset_d[0], rel=0.12)
    assert max(onsets_d) <= 14
    lasts_d = [(end_s - begin_s) / DAY_S for begin_s, end_s in syndromes]
    assert median(lasts_d) == pytest.approx(product.duration_d[0], rel=0.12)


def test_hypoxia_comes_in_the_published_share_of_syndromes() -> None:
    drawn = [one for one in plans(BY_NAME["axi-cel"]) if one.syndrome]
    assert sum(one.hypoxia is not None for one in drawn) / len(drawn) == pytest.approx(0.234, abs=0.03)
    assert all(one.hypoxia for one in drawn if one.is_severe)


def test_a_spread_is_read_as_what_it_is() -> None:
    assert log_sd(5, 8, "IQR") == pytest.approx(0.348, abs=0.001)
    assert log_sd(1, 12, "range") == pytest.approx(0.497, abs=0.001)


def test_the_axilla_reads_below_the_mouth_as_published() -> None:
    offsets = []
    for number in range(24):
        one = simulate(5, number, 1)
        night = range(1 * HOUR_S // STEP_S, 6 * HOUR_S // STEP_S)
        offsets.append(fmean(one.worn.site_cc[i] - one.body.oral_cc[i] for i in night))
    assert fmean(offsets) == pytest.approx(-50, abs=20)
    assert 25 < pstdev(offsets) < 60


def test_what_was_not_measured_has_no_value() -> None:
    worn = simulate(5, 1, 2).worn
    assert set(worn.wear) == {units.WEAR_OFF, units.WEAR_WORN}
    for i, state in enumerate(worn.ppg_state):
        assert (worn.spo2_tenths[i] == NONE) == (state != units.PPG_VALID)
        if worn.wear[i] == units.WEAR_OFF:
            assert worn.temp_state[i] == units.TEMP_OFF_BODY
            assert state == units.PPG_NO_CONTACT


def test_a_wave_rises_stays_and_falls() -> None:
    wave = Wave(1000, 2000, 9000, 2.0, True, 4000)
    assert shape(wave, 1000) == 0
    assert shape(wave, 2000) == pytest.approx(0.5)
    assert shape(wave, 3000) == shape(wave, 9000) == 1
    assert shape(wave, 13000) == pytest.approx(0.368, abs=0.001)


def test_a_dose_works_for_six_hours() -> None:
    assert dose_effect(0) == dose_effect(6 * HOUR_S) == 0
    assert dose_effect(HOUR_S) == dose_effect(3 * HOUR_S) == 1
    assert dose_effect(4.5 * HOUR_S) == pytest.approx(0.5)


def test_a_probe_put_on_settles_as_the_firmware_says() -> None:
    probe = Contact()
    assert probe.take(3000) == units.TEMP_OFF_BODY
    assert [probe.take(3600) for _ in range(5)] == [units.TEMP_SETTLING] * 4 + [units.TEMP_VALID]
    assert probe.take(3585) == units.TEMP_ARTEFACT  # a fall is not believed until the probe is back
    assert [probe.take(3680) for _ in range(2)] == [units.TEMP_VALID] * 2  # a rise of a settled probe is


def test_a_warming_probe_tells_of_a_fever_at_once() -> None:
    probe = Contact()
    values = [3500, 3560, 3620, 3680, 3740, 3800]
    assert [probe.take(cc) for cc in values] == [units.TEMP_SETTLING] * 5 + [units.TEMP_VALID]


def test_every_parameter_has_a_unit_and_a_source() -> None:
    for name, (_, unit, source) in parameters.TABLE.items():
        assert unit and source, name
