"""`status` over a real store as a person or a script types it: the grade on every scale, and what is asked for."""

import json

import pytest
from crs_core import codes

from tests.host.cli.people_cli import run
from tests.host.people.people_world import HOUR_MS, MIN_MS


@pytest.fixture
def world(one_patient):
    """P-1, febrile for three hours, with a fresh reading."""
    one_patient.rows.started(5 * HOUR_MS)
    one_patient.rows.grade(codes.FEVER_MET, ago_ms=3 * HOUR_MS)
    one_patient.rows.reading(3860, 955, 102, ago_ms=MIN_MS)
    return one_patient


def status(world, *arguments):
    world.store.close()
    (world.home / "c.db").rename(world.home / "cytowatch.db")
    done = run(world.home, "status", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_an_entry_one_line_says_that_the_other_scales_need_some(world):
    text = status(world)
    assert "  scales    other scales need entries: cytowatch context set\n" in text
    assert "  scale  " not in text and "  asked     Missed: blood pressure, oxygen, ICE or CAPD.\n" in text


def test_json_without_an_entry_has_no_grades_of_the_host(world):
    device = json.loads(status(world, "--json"))["devices"][0]
    assert device["grades"] == {}
    assert device["prompts"] == {"due": [], "missed": ["blood_pressure", "oxygen", "ice"]}


def test_one_line_for_each_scale_with_what_is_not_known(world):
    world.enter(world.nurse, ago_ms=30 * MIN_MS, blood_pressure="hypotension", vasopressors=[])
    lines = status(world).splitlines()
    scales = [line for line in lines if line.startswith("  scale ")]
    assert (
        scales[0]
        == "  scale     CRS (ASTCT 2019): at least 2, could be up to 4. Not known: oxygen. Not signed."
    )
    heads = [line.split("): ")[0].split("(")[1] for line in scales]
    assert heads == [
        "ASTCT 2019", "Lee 2014", "CTCAE 5.0", "CTCAE 6.0", "Penn 2018", "CARTOX 2018", "MSKCC 2018",
    ]  # fmt: skip
    assert all(line.endswith("Not signed.") and "D89" not in line for line in scales)
    assert "  asked     Missed: oxygen, ICE or CAPD." in lines


def test_what_is_held_stands_in_line_and_json(world):
    world.enter(
        world.nurse, ago_ms=2 * HOUR_MS, vasopressors=["norepinephrine"], blood_pressure="normal", ice=3
    )
    world.rows.write("UPDATE context_entries SET observed_utc_ms = observed_utc_ms - ?", 2 * HOUR_MS + MIN_MS)
    world.rows.write("UPDATE grades SET t_ms = t_ms - ?", 3 * HOUR_MS)
    data = json.loads(status(world, "--json"))["devices"][0]["grades"]
    astct = data["ASTCT"]
    assert (astct["lower"], astct["upper"], astct["held"]["lower"], astct["status"]) == (
        1,
        4,
        3,
        "provisional",
    )
    assert astct["data_age"]["oldest_entry_age_ms"] is None and astct["simulated"] is False
    assert astct["data_age"]["temp_age_ms"] == pytest.approx(MIN_MS, abs=45_000)
    assert "At least 3 held since " in astct["text"] and "Assess again. Not known: " in astct["text"]
    assert data["ICANS"]["held"]["lower"] == 2 and data["ICANS"]["text"].startswith(
        "ICANS 2019: not gradable at "
    )
    assert "icd10cm" not in json.dumps(data)


def test_a_signed_death_is_the_one_five_and_asks_for_nothing(world):
    world.enter(world.nurse, oxygen="cpap")
    death = world.sign(world.doctor, "death", {"cause": "crs"})
    world.sign(world.second, "countersign", {}, refers_to=death.entry.id)
    text = status(world)
    assert "  scale     CRS (ASTCT 2019): 5. Signed.\n" in text and "  asked " not in text


def test_measure_bp_of_the_wearable_says_what_to_do(world):
    world.rows.alarm(codes.MEASURE_BP)
    assert ": the blood pressure is asked for. Measure it now and enter it. Care team" in status(world)
