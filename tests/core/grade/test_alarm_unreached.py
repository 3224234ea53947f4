"""NOBODY_REACHED on the wearable: sounds while the laptop says so, and older states stay as they were."""

import pytest
from crs_core import codes
from crs_core.errors import RemoteError
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT

CALM = st.Inputs(3700, 0, 0, 970, 80, 150, 0, 0, 1, 1, 1, 0, 0, 0)
TOLD = CALM._replace(told=st.TOLD_NOBODY_REACHED)


def test_it_sounds_high_until_the_laptop_says_that_it_is_over():
    state, changes = alarms.step(alarms.new_state(), TOLD, 1000, DEFAULT)
    assert changes == alarms.active(state) == [(codes.NOBODY_REACHED, codes.PRIORITY_HIGH)]
    assert alarms.step(state, TOLD, 2000, DEFAULT)[1] == []
    state, changes = alarms.step(state, CALM, 3000, DEFAULT)
    assert changes == [(codes.NOBODY_REACHED, 0)] and alarms.active(state) == []


def test_without_a_patient_and_after_a_signed_death_it_is_silent():
    for inputs in (TOLD._replace(bound=0), TOLD._replace(told=TOLD.told | st.TOLD_DEATH)):
        assert alarms.step(alarms.new_state(), inputs, 1000, DEFAULT)[1] == []


def test_a_state_with_it_has_its_own_version_and_all_others_keep_their_bytes():
    state, _ = alarms.step(alarms.new_state(), TOLD, 1000, DEFAULT)
    data = alarms.encode_state(state, 1000)
    assert data[0] == 3 and alarms.decode_state(data, 1000) == state
    calm, _ = alarms.step(alarms.new_state(), CALM, 1000, DEFAULT)
    assert alarms.encode_state(calm, 1000)[0] == 2
    for spoilt in (b"\2" + data[1:], b"\3" + alarms.encode_state(calm, 1000)[1:], b"\4" + data[1:]):
        with pytest.raises(RemoteError):
            alarms.decode_state(spoilt, 1000)


def test_it_is_no_condition_of_the_patient():
    assert not codes.is_physiological(codes.NOBODY_REACHED)
