"""The form: every field makes an entry that the grader takes, or says beside itself what is wrong."""

import pytest
from crs_core.grade import vocabulary

from host_agent.people import context_values
from host_agent.people.context_keys import context_keys
from host_agent.web.entering import FIELDS, GROUPS, ago_ms, values_of


def test_every_choice_of_every_field_is_a_value_of_an_entry():
    for field in FIELDS.values():
        for choice in field.choices[1:]:
            form = {field.name: choice.value, **({"temperature": "38.4"} if field.name == "site" else {})}
            values, wrong = values_of(form)
            assert not wrong and context_values.fault(values) == "", (field, choice)


def test_every_example_is_a_value_of_an_entry():
    for field in FIELDS.values():
        for example in field.example.split(" or ") if field.example else ():
            form = {field.name: example, **({"site": "oral"} if field.name == "temperature" else {})}
            values, wrong = values_of(form)
            assert not wrong and values, (field, example)


def test_names_of_fields_differ_and_their_keys_are_of_the_vocabulary():
    names = [field.name for group in GROUPS for field in group.fields]
    assert len(set(names)) == len(names)
    assert {key for field in FIELDS.values() for key in field.keys} <= {one.key for one in context_keys()}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "temperature"),
        ({"site": "oral"}, "temperature"),
        ({"temperature": "38.4"}, "site"),
        ({"temperature": "384", "site": "oral"}, "temperature"),
        ({"temperature": "38.4 K", "site": "oral"}, "temperature"),
        ({"temperature": "38.4", "site": "elbow"}, "site"),
        ({"pressure": "120"}, "pressure"),
        ({"pressure": "80/120"}, "pressure"),
        ({"pressure": "300/20"}, "pressure"),
        ({"pressure": "120/80; rm"}, "pressure"),
        ({"ice": "11"}, "ice"),
        ({"ice": "-1"}, "ice"),
        ({"ice": "9.5"}, "ice"),
        ({"capd": "33"}, "capd"),
        ({"flow": "much"}, "flow"),
        ({"flow": "99"}, "flow"),
        ({"saturation": "12"}, "saturation"),
        ({"saturation": "101"}, "saturation"),
        ({"oxygen": "<script>"}, "oxygen"),
        ({"steroid": "maybe"}, "steroid"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(form, field):
    _, wrong = values_of(form)
    assert set(wrong) == {field} and wrong[field].endswith(".")


def test_an_empty_field_says_nothing_and_an_unknown_one_is_not_read():
    values, wrong = values_of({"pressure": " 120/80 ", "ice": "", "death": "crs", "passphrase": "x"})
    assert values == {"systolic_mmhg": 120, "diastolic_mmhg": 80} and not wrong


def test_death_is_never_entered():
    assert "death" in vocabulary.WORDS and not any("death" in field.keys for field in FIELDS.values())


@pytest.mark.parametrize(("text", "expected"), [("", 0), (" 5 ", 300_000), ("1440", 86_400_000)])
def test_minutes_ago(text, expected):
    assert ago_ms(text) == expected


@pytest.mark.parametrize("text", ["-1", "1441", "5m", "soon", "1e3", "٣"])
def test_minutes_that_are_none(text):
    with pytest.raises(ValueError, match="expected a whole number"):
        ago_ms(text)
