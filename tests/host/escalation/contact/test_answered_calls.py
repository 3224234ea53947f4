"""Who was called answers with the code of a message: the steps stop, and everyone who was told knows the name."""

from crs_core import codes

from host_agent.escalation.acceptance.replies import accept_by_token
from host_agent.people import accepting
from host_agent.store.acceptances import standing_episodes
from tests.host.escalation.contact.called_world import passes, told


def answer(bed, target):
    """What comes of a reply with the code in the newest message of this receiver."""
    code = [one["accept"]["token"] for one in bed.payloads(target) if "accept" in one][-1]

    def take(tx):
        reply = accept_by_token(tx, code, target, "reply", bed.clock.utc_ms())
        if reply.made is not None:
            bed.escalation.accepted(tx, reply.made)
        return reply

    return bed.write(take)


async def test_whoever_answers_first_stops_the_steps_and_all_who_were_told_know_it(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 245)
    before = len(bed.rows())
    called = {target for target, _ in told(bed)}
    assert answer(bed, "nurse-phone").why == ""
    assert sorted(told(bed, before)) == sorted((target, "accepted") for target in called)
    assert {one["acceptance"]["who"] for one in bed.payloads("ward") if one["stage"] == "accepted"} == {
        "nurse-phone"
    }
    count = len(bed.rows())
    await passes(bed, 300)
    assert len(bed.rows()) == count, "nobody else is called"
    assert answer(bed, "carer-phone").text.startswith("nurse-phone accepted it at ")


async def test_every_message_to_a_contact_has_a_code_of_its_own_but_for_the_last_one(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 130)
    bed.alarm(codes.HYPOXAEMIA, 0)
    sent = bed.payloads("carer-phone")
    assert [one["stage"] for one in sent] == ["raised", "reminder", "reminder", "over"]
    assert len({one["accept"]["token"] for one in sent[:-1]}) == 3 and "accept" not in sent[-1]


async def test_a_silence_holds_back_reminders_and_no_step_until_its_end(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    now_ms = bed.clock.utc_ms()
    by = accepting.By("nurse-1", "command line", now_ms)
    bed.write(lambda tx: accepting.silence(tx, standing_episodes(tx, now_ms)[0], by, 3, now_ms + 200_000))
    await passes(bed, 190)
    assert "reminder" not in [stage for _, stage in told(bed)]
    await passes(bed, 60)
    assert ("nurse-phone", "raised") in told(bed), "the next person is called as planned"
    await passes(bed, 120)
    assert "reminder" in [stage for _, stage in told(bed)]
