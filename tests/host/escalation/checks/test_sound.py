"""What stands over a real store sounds on this laptop, and a laptop that cannot be heard is an alarm of its own."""

import pytest
from crs_core import codes
from crs_core.codes import NO_SOUND, NOBODY_REACHED, PRIORITY_HIGH, PRIORITY_MEDIUM, STORE_FAULT

from host_agent.errors import StoreFull
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.sound import SoundCheck, SwitchedOff
from host_agent.people.accepting import By, accept, end_finished, silence
from host_agent.sound.from_memory import HOLDS_S, FromMemory
from host_agent.store.acceptances import standing_episodes
from host_agent.store.host_alarms import end_alarm, raise_alarm
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.acceptance_world import SOON_T_MS
from tests.host.escalation.world import DEVICE_ID, NOW_MS, World, alarm_record, grade_record


class FakeSpeaker:
    """`wanted` is the priority that is to sound now."""

    fault = ""
    wanted = None
    is_needed = None

    def want(self, pattern, *, is_needed):
        self.wanted, self.is_needed = pattern.priority if pattern else None, is_needed


class Bench:
    def __init__(self, folder, *, simulated=False, agent_simulated=False, **world):
        self.world = World(folder, agent_simulated=agent_simulated, **world)
        self.clock = FakeClock(utc_ms=NOW_MS)
        self.speaker = FakeSpeaker()
        self.memory = FromMemory(self.clock)
        self.from_memory = []
        self.check = SoundCheck(
            CheckParts(
                self.world.store, self.world.escalation, self.clock, lambda *found: self.from_memory.append(found)
            ),
            self.speaker, self.memory, simulated=simulated, agent_simulated=agent_simulated,
        )  # fmt: skip

    async def sounds(self):
        await self.check.look()
        return self.speaker.wanted

    def raised(self, simulated=False, **change):
        self.world.commit(alarm_record({}, **change), t_ms=SOON_T_MS, simulated=simulated)

    def of_laptop(self, alarm, priority, device=1, end=False):
        def change(tx):
            about = {"device": device, "alarm": alarm, "utc_ms": self.clock.utc_ms()}
            if end:
                end_alarm(tx, self.world.escalation, **about)
            else:
                raise_alarm(tx, self.world.escalation, **about, priority=priority, detail="")

        self.world.store.write_now(change)

    def answered(self, how, seen=PRIORITY_HIGH, minutes=5):
        now_ms = self.clock.utc_ms()

        def do(tx):
            end_finished(tx, now_ms)
            for one in standing_episodes(tx, now_ms):
                by = By("nurse-1", "command line", now_ms)
                if how == "accept":
                    accept(tx, one, by, seen)
                else:
                    silence(tx, one, by, seen, now_ms + minutes * 60_000)

        self.world.store.write_now(do)

    def open(self):
        return self.world.query(
            "SELECT device, priority, detail FROM host_alarms WHERE alarm = ? AND ended_utc_ms IS NULL",
            NO_SOUND,
        )


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.world.store.close()


async def test_an_alarm_sounds_until_somebody_accepts_it(bench):
    assert await bench.sounds() is None and bench.speaker.is_needed
    bench.raised(HYPOXAEMIA=3)
    assert await bench.sounds() == PRIORITY_HIGH
    bench.answered("accept")
    assert await bench.sounds() is None


async def test_a_silence_ends_and_a_rise_or_another_alarm_sounds_in_spite_of_it(bench):
    bench.raised(HYPOXAEMIA=2)
    assert await bench.sounds() == PRIORITY_MEDIUM
    bench.answered("silence", seen=PRIORITY_MEDIUM)
    assert await bench.sounds() is None
    await bench.clock.advance(301)
    assert await bench.sounds() == PRIORITY_MEDIUM
    bench.answered("silence", seen=PRIORITY_MEDIUM)
    assert await bench.sounds() is None
    bench.world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3), t_ms=SOON_T_MS + 1000)
    assert await bench.sounds() == PRIORITY_HIGH
    bench.answered("silence")
    assert await bench.sounds() is None
    bench.world.commit(alarm_record({"HYPOXAEMIA": 3}, FEVER=2), t_ms=SOON_T_MS + 2000)
    assert await bench.sounds() == PRIORITY_MEDIUM


async def test_an_acceptance_that_a_fall_and_a_new_rise_undid_covers_nothing(bench):
    bench.raised(HYPOXAEMIA=3)
    bench.answered("accept")
    bench.world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=2), t_ms=SOON_T_MS + 1000)
    assert await bench.sounds() is None
    bench.world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3), t_ms=SOON_T_MS + 2000)
    assert await bench.sounds() == PRIORITY_HIGH


async def test_the_end_of_the_alarm_ends_the_sound(bench):
    bench.raised(HYPOXAEMIA=3)
    bench.world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0), t_ms=SOON_T_MS + 1000)
    assert await bench.sounds() is None


async def test_a_grade_rise_sounds_until_it_is_accepted(bench):
    bench.world.commit(grade_record(3), t_ms=SOON_T_MS)
    assert await bench.sounds() == PRIORITY_HIGH
    bench.answered("accept")
    assert await bench.sounds() is None
    await bench.clock.advance(1)
    bench.world.commit(grade_record(4), t_ms=SOON_T_MS + 1000, received_ms=bench.clock.utc_ms())
    assert await bench.sounds() == PRIORITY_HIGH


@pytest.mark.parametrize("device", [1, None])
async def test_the_laptops_own_alarms_sound(bench, device):
    bench.of_laptop(NOBODY_REACHED if device else STORE_FAULT, PRIORITY_HIGH, device)
    assert await bench.sounds() == PRIORITY_HIGH


async def test_without_a_patient_the_laptops_own_alarms_wake_nobody(tmp_path):
    bench = Bench(tmp_path, bound=False)
    bench.of_laptop(STORE_FAULT, PRIORITY_HIGH, None)
    assert await bench.sounds() is None and bench.speaker.is_needed is False
    bench.world.store.close()


@pytest.mark.parametrize(("wanted", "heard"), [(False, None), (True, PRIORITY_HIGH)])
async def test_simulated_data_sounds_only_where_the_configuration_says_so(tmp_path, wanted, heard):
    bench = Bench(tmp_path, simulated=wanted)
    bench.world.store.write_now(lambda tx: tx.execute("UPDATE devices SET simulated = 1"))
    bench.raised(simulated=True, HYPOXAEMIA=3)
    assert await bench.sounds() == heard and bench.speaker.is_needed is wanted
    bench.world.store.close()


async def test_a_simulated_agent_is_silent_about_itself_too(tmp_path):
    bench = Bench(tmp_path, agent_simulated=True)
    bench.of_laptop(STORE_FAULT, PRIORITY_HIGH, None)
    assert await bench.sounds() is None
    bench.world.store.close()


async def test_that_it_cannot_be_heard_is_medium_and_high_while_an_alarm_should_sound(bench):
    bench.speaker.fault = "its sound is muted"
    await bench.check.look()
    assert bench.open() == [(1, PRIORITY_MEDIUM, "its sound is muted")]
    assert bench.world.told() == [("NO_SOUND", "MEDIUM")]
    text = bench.world.outbox()[0]["text"]
    assert "Bed 3" in text and "the bedside laptop cannot be heard. Turn its sound on" in text
    bench.raised(HYPOXAEMIA=3)
    await bench.check.look()
    await bench.check.look()
    assert bench.open() == [(1, PRIORITY_HIGH, "its sound is muted")]
    bench.speaker.fault = ""
    await bench.check.look()
    assert bench.open() == []


async def test_that_it_cannot_be_heard_does_not_sound_by_itself(bench):
    bench.speaker.fault = "no loudspeaker answers"
    assert [await bench.sounds() for _ in range(3)] == [None] * 3


async def test_a_fault_without_a_patient_alarms_nobody(tmp_path):
    bench = Bench(tmp_path, bound=False)
    bench.speaker.fault = "no loudspeaker answers"
    await bench.check.look()
    assert bench.open() == []
    bench.world.store.close()


async def test_while_the_store_fails_what_stood_and_what_memory_has_sounds(bench, monkeypatch):
    bench.raised(FEVER=2)
    await bench.check.look()

    async def full(_work):
        raise StoreFull("full")

    monkeypatch.setattr(bench.world.store, "read", full)
    monkeypatch.setattr(bench.world.store, "write", full)
    assert await bench.sounds() == PRIORITY_MEDIUM
    passed = []
    offer = bench.memory.beside(lambda *given, **more: passed.append(given))
    offer(PRIORITY_HIGH, False, Delivered("x"), share="", kind="host-46", together=None)
    assert await bench.sounds() == PRIORITY_HIGH and len(passed) == 1
    bench.speaker.fault = "no loudspeaker answers"
    await bench.check.look()
    ((device_id, finding),) = bench.from_memory
    assert (device_id, finding.alarm, finding.priority) == (DEVICE_ID, NO_SOUND, PRIORITY_HIGH)
    await bench.clock.advance(HOLDS_S + 1)
    assert await bench.sounds() == PRIORITY_MEDIUM


class Delivered:
    def __init__(self, key):
        self.event_key = key


async def test_memory_does_not_sound_what_this_laptop_cannot_sound(bench):
    offer = bench.memory.beside(lambda *given, **more: None)
    offer(PRIORITY_HIGH, False, Delivered("x"), share="", kind=f"host-{codes.NO_SOUND}", together=None)
    assert bench.memory.ringing() == []


async def test_a_store_that_never_opened_sounds_its_own_fault(bench, monkeypatch):
    async def broken(_work):
        raise StoreFull("full")

    monkeypatch.setattr(bench.world.store, "read", broken)
    bench.memory.beside(lambda *given, **more: None)(
        PRIORITY_HIGH, False, Delivered("x"), share="", kind="host-46", together=None
    )
    assert await bench.sounds() == PRIORITY_HIGH


async def test_a_signed_death_ends_the_sound_for_that_patient_and_what_contradicts_it_sounds(
    bench, monkeypatch
):
    bench.raised(HYPOXAEMIA=3)
    monkeypatch.setattr(
        "host_agent.escalation.checks.sound.death_in_force", lambda tx, binding: binding == 1 or None
    )
    assert await bench.sounds() is None and bench.speaker.is_needed is False
    bench.world.commit(alarm_record({"HYPOXAEMIA": 3}, RECORD_CONTRADICTS=3), t_ms=SOON_T_MS + 1000)
    assert await bench.sounds() == PRIORITY_HIGH


async def test_sound_that_was_switched_off_since_ends_what_an_earlier_run_raised(bench):
    bench.speaker.fault = "its sound is muted"
    await bench.check.look()
    assert bench.open()
    parts = CheckParts(bench.world.store, bench.world.escalation, bench.clock)
    await SoundCheck(parts, SwitchedOff(), bench.memory, simulated=False, agent_simulated=False).look()
    assert bench.open() == []
