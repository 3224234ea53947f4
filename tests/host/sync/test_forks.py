"""Older images, replaced journals, announced ones: what the host notices, keeps and says."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from crs_core import codes
from crs_core.journal import block_writer, record_layout, record_types
from crs_core.wire import message as wire

from host_agent.store.devices import ensure_device
from host_agent.store.journals import expect_journal
from host_agent.sync.reception import FORK_READS
from tests.host.sync.conftest import alarms_of, held, on_flash, until
from tools.rig.protocol_wearable import DEVICE_ID, FakeDevice

# --- forks, older images, replaced journals -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def only_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read again after a fork is read at once, not when a quiet line is noticed."""
    monkeypatch.setattr("host_agent.sync.reception.REREAD_S", 1e9)


async def sync_all(session: Any, device: FakeDevice) -> None:
    async with session(device, synced=True) as (engine, _ears):
        await until(lambda: engine.journal.cursor == device.journal.head_seq, "cursor at the head")


def older_image(device: FakeDevice, where: Path) -> Path:
    device.journal.flush()
    shutil.copytree(device.flash, where)
    return where


async def test_an_older_image_that_wrote_on_is_a_fork_and_both_contents_are_kept(
    store, device, session, tmp_path
) -> None:
    for _ in range(3):
        device.read_sensors(12)
    image = older_image(device, tmp_path / "image")
    device.read_sensors(12, temp_cc=3900)
    device.event(record_types.Button(2))
    await sync_all(session, device)
    first_story = on_flash(device)
    again = FakeDevice(image, boot=1, seed=9)  # the same boot number, fewer records
    again.now_ms = device.now_ms
    again.read_sensors(12, temp_cc=3650)
    assert again.journal.head_seq < device.journal.head_seq
    await sync_all(session, again)
    assert codes.FORK in alarms_of(store)
    rows = held(store)
    kept = [row[3] for row in rows["blocks"]]
    assert set(first_story) | set(on_flash(again)) == set(kept) and len(kept) == len(set(kept))
    hows = store.read_now(
        lambda tx: tx.execute("SELECT how, known IS NOT NULL FROM forks ORDER BY id").fetchall()
    )
    assert ("head", 0) in hows
    # the other story goes on in its own branch, readable like any journal
    branch = store.read_now(
        lambda tx: tx.execute(
            "SELECT id, base_seq, cursor FROM journals WHERE is_current = 1 AND branch = 1"
        ).fetchone()
    )
    assert branch is not None and branch[1:] == (36, again.journal.head_seq)
    again.read_sensors(12)
    await sync_all(session, again)
    assert branch[0] == held(store)["readings"][-1][0]


async def test_an_older_image_beyond_the_cursor_is_noticed_by_the_last_block(
    store, device, session, tmp_path
) -> None:
    """Only the last block is read once more; when it differs, so may everything before it."""
    device.read_sensors(12)
    image = older_image(device, tmp_path / "image")
    for _ in range(3):
        device.read_sensors(12)
    await sync_all(session, device)
    again = FakeDevice(image, boot=1, seed=9)
    for _ in range(6):
        again.read_sensors(12, temp_cc=3650)
    await sync_all(session, again)
    assert codes.FORK in alarms_of(store)
    assert set(on_flash(again)) <= {row[3] for row in held(store)["blocks"]}


async def test_a_boot_number_that_goes_back_is_told_once(store, device, session, tmp_path) -> None:
    device.read_sensors(12)
    device.boot = 7
    await sync_all(session, device)
    assert not alarms_of(store)
    device.boot = 5
    await sync_all(session, device)
    assert alarms_of(store) == {codes.FORK}
    await sync_all(session, device)
    assert store.read_now(lambda tx: tx.execute("SELECT how FROM forks").fetchall()) == [("boot",)]


async def test_a_replaced_journal_without_a_known_reason_alarms(store, device, session) -> None:
    device.read_sensors(12)
    await sync_all(session, device)
    device.bind(bytes(8))
    device.read_sensors(12)
    await sync_all(session, device)
    assert codes.JOURNAL_REPLACED in alarms_of(store) and len(held(store)["readings"]) == 24


async def test_a_replaced_journal_that_was_announced_is_no_alarm_and_gets_its_binding(store, device, session):
    await sync_all(session, device)
    binding_id = b"bindings"

    def announce(tx: Any) -> None:
        row = ensure_device(tx, DEVICE_ID, 1)
        made = tx.execute(
            "INSERT INTO bindings (binding_id, device, state, started_utc_ms) VALUES (?, ?, 'starting', 1)",
            (binding_id, row),
        )
        expect_journal(tx, DEVICE_ID, "patient_start", made.lastrowid, 1)

    store.write_now(announce)
    device.bind(binding_id)
    device.read_sensors(12)
    await sync_all(session, device)
    assert not alarms_of(store)
    assert store.read_now(lambda tx: tx.execute("SELECT binding FROM journals WHERE is_current").fetchone())[
        0
    ]
    # the announcement is used up: the next replacement is not covered by it
    device.bind(bytes(8))
    await sync_all(session, device)
    assert codes.JOURNAL_REPLACED in alarms_of(store)


async def test_an_announced_start_that_never_happened_covers_for_no_empty_journal(store, device, session):
    """`patient start` lost its link before the wearable heard of it; later the wearable comes back wiped."""
    await sync_all(session, device)

    def announce(tx: Any) -> None:
        row = ensure_device(tx, DEVICE_ID, 1)
        made = tx.execute(
            "INSERT INTO bindings (binding_id, device, state, started_utc_ms) VALUES (?, ?, 'starting', 1)",
            (b"bindings", row),
        )
        expect_journal(tx, DEVICE_ID, "patient_start", made.lastrowid, 1)

    store.write_now(announce)
    await sync_all(session, device)
    device.bind(bytes(8))
    await sync_all(session, device)
    assert codes.JOURNAL_REPLACED in alarms_of(store)


async def test_an_announced_end_expects_a_journal_of_nobody(store, device, session) -> None:
    await sync_all(session, device)
    store.write_now(lambda tx: expect_journal(tx, DEVICE_ID, "patient_end", None, 1))
    device.bind(b"stranger")
    await sync_all(session, device)
    assert codes.JOURNAL_REPLACED in alarms_of(store)


async def test_a_wearable_that_forks_again_and_again_does_not_occupy_the_link(store, device, session) -> None:
    async with session(device, synced=True) as (engine, ears):
        for number in range(40):
            done = len(ears.committed)
            payload = record_types.encode(record_types.Button(1))
            raw = block_writer.encode_events(
                device.journal.journal_id, 1, 1000, [(number, record_layout.BUTTON, payload)]
            )
            await device.say(wire.Block(raw))
            await until(lambda done=done: len(ears.committed) > done, "commit")
        # one at the start, and then no more than are read at once
        assert len(device.reads) <= 1 + FORK_READS
        assert not engine.is_caught_up
