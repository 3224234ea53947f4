"""The wearable's grader: what each reading may say, and what none may."""

import pytest
from crs_core import code_texts, codes, units
from crs_core.grade import grader, grader_state
from crs_core.grade.assessment import Assessment
from crs_core.grade.rules import DEFAULT
from crs_core.units import Reading, make_status

from tests.fakes.bed import Bed, interval, said


class Wearer:
    """Steps a grader with readings ten seconds apart."""

    def __init__(self) -> None:
        self.state = grader.new_state()
        self.t_ms = 0

    def read(
        self,
        temp_cc: int | None,
        *,
        site: int = units.SITE_AXILLA,
        temp_state: int = 0,
        wear: int = units.WEAR_WORN,
        spo2: int | None = 970,
        ppg_state: int = 0,
        count: int = 1,
        late_ms: int = 0,
    ) -> Assessment:
        """The last of `count` assessments."""
        for _ in range(count):
            self.t_ms += 10_000
            status = make_status(site, temp_state, ppg_state, wear)
            reading = Reading(self.t_ms, temp_cc, spo2, 80, 150, status)
            self.state, told = grader.step(self.state, reading, self.t_ms + late_ms, DEFAULT)
        return told


@pytest.fixture
def wearer() -> Wearer:
    return Wearer()


def test_fever_at_the_axilla_is_at_least_one_and_could_be_four(wearer: Wearer) -> None:
    told = wearer.read(3800)
    assert (said(told), told.status, told.reasons) == ("met 1-4", codes.PROVISIONAL, (codes.R_FEVER_MET,))
    assert (told.scale, told.version) == (codes.SCALE_ASTCT, 2019)
    assert [code_texts.MISSING_NAMES[m] for m in told.missing] == ["blood_pressure", "vasopressors", "oxygen"]
    assert told.temp_age_ms == told.ppg_age_ms == 0


def test_one_hundredth_below_is_not_met_at_the_axilla_and_excludes_nothing(wearer: Wearer) -> None:
    told = wearer.read(3799)
    assert (said(told), told.reasons) == ("not_met 0-4", (codes.R_BELOW_AT_AXILLA,))
    assert codes.MISSING_FEVER_EARLIER in told.missing
    assert wearer.read(3799, site=units.SITE_ORAL).reasons == (codes.R_BELOW,)


def test_fever_latches_for_the_higher_rows(wearer: Wearer) -> None:
    wearer.read(3850)
    told = wearer.read(3700)
    assert said(told) == "not_met 0-4" and codes.R_FEVER_EARLIER in told.reasons
    assert codes.MISSING_FEVER_EARLIER not in told.missing
    assert grader.fever_latched(wearer.state)
    assert grader.fever_latched(grader.after_boot(wearer.state, DEFAULT))


def test_possible_after_ten_minutes_at_the_level(wearer: Wearer) -> None:
    assert wearer.read(3750, count=60).fever == codes.FEVER_NOT_MET
    told = wearer.read(3750)
    assert said(told) == "possible 0-4" and codes.R_POSSIBLE_LEVEL in told.reasons
    assert wearer.read(3749, count=7).fever == codes.FEVER_NOT_MET
    assert Wearer().read(3790, site=units.SITE_ORAL, count=100).fever == codes.FEVER_NOT_MET


def test_possible_by_a_degree_above_the_wearers_own_baseline(wearer: Wearer) -> None:
    wearer.read(3620, count=6 * 361)
    assert wearer.read(3720).fever == codes.FEVER_NOT_MET
    told = wearer.read(3720, count=7)
    assert (told.fever, told.reasons[0]) == (codes.FEVER_POSSIBLE, codes.R_POSSIBLE_RISE)


def test_the_skin_may_say_met_and_never_not_met(wearer: Wearer) -> None:
    assert said(wearer.read(3650, site=units.SITE_SKIN)) == "unknown 0-4"
    assert wearer.read(3800, site=units.SITE_SKIN).fever == codes.FEVER_MET


@pytest.mark.parametrize(
    ("why", "what"),
    [
        (codes.R_TEMP_ABSENT, {"temp_cc": None}),
        (codes.R_TEMP_ABSENT, {"temp_cc": 3900, "temp_state": units.TEMP_ABSENT}),
        (codes.R_TEMP_OFF_BODY, {"temp_cc": 3900, "temp_state": units.TEMP_OFF_BODY}),
        (codes.R_TEMP_OFF_BODY, {"temp_cc": 3900, "wear": units.WEAR_OFF}),
        (codes.R_TEMP_SETTLING, {"temp_cc": 3900, "temp_state": units.TEMP_SETTLING}),
        (codes.R_TEMP_OUT_OF_RANGE, {"temp_cc": 4501}),
        (codes.R_TEMP_OUT_OF_RANGE, {"temp_cc": 2499}),
        (codes.R_TEMP_OUT_OF_RANGE, {"temp_cc": 3900, "temp_state": units.TEMP_OUT_OF_RANGE}),
        (codes.R_TEMP_TOO_OLD, {"temp_cc": 3900, "temp_state": units.TEMP_STALE}),
        (codes.R_TEMP_TOO_OLD, {"temp_cc": 3900, "late_ms": 900_001}),
        (codes.R_TEMP_FLAT, {"temp_cc": 3900, "temp_state": units.TEMP_FLAT}),
        (codes.R_TEMP_ARTEFACT, {"temp_cc": 3900, "temp_state": units.TEMP_ARTEFACT}),
        (codes.R_SITE_MISSING, {"temp_cc": 3900, "site": units.SITE_NONE}),
        (codes.R_SITE_MISSING, {"temp_cc": 3900, "site": 7}),
    ],
)
def test_what_a_guard_refuses_is_not_gradable_and_leaves_no_latch(
    wearer: Wearer, why: int, what: dict
) -> None:
    told = wearer.read(**what)
    assert interval(told) == (None, None)
    assert (told.status, told.fever, told.reasons) == (codes.NOT_GRADABLE, codes.FEVER_UNKNOWN, (why,))
    assert told.missing[0] == codes.MISSING_TEMPERATURE
    assert not grader.fever_latched(wearer.state)


def test_loss_after_fever_is_not_gradable_and_keeps_the_latch(wearer: Wearer) -> None:
    wearer.read(3900)
    told = wearer.read(None, temp_state=units.TEMP_OFF_BODY, wear=units.WEAR_OFF, count=6)
    assert (interval(told), told.temp_age_ms) == ((None, None), 60_000)
    assert codes.R_FEVER_EARLIER in told.reasons and grader.fever_latched(wearer.state)


def test_a_low_saturation_is_not_a_grade(wearer: Wearer) -> None:
    assert wearer.read(3700, spo2=860)[:7] == Wearer().read(3700, spo2=970)[:7]
    assert interval(wearer.read(None, spo2=860)) == (None, None)
    assert interval(wearer.read(3800, spo2=None, ppg_state=units.PPG_NO_PULSE)) == (1, 4)


def test_a_reading_from_the_future_says_nothing_and_leaves_no_trace(wearer: Wearer) -> None:
    told = wearer.read(3900, late_ms=-2_001)
    assert (interval(told), told.reasons) == ((None, None), (codes.R_FUTURE,))
    assert wearer.state == grader.new_state()


def test_a_doubled_reading_says_nothing_and_leaves_no_trace(wearer: Wearer) -> None:
    wearer.read(3700)
    before = list(wearer.state)
    wearer.t_ms -= 10_000
    told = wearer.read(3900)
    assert (interval(told), told.reasons) == ((None, None), (codes.R_DOUBLED,))
    assert wearer.state == before


def test_a_temperature_that_never_moves_is_a_stuck_converter(wearer: Wearer) -> None:
    assert wearer.read(3700, count=6 * 60 * 6).status == codes.PROVISIONAL
    assert wearer.read(3700).reasons == (codes.R_TEMP_FLAT,)
    assert wearer.read(3701).status == codes.PROVISIONAL


def test_a_boot_drops_ages_that_the_outage_made_unknown(wearer: Wearer) -> None:
    wearer.read(3700)
    data = grader.encode_state(wearer.state, wearer.t_ms)
    state = grader.after_boot(grader.decode_state(data, 500), DEFAULT)
    reading = Reading(900, None, None, None, None, make_status(units.SITE_AXILLA, units.TEMP_ABSENT, 1, 0))
    _, told = grader.step(state, reading, 900, DEFAULT)
    assert told.temp_age_ms is told.ppg_age_ms is None
    slots: list = [*range(100, 119), [], 120]
    forgotten = ["LAST", "TEMP_AT", "PPG_AT", "FLAT_CC", "FLAT_SINCE"]
    gone = {*[getattr(grader_state, name) for name in forgotten], grader_state.BASELINE + 2}
    after = grader.after_boot(slots, DEFAULT)
    assert after == [None if at in gone else value for at, value in enumerate(slots)]


@pytest.mark.parametrize(
    ("temp_cc", "site", "is_learnt"),
    [
        (3600 + DEFAULT.rise_cc - 1, units.SITE_AXILLA, True),
        (3600 + DEFAULT.rise_cc, units.SITE_AXILLA, False),
        (3750, units.SITE_AXILLA, False),
        (3600, units.SITE_ORAL, False),
    ],
)
def test_the_baseline_does_not_learn_from_a_rise_or_a_high_level(
    temp_cc: int, site: int, is_learnt: bool
) -> None:
    bed = Bed()
    at = grader_state.BASELINE
    bed.state[at : at + 2] = [3600 << 10, DEFAULT.baseline_ready_min]
    bed.read(0, temp_cc, site=site)
    assert (bed.state[at + 1] > DEFAULT.baseline_ready_min) is is_learnt


def test_a_wearable_that_has_prepared_needs_the_scale_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets that code go for its heap: every case that a reading can be must have been worked out."""
    expected = {
        (3800, units.SITE_AXILLA): (1, 4),
        (3700, units.SITE_AXILLA): (0, 4),
        (3700, units.SITE_ORAL): (0, 4),
        (3700, units.SITE_SKIN): (0, 4),
    }
    grader._intervals.clear()
    grader.prepare()
    monkeypatch.setattr("crs_core.grade.astct.from_sensors", None)
    for latch in (0, 1):
        for (temp_cc, site), bounds in expected.items():
            bed = Bed()
            bed.state[grader_state.LATCH] = latch
            told = bed.read(0, temp_cc, site=site)
            assert interval(told) == bounds
            assert (codes.MISSING_FEVER_EARLIER in told.missing) is (not latch and temp_cc < 3800)
    assert len(grader._intervals) == 6
