"""A smaller journal never costs a record that no laptop has: who may ask for it, when, and what a start does."""

import os
from types import SimpleNamespace

import pytest
from crs_core import settings as table
from crs_core.errors import RemoteError
from crs_core.journal import record_layout, record_writer
from crs_device.journal.journal import Journal
from crs_device.settings import provisioned
from crs_device.settings.settings_file import SettingsFile

KIB = 1024
WHOLE = {"site": "axilla", "patient_call_number": "+49 30 1", "emergency_number": "112"}


def alarm(n):
    return record_writer.write(
        record_layout.ALARM, b"rulehash", [(n % 90, n % 4), (n // 90, 1)], bytes(40), bytes(60), n
    )


class World:
    """Settings and journal of one wearable, as its application has them."""

    def __init__(self, folder, monkeypatch, budget_kb):
        self.root, self.t_ms = str(folder / "journal"), 0
        path = str(folder / "settings")
        monkeypatch.setattr(provisioned, "SettingsFile", lambda: SettingsFile(path))
        SettingsFile(path).store(table.complete(WHOLE | {"journal_budget_kb": budget_kb}))
        self.journal = Journal(self.root, 1, os.urandom, budget_kb * KIB, 0)
        self.journal.create()
        timed = SimpleNamespace(set_times=lambda *times: None)
        self.app = SimpleNamespace(
            journal_budget_kb=budget_kb, log=SimpleNamespace(journal=self.journal), monitor=None, schedule=None,
            attention=timed, presence=timed,
        )  # fmt: skip

    def write(self, count, first=0):
        seqs = []
        for n in range(first, first + count):
            self.t_ms += 250
            seqs.append(self.journal.append_event(self.t_ms, record_layout.ALARM, alarm(n)))
            self.journal.tick(self.t_ms)
        return seqs

    def change(self, budget_kb, by_custodian=True):
        provisioned.change_settings(self.app, b"journal_budget_kb=%d\n" % budget_kb, by_custodian)

    def start(self, budget_kb):
        self.journal = Journal(self.root, self.journal.boot + 1, os.urandom, budget_kb * KIB, 0)
        self.journal.open()

    def gone(self, seqs):
        return [seq for seq in seqs if self.journal.read_from(seq)[0] == "gap"]


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch, 1024)


@pytest.mark.parametrize("budget_kb", [64, 1023, 1025, 8192])
def test_only_the_custodian_changes_the_size(world, budget_kb):
    with pytest.raises(RemoteError, match="only the custodian"):
        world.change(budget_kb, by_custodian=False)
    assert world.app.journal_budget_kb == 1024
    world.change(1024, by_custodian=False)  # nothing changes


@pytest.mark.parametrize("acked", [0, 1, 99])
def test_it_is_not_made_smaller_while_a_record_waits(world, acked):
    seqs = world.write(100)
    world.journal.ack(seqs[-1] * acked // 100)
    with pytest.raises(RemoteError, match="wait for the laptop"):
        world.change(64)
    assert (
        world.journal.budget_bytes == 1024 * KIB
        and provisioned.settings_values()["journal_budget_kb"] == 1024
    )
    world.change(2048)
    assert world.journal.budget_bytes == 2048 * KIB
    world.journal.ack(seqs[-1])
    world.change(64)
    assert world.journal.budget_bytes == 64 * KIB


def test_a_size_that_is_refused_changes_no_other_setting_of_the_same_request(world):
    world.write(3)
    with pytest.raises(RemoteError):
        provisioned.change_settings(world.app, b"unit=F\njournal_budget_kb=64\n", True)
    assert provisioned.settings_values()["unit"] == "C"


def test_a_smaller_size_counts_at_once_and_not_first_at_a_later_start(world):
    world.journal.ack(world.write(900)[-1])
    world.change(64)
    new = world.write(20, 1000)
    assert world.gone(new) == [] and world.journal.counters["events_lost"] == 0
    world.start(64)
    assert world.gone(new) == []
    new += world.write(30, 1020)
    assert world.gone(new) == [] and world.journal.counters["events_lost"] == 0


@pytest.mark.parametrize("waiting", [60, 180, 900])
@pytest.mark.parametrize("budget_kb", [64, 100, 512])
def test_a_start_with_a_smaller_size_keeps_the_room_until_what_waits_is_acknowledged(
    world, budget_kb, waiting
):
    """A board provisioned over USB, or settings that are lost."""
    seqs = world.write(waiting)
    for _ in range(3):
        world.start(budget_kb)
        seqs += world.write(60, len(seqs))
        assert world.gone(seqs) == [] and world.journal.counters["events_lost"] == 0
    world.journal.ack(seqs[-1])
    world.journal.tick(world.t_ms + 120_000)
    world.start(budget_kb)
    assert world.journal.budget_bytes == budget_kb * KIB


def test_a_change_by_the_link_counts_after_the_next_start_whatever_waits_then(world):
    world.change(64)
    for n in range(4):
        world.write(400, n * 400)
        world.start(64)
        assert world.journal.budget_bytes == 64 * KIB, "no room grows from start to start"


def test_another_setting_leaves_the_room_that_a_start_kept(world):
    world.write(400)
    world.start(64)
    world.app.log.journal, world.app.journal_budget_kb = world.journal, 64
    provisioned.SettingsFile().store(table.complete(WHOLE | {"journal_budget_kb": 64}))
    provisioned.change_settings(world.app, b"unit=F\n", False)
    assert world.journal.budget_bytes == 1024 * KIB


@pytest.mark.parametrize("content", [b"", b"\xff" * 14])
def test_a_budget_file_that_cannot_be_read_is_as_if_it_had_never_been_written(world, tmp_path, content):
    seqs = world.write(20)
    for slot in tmp_path.glob("journal/budget.*"):
        slot.write_bytes(content)
    world.start(512)
    assert world.gone(seqs) == [] and world.journal.budget_bytes == 512 * KIB


def test_flash_that_refuses_the_budget_file_stops_no_start(world, monkeypatch):
    seqs = world.write(20)
    monkeypatch.setattr(
        "crs_device.two_slot.TwoSlot.store", lambda self, payload: (_ for _ in ()).throw(OSError(5))
    )
    world.start(2048)
    assert world.gone(seqs) == [] and world.journal.budget_bytes == 2048 * KIB
