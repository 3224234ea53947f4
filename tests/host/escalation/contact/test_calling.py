"""Contact steps over the real store: who is told what, in the commit of its cause, and what ends it."""

import pytest
from crs_core import codes

from host_agent.store.bindings import add_binding, set_binding_state
from host_agent.store.devices import ensure_device
from tests.host.escalation.contact.called_world import TARGETS, passes, told
from tools.rig.called_bedside import BINDING_ID, DEVICE_ID


async def test_systems_and_the_first_step_are_told_in_the_commit_of_the_record(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    assert told(bed) == [("carer-phone", "raised"), ("ward", "raised")]


async def test_one_event_has_one_key_for_everybody_and_each_reminder_its_own(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 430)
    rows = [row for row in bed.rows() if row[2] == "raised"]
    key = rows[0][1]
    assert {one["key"] for name in TARGETS for one in bed.payloads(name)} == {key}
    assert [(target, made.removeprefix(key)) for target, made, *_ in rows] == [
        ("carer-phone", ""), ("ward", ""), ("nurse-phone", ""), ("nurse-pager", ""), ("doctor-phone", "")
    ]  # fmt: skip
    assert len({one["episode"] for name in TARGETS for one in bed.payloads(name)}) == 1


async def test_a_receiver_that_takes_messages_is_reminded_and_one_that_is_behind_gets_no_heap(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 61, takes=[])
    assert [stage for target, stage in told(bed) if target == "carer-phone"] == ["raised"]
    bed.deliver("carer-phone")
    await passes(bed, 60)
    assert [stage for target, stage in told(bed) if target == "carer-phone"] == ["raised", "reminder"]
    reminder = bed.payloads("carer-phone")[-1]
    assert "Nobody has accepted this alarm" in reminder["text"] and reminder["stage"] == "reminder"


async def test_nobody_accepts_and_it_sounds_on_the_wearable_names_who_was_told_and_goes_on(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 599)
    assert not bed.is_nobody_reached()
    await passes(bed, 1.5)
    assert bed.is_nobody_reached()
    detail = [one["detail"] for one in bed.payloads("nurse-phone") if one["name"] == "NOBODY_REACHED"]
    assert detail == ["HYPOXAEMIA: nobody has accepted it in 10 min; told: carer, nurse-1, doctor-1"]
    before = len(bed.rows())
    await passes(bed, 300)
    assert len(bed.rows()) > before
    bed.accept(codes.HYPOXAEMIA, 3)
    await bed.look()
    assert not bed.is_nobody_reached()


async def test_a_system_that_took_it_does_not_hide_that_no_contact_got_it(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.deliver("ward")
    await passes(bed, 119, takes=["ward"])
    assert not bed.is_nobody_reached()
    await passes(bed, 3, takes=["ward"])
    assert bed.is_nobody_reached()
    await passes(bed, 3)
    assert not bed.is_nobody_reached()


async def test_an_acceptance_stops_the_steps_in_its_own_commit_and_its_lapse_reminds_those_who_were_told(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 5)
    bed.accept(codes.HYPOXAEMIA, 3)
    count = len(bed.rows())
    await passes(bed, 599)
    assert len(bed.rows()) == count
    await passes(bed, 2)
    assert told(bed, count) == [("carer-phone", "reminder")]


async def test_a_rise_is_told_at_once_though_its_alarm_was_accepted(bed):
    bed.alarm(codes.HYPOXAEMIA, 2)
    bed.accept(codes.HYPOXAEMIA, 2)
    count = len(bed.rows())
    bed.alarm(codes.HYPOXAEMIA, 3)
    assert told(bed, count) == [("carer-phone", "raised"), ("ward", "raised")]
    assert bed.rows()[count][3] == 3


async def test_the_end_is_told_in_its_commit_to_all_who_were_told_and_never_reassures(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 245)
    bed.alarm(codes.HYPOXAEMIA, 0)
    rows = [(target, stage) for target, _, stage, _ in bed.rows() if stage == "over"]
    assert rows == [
        ("carer-phone", "over"),
        ("nurse-phone", "over"),
        ("nurse-pager", "over"),
        ("ward", "over"),
    ]
    over = bed.payloads("ward")[-1]
    assert (
        "oxygen no longer measured below the limit since" in over["text"] and "Keep watching." in over["text"]
    )
    assert over["text"].startswith("UPDATE") and over["key"] == bed.payloads("ward")[0]["key"]
    count = len(bed.rows())
    await passes(bed, 700)
    assert len(bed.rows()) == count and not bed.is_nobody_reached()


async def test_every_event_of_an_episode_ends_under_its_own_key_where_it_was_told(bed):
    bed.alarm(codes.HYPOXAEMIA, 2)
    await passes(bed, 245)
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.alarm(codes.HYPOXAEMIA, 0)
    for name in ("ward", "carer-phone", "nurse-phone"):
        keys = [(one["key"], one["stage"]) for one in bed.payloads(name) if one["stage"] != "reminder"]
        raised = [key for key, stage in keys if stage == "raised"]
        assert len(raised) == 2 and [key for key, stage in keys if stage == "over"] == raised


async def test_a_medium_alarm_that_nobody_accepts_is_told_as_high_to_systems_too(bed):
    bed.alarm(codes.FEVER, 2)
    await passes(bed, 901)
    high = bed.payloads("ward")[-1]
    assert (high["priority"], high["stage"]) == ("HIGH", "reminder") and high["text"].startswith("URGENT")
    await passes(bed, 600)
    assert bed.is_nobody_reached()


async def test_the_end_of_a_patient_is_told_to_all_and_not_as_the_end_of_the_alarm(bed):
    bed.alarm(codes.FEVER, 2)
    count = len(bed.rows())
    bed.end_patient()
    await passes(bed, 2)
    new = bed.rows()[count:]
    assert "over" not in {stage for _, _, stage, _ in new}
    assert {target for target, *_ in new} >= {"ward", "nurse-phone", "nurse-pager"}
    assert bed.payloads("ward")[-1]["name"] == "PATIENT_END"
    await passes(bed, 1600)
    assert len([1 for target, *_ in bed.rows() if target == "ward"]) == 2


async def test_the_end_says_which_alarms_stood_and_that_nobody_is_called_about_them(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.end_patient()
    await passes(bed, 2)
    end = bed.payloads("ward")[-1]
    assert end["facts"] == {"now": "nobody", "alarms": ["HYPOXAEMIA"]}
    assert "Not ended by then: oxygen low. Nobody is called about that any more." in end["text"]
    assert "The wearable monitors nobody now." in end["text"]


@pytest.mark.parametrize(
    ("device", "patient", "said"),
    [
        (DEVICE_ID, "P-2", "The wearable monitors another patient now."),
        (b"\x0d" * 8, BINDING_ID.hex(), "Another wearable of the same patient goes on."),
        (b"\x0d" * 8, "P-2", "The wearable monitors nobody now."),
    ],
    ids=["another patient", "another wearable", "neither"],
)
async def test_a_patient_who_is_handed_over_in_the_middle_of_an_alarm_is_said_to_be(
    bed, device, patient, said
):
    bed.alarm(codes.FEVER, 2)
    bed.end_patient()

    def start(tx):
        row = ensure_device(tx, device, 0)
        set_binding_state(
            tx, add_binding(tx, row, b"BINDING2", patient=patient, profile="", utc_ms=0), "active"
        )

    bed.store.write_now(start)
    await passes(bed, 2)
    ends = [one for one in bed.payloads("ward") if one["name"] == "PATIENT_END"]
    assert len(ends) == 1 and said in ends[0]["text"] and "Not ended by then: fever." in ends[0]["text"]
    count = len(bed.rows())
    await passes(bed, 1600)
    assert len(bed.rows()) == count, "nobody is called about the alarm of whoever wore it before"
