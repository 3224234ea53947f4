"""The wearable's grader: what each reading may say, and what none may."""

import pytest
from crs_core import code_texts, codes, units
from crs_core.errors import RemoteError
from crs_core.grade import grader
from crs_core.grade.rules import DEFAULT
from crs_core.units import Reading, make_status


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
    ) -> grader.Assessment:
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


def interval(told: grader.Assessment) -> tuple:
    return told.lower, told.upper


def test_fever_at_the_axilla_is_at_least_one_and_could_be_four(wearer: Wearer) -> None:
    told = wearer.read(3800)
    assert interval(told) == (1, 4)
    assert (told.fever, told.status, told.scale, told.version) == (
        codes.FEVER_MET,
        codes.PROVISIONAL,
        codes.SCALE_ASTCT,
        2019,
    )
    assert told.reasons == (codes.R_FEVER_MET,)
    assert [code_texts.MISSING_NAMES[m] for m in told.missing] == ["blood_pressure", "vasopressors", "oxygen"]
    assert told.temp_age_ms == told.ppg_age_ms == 0


def test_one_hundredth_below_is_not_met_at_the_axilla_and_excludes_nothing(wearer: Wearer) -> None:
    told = wearer.read(3799)
    assert interval(told) == (0, 4)
    assert told.fever == codes.FEVER_NOT_MET
    assert told.reasons == (codes.R_BELOW_AT_AXILLA,)
    assert codes.MISSING_FEVER_EARLIER in told.missing


def test_fever_latches_for_the_higher_rows(wearer: Wearer) -> None:
    wearer.read(3850)
    told = wearer.read(3700)
    assert interval(told) == (0, 4)
    assert told.fever == codes.FEVER_NOT_MET
    assert codes.R_FEVER_EARLIER in told.reasons
    assert codes.MISSING_FEVER_EARLIER not in told.missing
    assert grader.fever_latched(wearer.state)
    assert grader.fever_latched(grader.after_boot(wearer.state, DEFAULT))


def test_possible_after_ten_minutes_at_the_level(wearer: Wearer) -> None:
    assert wearer.read(3750, count=60).fever == codes.FEVER_NOT_MET
    told = wearer.read(3750)
    assert told.fever == codes.FEVER_POSSIBLE
    assert codes.R_POSSIBLE_LEVEL in told.reasons
    assert interval(told) == (0, 4)
    assert wearer.read(3749, count=7).fever == codes.FEVER_NOT_MET


def test_possible_by_a_degree_above_the_wearers_own_baseline(wearer: Wearer) -> None:
    wearer.read(3620, count=6 * 361)
    assert wearer.read(3720).fever == codes.FEVER_NOT_MET
    told = wearer.read(3720, count=7)
    assert told.fever == codes.FEVER_POSSIBLE
    assert told.reasons[0] == codes.R_POSSIBLE_RISE


def test_only_the_axilla_knows_possible(wearer: Wearer) -> None:
    assert wearer.read(3790, site=units.SITE_ORAL, count=100).fever == codes.FEVER_NOT_MET


def test_the_skin_may_say_met_and_never_not_met(wearer: Wearer) -> None:
    told = wearer.read(3650, site=units.SITE_SKIN)
    assert (told.fever, interval(told)) == (codes.FEVER_UNKNOWN, (0, 4))
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
    assert interval(told) == (None, None)
    assert codes.R_FEVER_EARLIER in told.reasons
    assert told.temp_age_ms == 60_000
    assert grader.fever_latched(wearer.state)


def test_a_low_saturation_is_not_a_grade(wearer: Wearer) -> None:
    assert wearer.read(3700, spo2=860)[:7] == Wearer().read(3700, spo2=970)[:7]
    assert interval(wearer.read(None, spo2=860)) == (None, None)
    assert interval(wearer.read(3800, spo2=None, ppg_state=units.PPG_NO_PULSE)) == (1, 4)


def test_a_reading_from_the_future_says_nothing_and_leaves_no_trace(wearer: Wearer) -> None:
    told = wearer.read(3900, late_ms=-2_001)
    assert told.reasons == (codes.R_FUTURE,)
    assert interval(told) == (None, None)
    assert wearer.state == grader.new_state()


def test_a_doubled_reading_says_nothing_and_leaves_no_trace(wearer: Wearer) -> None:
    wearer.read(3700)
    before = list(wearer.state)
    wearer.t_ms -= 10_000
    told = wearer.read(3900)
    assert told.reasons == (codes.R_DOUBLED,)
    assert interval(told) == (None, None)
    assert wearer.state == before


def test_a_temperature_that_never_moves_is_a_stuck_converter(wearer: Wearer) -> None:
    assert wearer.read(3700, count=6 * 60 * 6).status == codes.PROVISIONAL
    told = wearer.read(3700)
    assert told.reasons == (codes.R_TEMP_FLAT,)
    assert wearer.read(3701).status == codes.PROVISIONAL


def test_a_boot_drops_ages_that_the_outage_made_unknown(wearer: Wearer) -> None:
    wearer.read(3700)
    state = grader.after_boot(
        grader.decode_state(grader.encode_state(wearer.state, wearer.t_ms), 500), DEFAULT
    )
    reading = Reading(900, None, None, None, None, make_status(units.SITE_AXILLA, units.TEMP_ABSENT, 1, 0))
    _, told = grader.step(state, reading, 900, DEFAULT)
    assert told.temp_age_ms is None
    assert told.ppg_age_ms is None


def test_the_state_is_small_and_comes_back_the_same(wearer: Wearer) -> None:
    wearer.read(3620, count=6 * 370)
    wearer.read(3790, count=90)
    data = grader.encode_state(wearer.state, wearer.t_ms)
    assert len(data) <= 52
    assert grader.decode_state(data, wearer.t_ms) == wearer.state


def test_garbage_is_refused_as_a_state() -> None:
    whole = grader.encode_state(grader.new_state(), 0)
    for bad in (b"", whole[:-1], whole + b"\0", b"\x01" + whole[1:], whole[:1] + b"\x02" + whole[2:]):
        with pytest.raises(RemoteError):
            grader.decode_state(bad, 0)


def test_a_step_does_not_touch_the_state_it_was_given(wearer: Wearer) -> None:
    wearer.read(3700)
    before = list(wearer.state)
    given = wearer.state
    wearer.read(3900)
    assert given == before
