"""Context on the link: its words are those of the vocabulary, and any bytes decode or are refused."""

from crs_core import context
from crs_core.errors import RemoteError
from crs_core.grade import vocabulary
from crs_core.units import SITES
from hypothesis import given
from hypothesis import strategies as st


def test_every_value_of_the_vocabulary_has_a_number():
    named = {name: (low, high) for name, low, high in context.KEYS.values()}
    for key in ("temperature_cc", "spo2_tenths", "hr_bpm", "ice", "capd"):
        assert named[key] == vocabulary.INTEGERS[key]
    assert named["organ_grade_worst"] == vocabulary.INTEGERS["organ_grade"]
    for key in ("blood_pressure", "oxygen", "consciousness", "seizure"):
        assert named[key] == (0, len(vocabulary.WORDS[key]) - 1)
    assert named["death"] == (1, len(vocabulary.WORDS["death"]))
    assert named["site"] == (1, len(vocabulary.SITES)) and SITES[1:] == vocabulary.SITES
    for key in ("antipyretic", "steroid", "anticytokine", "fever_earlier", "motor_weakness"):
        assert named[key] == (0, 1) and vocabulary.WORDS[key] == (True, False)
    for key in ("fever_other_cause", "ventilation_not_for_hypoxia"):
        assert named[key] == (1, 1) and vocabulary.WORDS[key] == (True,)


def test_the_named_numbers_are_those_of_the_table():
    for number, (name, _, _) in context.KEYS.items():
        assert getattr(context, name.upper()) == number


@given(st.binary(max_size=120))
def test_any_bytes_decode_or_are_refused(data):
    try:
        age_ms, proof, values = context.decode(data)
    except RemoteError:
        return
    assert context.encode(age_ms, proof, values) == data
