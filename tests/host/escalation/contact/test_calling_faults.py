"""Contact steps when something fails: exact timers, kills at every commit, late records, a full disk, another plan."""

import datetime

import pytest
from crs_core import codes

from host_agent.store.host_alarms import open_alarms
from tests.host.escalation.contact.called_world import PLAN, TARGETS, passes, told
from tools.rig.called_bedside import CalledBedside, KilledError


@pytest.mark.parametrize("harm", ["none", "kill", "back", "ahead", "sleep", "kill and back", "computer"])
async def test_timers_are_exact_to_a_second_over_restarts_and_clock_steps(bed, harm):
    bed.alarm(codes.HYPOXAEMIA, 3)
    seen = {}
    for second in range(1, 1300):
        bed.clock.true_s = float(second)
        if second % 100 == 50:
            if harm in ("kill", "kill and back", "ahead", "back"):
                bed.stop()
            if harm in ("back", "kill and back"):
                bed.clock.wall_off_ms -= 3_600_000
            if harm == "ahead":
                bed.clock.wall_off_ms += 86_400_000
            if harm in ("kill", "kill and back", "ahead", "back"):
                bed.start()
        if harm == "computer" and second % 300 == 150:
            bed.start_computer_anew(0.0)
        if harm == "sleep" and second % 100 in range(60, 80):
            continue  # nothing runs; the counter goes on
        await bed.look()
        steps = bed.store.read_now(
            lambda tx: tx.execute(
                "SELECT number, detail, due_utc_ms FROM course_timers WHERE done_utc_ms IS NOT NULL"
            ).fetchall()
        )
        for step, detail, _ in steps:
            seen.setdefault(step, (second, detail))
    done = sorted(second for second, detail in seen.values() if '"step"' in detail or '"deadline"' in detail)
    planned = [240, 420, 600, 840, 1020, 1200]
    assert len(done) == len(planned)
    for second, plan in zip(done, planned, strict=True):
        assert plan <= second <= plan + 1, (done, harm)


@pytest.mark.slow
async def test_killed_at_every_commit_nothing_is_lost_and_nothing_doubled(tmp_path):
    def life(folder, kill_at, how):
        folder.mkdir()
        bed = CalledBedside(folder, PLAN, TARGETS)
        bed.kill = lambda: how if bed.commits == kill_at else ""
        return bed

    async def run(bed):
        async def delivered():
            bed.deliver(*TARGETS)

        async def do(work):
            while True:
                try:
                    return await work()
                except KilledError:
                    bed.stop()
                    bed.start()

        async def to(second):
            while bed.clock.true_s < second:
                bed.clock.true_s = min(second, bed.clock.true_s + 120)
                await do(bed.look)
                await do(delivered)

        bed.alarm(codes.HYPOXAEMIA, 2)
        await to(300)
        bed.alarm(codes.HYPOXAEMIA, 3)
        await to(360)
        bed.accept(codes.HYPOXAEMIA, 3)
        await to(1800)
        bed.alarm(codes.HYPOXAEMIA, 0)
        await to(1860)
        rows = bed.rows()
        bed.stop()
        return sorted(rows), bed.commits

    plain, commits = await run(life(tmp_path / "plain", -1, ""))
    assert len(plain) > 20
    for at in range(1, commits + 1):
        for how in ("before", "after"):
            found, _ = await run(life(tmp_path / f"{how}{at}", at, how))
            assert found == plain, (how, at)


async def test_without_contacts_everything_is_as_before(tmp_path):
    bed = CalledBedside(tmp_path, None, ["a", "b"])
    bed.alarm(codes.HYPOXAEMIA, 3)
    await passes(bed, 700, 10)
    bed.deliver("a")
    bed.alarm(codes.HYPOXAEMIA, 0)
    await passes(bed, 100, 10)
    assert {name for name, *_ in bed.rows()} == {"a", "b"}
    assert all("stage" not in one and "episode" not in one for one in bed.payloads("a"))
    assert [one["name"] for one in bed.payloads("a")] == ["HYPOXAEMIA", "NOBODY_REACHED"]
    bed.stop()


async def test_contacts_that_are_new_in_the_configuration_are_called_about_what_stands(tmp_path):
    bed = CalledBedside(tmp_path, None, TARGETS)
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.deliver("ward")
    bed.stop()
    bed.plan = PLAN
    bed.start()
    await passes(bed, 602)
    assert bed.is_nobody_reached()
    bed.stop()


async def test_another_plan_starts_the_steps_anew_for_whoever_is_in_it(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.stop()
    ann = PLAN.people[2]._replace(name="ann")
    bed.plan = PLAN._replace(people=(ann,), steps=(PLAN.steps[0]._replace(people=("ann",)),))
    bed.start()
    await passes(bed, 1)
    assert ("doctor-phone", "raised") in told(bed)


async def test_a_flood_of_a_technical_alarm_is_counted_and_one_of_low_oxygen_never(bed):
    for _ in range(15):
        bed.alarm(codes.SENSOR_FAULT, 2)
        bed.alarm(codes.SENSOR_FAULT, 0)
        bed.alarm(codes.HYPOXAEMIA, 3)
        bed.alarm(codes.HYPOXAEMIA, 0)
    raised = [one["name"] for one in bed.payloads("carer-phone") if one["stage"] == "raised"]
    assert raised.count("HYPOXAEMIA") == 15 and raised.count("SENSOR_FAULT") == 10


async def test_quiet_hours_hold_a_low_alarm_back_until_they_end(bed, monkeypatch):
    night = datetime.datetime(2027, 1, 16, 3, 0).timestamp()
    bed.clock.wall_off_ms = round(night * 1000) - bed.clock.utc_ms()
    bed.alarm(codes.LOW_BATTERY, 1)
    await passes(bed, 4 * 3600 - 10, 60)
    assert [stage for target, stage in told(bed) if target == "carer-phone"] == []
    assert ("nurse-phone", "raised") in told(bed)
    await passes(bed, 12)
    assert [stage for target, stage in told(bed) if target == "carer-phone"] == ["raised"]


async def test_what_began_and_ended_while_the_link_was_away_is_told_with_its_end(bed):
    bed.alarms_late(codes.HYPOXAEMIA, 3, 0)
    stages = [stage for target, stage in told(bed) if target == "carer-phone"]
    assert stages == ["raised", "over"]
    await passes(bed, 700)
    assert not bed.is_nobody_reached()


async def test_a_late_record_that_shows_an_earlier_begin_is_no_end_and_lowers_nothing(bed):
    first = bed.skip_one_sequence()
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.alarm(codes.HYPOXAEMIA, 2, seq=first)
    await passes(bed, 601)
    assert "over" not in {stage for _, stage in told(bed)}
    assert bed.is_nobody_reached()


async def test_silence_that_gets_louder_is_one_episode_whose_rises_are_told_at_once(bed):
    for priority in (1, 2, 3):
        bed.host_alarm(codes.STALE_DATA, priority)
    names = [(one["name"], one["priority"]) for one in bed.payloads("carer-phone")]
    assert names == [("STALE_DATA", "LOW"), ("STALE_DATA", "MEDIUM"), ("STALE_DATA", "HIGH")]
    assert len({one["episode"] for one in bed.payloads("carer-phone")}) == 1
    bed.host_alarm(codes.STALE_DATA, 0)
    assert "data arrives again since" in bed.payloads("carer-phone")[-1]["text"]


async def test_two_alarms_are_called_apart_and_nobody_reached_names_both(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.alarm(codes.PULSE_LOST, 3)
    await passes(bed, 300)
    bed.accept(codes.PULSE_LOST, 3)
    await passes(bed, 302)
    assert bed.is_nobody_reached()
    detail = [one["detail"] for one in bed.payloads("ward") if one["name"] == "NOBODY_REACHED"][-1]
    assert "HYPOXAEMIA" in detail and "PULSE_LOST" not in detail


async def test_an_alarm_of_the_laptop_itself_is_called_in_steps_and_its_end_is_told(bed):
    bed.host_alarm(codes.STORE_FAULT, 3, about_wearable=False)
    first = [target for target, stage in told(bed) if stage == "raised"]
    await passes(bed, 599)
    assert {target for target, stage in told(bed) if stage == "raised"} > set(first)
    assert not bed.store.read_now(
        lambda tx: [one for one in open_alarms(tx) if one.alarm == codes.NOBODY_REACHED]
    )
    await passes(bed, 2)
    (nobody,) = bed.store.read_now(
        lambda tx: [one for one in open_alarms(tx) if one.alarm == codes.NOBODY_REACHED]
    )
    assert nobody.device is None and "nobody has accepted it in 10 min" in nobody.detail
    assert not bed.sounds(), "no wearable has this alarm"
    bed.host_alarm(codes.STORE_FAULT, 0, about_wearable=False)
    await passes(bed, 2)
    assert {target for target, stage in told(bed) if stage == "over"} >= set(first)
    assert not bed.store.read_now(open_alarms)


async def test_while_the_store_takes_nothing_the_next_step_is_told_from_memory_and_sounds(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    await bed.look()
    bed.is_disk_full = True
    bed.clock.true_s += 241
    await bed.look()
    assert {finding.alarm for _, finding in bed.from_memory} == {codes.NOBODY_REACHED}
    assert bed.steps.sounding
    bed.stop()
    bed.start()  # the agent was killed, and the disk is still full
    await bed.look()
    assert bed.steps.sounding
    bed.is_disk_full = False
    await bed.look()
    assert not bed.steps.sounding and ("nurse-phone", "raised") in told(bed)


async def test_a_course_that_cannot_be_read_stops_no_other_and_sounds(bed):
    bed.alarm(codes.HYPOXAEMIA, 3)
    bed.alarm(codes.FEVER, 2)
    bed.store.write_now(
        lambda tx: tx.execute('UPDATE course_timers SET detail = \'["none", 1, 0, 0, ""]\' WHERE course = 1')
    )
    await passes(bed, 250)
    assert bed.is_nobody_reached()
    assert [one["name"] for one in bed.payloads("nurse-phone") if one["stage"] == "raised"][:1]
