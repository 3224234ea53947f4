"""What people call a patient in messages: chosen at the start, kept on this laptop, and never made up."""

import pytest

from host_agent.errors import ConfigError, HostAgentError
from host_agent.patient.binding_states import BindingError, check_label
from host_agent.patient.contact import contact_of
from host_agent.patient.profile import LABEL_CHARS
from host_agent.patient.profile import check_label as check_text
from host_agent.store.bindings import label_of, set_label
from host_agent.store.devices import ensure_device
from tests.host.agent_world import PATIENT, events, query, start_patient
from tests.host.escalation.world import NOW_MS, World, alarm_record

CARER = """
[[contact]]
name = "carer"
role = "caregiver"
language = "de"
channels = ["ward"]
[[step]]
contacts = ["carer"]
"""


async def test_messages_use_the_label_and_the_wearable_never_gets_it(world):
    async with world.agent(config_text=world.config_text + CARER):
        await world.in_session()
        done = await world.call("patient_start", profile=PATIENT, label="  Room 12,  window ")
        assert done["label"] == "Room 12, window"
        await world.until(
            lambda: query(world, "SELECT 1 FROM journals WHERE is_current AND binding IS NOT NULL")
        )
        await world.in_session()
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        (event,) = await world.until(lambda: [one for one in events(world) if one["name"] == "HYPOXAEMIA"])
    assert ", Room 12, window: Sauerstoffwert niedrig. Sehen Sie jetzt nach dem Patienten." in event["text"]
    assert event["patient"]["id"] == "P-1" and event["patient"]["label"] == "Room 12, window"
    assert event["language"] == "de"
    profiles = query(world, "SELECT profile FROM bindings UNION ALL SELECT profile FROM patients")
    assert all("Room" not in row[0] for row in profiles), "the profile goes to the wearable"
    stored = query(world, "SELECT payload FROM outbox WHERE event_key LIKE '%-alarm-3'")
    assert event["text"] in stored[0][0], "who was told what can be read later"


async def test_without_a_label_it_is_the_pseudonym(world):
    async with world.agent():
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        (event,) = await world.until(lambda: [one for one in events(world) if one["name"] == "HYPOXAEMIA"])
    assert ", P-1 (" in event["text"] and event["patient"]["label"] is None
    assert event["text"].startswith(event["title"]) and event["title"].endswith(": oxygen low.")


@pytest.mark.parametrize(
    "label",
    ["", " ", "\n", "...", "\u200b", "a\u202eb", "a\x1b[0m", "x" * (LABEL_CHARS + 1), "\ud800x", "\u2066a"],
)
def test_a_label_that_nobody_can_read_is_refused_with_what_is_expected(label):
    with pytest.raises(ConfigError, match=f"--label: expected 1..{LABEL_CHARS} characters") as refused:
        check_text(label)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("label", ["Bed 3", "Zimmer 12, Fenster", "Anna M.", "房间 3", "#7", "a\tb"])
def test_a_label_is_any_line_that_people_can_read(label):
    assert check_text(label) == " ".join(label.split())


async def test_a_refused_label_binds_nobody(world):
    async with world.agent():
        await world.in_session()
        with pytest.raises(HostAgentError, match="--label"):
            await world.call("patient_start", profile=PATIENT, label="\u202e")
        assert query(world, "SELECT count(*) FROM bindings") == [(0,)]


@pytest.fixture
def bed(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("label", ["room 12", "ROOM 12", "p-1", "P-1"])
def test_two_patients_never_have_one_name(bed, label):
    def look(tx):
        set_label(tx, 1, "Room 12")
        check_label(tx, ensure_device(tx, b"WEARABL2", NOW_MS, "bed 8"), label, "P-2")

    with pytest.raises(BindingError, match="Give another --label|call that patient") as refused:
        bed.store.write_now(look)
    assert "Give another --label" in refused.value.advice


def test_a_second_wearable_of_the_same_patient_may_have_the_same_label(bed):
    def look(tx):
        set_label(tx, 1, "Room 12")
        check_label(tx, ensure_device(tx, b"WEARABL2", NOW_MS, "bed 8"), "Room 12", "P-1")
        return label_of(tx, 1), label_of(tx, 99), contact_of(tx, 1).patient

    assert bed.store.write_now(look) == ("Room 12", "", "Room 12")
