"""Both phone numbers: what is refused, how a laptop sets them, and that nobody is bound without them."""

import asyncio
import json

import pytest
from crs_core import settings

from host_agent.control.socket import ControlFailed
from host_agent.patient.phones import CALL, EMERGENCY, fault
from tests.host.agent_world import PATIENT, events, make_world, query, start_patient
from tests.host.cli.people_cli import run_process
from tests.host.escalation.world import alarm_record

GOOD = [
    "+49 30 1234567",
    "555-0100",
    "0049 (30) 555-01",
    "+1 212 555 0100",
    "030 1234567-89",
    "116117",
    "+4930123456789",
]
BAD = [
    "", " ", "1", "call me", "+", "+49", "+0 30 1234567", "49+30", "++49 30 1234567", "555  0100", "555-0100\n",
    " 555-0100", "٠٣٠١٢", "５５５０", "030\u200b1234567", "1234567890123456", "(030 1234567", "030) 1234567", "()",
    "- - -", "+49 30 12345678901234567", "5550100;ext=7", "tel:5550100", "*112#", "5550100/1", "030\t1234567",
    "\u22125550100",
]  # fmt: skip


def test_a_number_that_is_too_long_to_keep_says_how_long_one_may_be():
    number = "+1 (555) 010-0100"
    assert "at most 16 characters" in fault(EMERGENCY, number) and not fault(CALL, number)


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as world:
        (world.home / "config.toml").write_text(world.config_text)
        yield world


async def said(world, *arguments, code=0):
    done = await asyncio.to_thread(run_process, world.home, *arguments)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout + done.stderr


@pytest.mark.parametrize("number", GOOD)
def test_a_number_that_can_be_dialled_is_taken_here_and_by_the_wearable(number):
    assert fault(CALL, number) == "" and settings.parse_value(CALL, number) == number


@pytest.mark.parametrize("number", BAD)
def test_what_nobody_can_dial_or_read_aloud_is_refused(number):
    assert "a phone number of" in fault(CALL, number)


def test_an_emergency_number_may_be_short():
    assert [fault(EMERGENCY, number) for number in ("112", "911", "15", "000")] == [""] * 4
    assert fault(EMERGENCY, "1") and fault(CALL, "15")


async def test_a_laptop_sets_both_numbers_and_texts_carry_them(world):
    world.device.settings = {"site": "axilla"}
    async with world.agent():
        await world.in_session()
        assert "care team NUMBER NOT SET, emergency NUMBER NOT SET" in await said(world, "phones")
        text = await said(world, "phones", "--call-number", "030 77", "--emergency-number", "112", "--json")
        assert json.loads(text) == {
            "device_id": world.device.device_id.hex(), "care_team": "030 77", "emergency": "112",
        }  # fmt: skip
        assert "care team 030 78, emergency 112." in await said(world, "phones", "--call-number", " 030 78 ")
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: events(world))
        assert "Care team 030 78. Emergency 112." in events(world)[0]["text"]
        assert events(world)[0]["call"] == {"care_team": "030 78", "emergency": "112"}


async def test_a_wrong_number_changes_neither(world):
    async with world.agent():
        await world.in_session()
        for wrong in (["--call-number", "call me"], ["--call-number", "030 77", "--emergency-number", ""]):
            assert wrong[-2] in await said(world, "phones", *wrong, code=2)
        with pytest.raises(ControlFailed, match="no phone number of a wearable"):
            await world.call("phones", numbers={"site": "oral"})
        with pytest.raises(ControlFailed, match="--call-number"):
            await world.call("phones", numbers={CALL: "1\nsite=oral"})
        assert (
            world.device.settings["patient_call_number"] == "555-0100"
            and world.device.settings["site"] == "axilla"
        )


@pytest.mark.parametrize(
    ("has", "missing"),
    [({}, "the care team and of the emergency service"), ({EMERGENCY: "112"}, "the care team"),
     ({CALL: "555-0100"}, "the emergency service"), ({CALL: "- - -", EMERGENCY: "112"}, "the care team"),
     ({CALL: "555-0100", EMERGENCY: " "}, "the emergency service")],
)  # fmt: skip
async def test_nobody_is_bound_to_a_wearable_without_both(world, has, missing):
    world.device.settings = {"site": "axilla", **has}
    async with world.agent():
        await world.in_session()
        with pytest.raises(ControlFailed, match=f"no number of {missing} that can be called") as caught:
            await world.call("patient_start", profile=PATIENT)
        assert "cytowatch phones --call-number NUMBER --emergency-number NUMBER" in caught.value.advice
        assert query(world, "SELECT 1 FROM bindings") == [] and world.device.journal.binding_id == bytes(8)


async def test_a_number_of_the_binding_takes_the_place_of_the_care_teams_alone(world):
    world.device.settings = {"site": "axilla", EMERGENCY: "112"}
    async with world.agent():
        await world.in_session()
        await world.call("patient_start", profile={**PATIENT, "call_number": "030 77"})
        assert query(world, "SELECT state FROM bindings") == [("active",)]
