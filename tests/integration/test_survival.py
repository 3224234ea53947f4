"""kill -9 and power cuts of either end, with the real firmware and the real agent: nothing missing, nothing doubled.

The moments are random; CW_SEED=n repeats a run.
"""

import itertools
import os
import random
import signal
from pathlib import Path

from crs_core.journal import block_layout, block_reader
from crs_core.wire import message as wire

from host_agent.store.db import integrity_problems
from tools.rig.bedside import Bedside
from tools.rig.host import Host
from tools.rig.image import CUSTODIAN, SETTINGS
from tools.rig.journal_check import boots, compare, flash_blocks, on_flash
from tools.rig.waiting import now_s, pass_s, until

READINGS = 500
SPEED = 60
EACH_SECOND = {**SETTINGS, "reading_interval_s": "1"}
LOST_MS_MAX = 120_000


def seeded() -> random.Random:
    """Chance for this run; its seed is in the report of a failure."""
    seed = int(os.environ.get("CW_SEED", random.SystemRandom().randrange(10**6)))
    print(f"CW_SEED={seed}")
    return random.Random(seed)


def test_kill_9_of_the_agent_over_500_readings_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = seeded()
    kills = 0
    with Bedside(tmp_path, speed=SPEED, settings=EACH_SECOND) as bedside:
        laptop = bedside.laptop
        deadline = now_s() + 60
        while laptop.readings() < READINGS:
            assert now_s() < deadline, f"{laptop.readings()} readings after {kills} kills"
            laptop.start(bedside.port, SPEED)
            # from before its first word up to the middle of a sync
            pass_s(chance.uniform(0.2, 3.0))
            laptop.stop(signal.SIGKILL)
            kills += 1
        assert kills >= 3, "too few kills to say anything"
        laptop.start(bedside.port, SPEED)
        until(laptop.caught_up, 20, "sync after the last kill")
        assert laptop.stop() == 0
        bedside.wearable.kill()
        cursor = laptop.cursor()
        agreed = compare(bedside.image, laptop.database)
        found = on_flash(bedside.image)
        assert sorted(found)[:cursor] == list(range(1, cursor + 1)), "the wearable itself has no hole"
        assert agreed == cursor and (laptop.totals().gaps, laptop.totals().forks) == (0, 0)
        assert laptop.read(integrity_problems) == []
        print(f"{laptop.readings()} readings, {cursor} records, {kills} kills")


class Witness:
    """A host that keeps all it ever receives, over every power cut: numbers, bytes, and times of readings."""

    def __init__(self, bedside: Bedside) -> None:
        self._bedside = bedside
        self.head_seq = 0  # the highest number that the wearable said is on flash
        self.blocks: dict[int, bytes] = {}
        self.live_ms: dict[int, list[int]] = {}  # boot -> readings that were shown, journaled or not
        self._host: Host | None = None
        self.boot = 0

    def watch(self, seconds: float) -> None:
        """Read everything that the wearable has, for so long; the wearable may end at any moment."""
        deadline = now_s() + seconds
        while now_s() < deadline:
            if self._host is None or self._host.session.state != "open":
                self._connect(deadline)
                continue
            self._host.send(wire.StatusAsk())
            self._host.pump(0.01)
            self._take(self._host)

    def leave(self) -> None:
        """Close the port."""
        if self._host is not None:
            self._host.close()
            self._host = None

    def _connect(self, deadline: float) -> None:
        if self._host is None:
            self._host = Host(self._bedside.wearable.port, CUSTODIAN)
        self._host.write(self._host.session.start())
        again = min(now_s() + 0.5, deadline)
        while now_s() < again and self._host.session.state != "open":
            self._host.pump(0.02)
        if self._host.session.state == "open":
            self._host.send(wire.ReadFrom(1, 64, 2048))

    def _take(self, host: Host) -> None:
        for message in host.messages:
            if isinstance(message, wire.StatusIs):
                self.boot = message.boot
                self.head_seq = max(self.head_seq, message.head_seq)
            elif isinstance(message, wire.Alarm):
                self.head_seq = max(self.head_seq, message.seq)
            elif isinstance(message, wire.Live):
                self.live_ms.setdefault(self.boot, []).append(message.t_ms)
            elif isinstance(message, wire.Block):
                for piece in block_reader.split(message.data):
                    first = block_layout.parse_header(piece).first_seq
                    assert self.blocks.setdefault(first, piece) == piece, f"{first} came with two contents"
        host.messages.clear()


def cut_power(bedside: Bedside, witness: Witness, chance: random.Random, how: str) -> None:
    """Take the power away in one of three ways, at a random moment."""
    if how == "torn":  # in the middle of one of the next flash operations
        wearable = bedside.wearable
        wearable.control("fault", what="cut_at", op=chance.randrange(1, 12), torn_pct=chance.randrange(101))
        before = wearable.state()["flash"]["cuts"]

        def make_it_write() -> None:
            wearable.control("press", ms=100)  # an event, once the board has started
            witness.watch(1.0)

        until(lambda: wearable.state()["flash"]["cuts"] != before, 30, "a flash operation", make_it_write)
    elif how == "cut":
        bedside.wearable.control("cut", off_ms=chance.randrange(50, 300))
    else:
        witness.leave()
        bedside.wearable.kill()
        bedside.wearable.start()


def test_power_cuts_of_the_wearable_lose_nothing_that_was_numbered_and_state_the_rest(tmp_path: Path) -> None:
    chance = seeded()
    with Bedside(tmp_path, speed=SPEED) as bedside:
        witness = Witness(bedside)
        ways = ["kill -9", "cut", "torn"] * 3
        chance.shuffle(ways)
        for how in ways:
            witness.watch(chance.uniform(1.0, 3.0))
            cut_power(bedside, witness, chance, how)
        witness.watch(2.5)
        witness.leave()
        bedside.wearable.kill()
        found = on_flash(bedside.image)
        journal_blocks = flash_blocks(bedside.image)[1]
    started = boots(found)
    assert len(started) == len(ways) + 1, ways
    assert witness.blocks, "the host saw nothing"
    for first, piece in witness.blocks.items():
        assert journal_blocks.get(first) == piece, f"what the host holds as {first} is not what flash holds"
    missing = [seq for seq in range(1, witness.head_seq + 1) if seq not in found]
    assert not missing, f"numbered and not on flash: {missing[:5]}"
    largest_lost_ms = 0
    for (boot_before, _, _), (boot, _, record) in itertools.pairwise(started):
        assert record.prev_boot == boot_before == boot - 1
        last_ms = max(row.t_ms for number, row in found.values() if number == boot_before)
        assert record.prev_last_ms == last_ms, "the stated gap begins with the last record on flash"
        assert 0 < record.lost_ms_max <= LOST_MS_MAX
        # a LIVE is told some ms after the whole second that its reading is stamped with
        lost = [t_ms for t_ms in witness.live_ms.get(boot_before, [0]) if t_ms // 1000 * 1000 > last_ms] or [
            0
        ]
        lost_ms = max(lost) - min(lost)
        assert lost_ms <= record.lost_ms_max, f"{lost_ms} ms of readings lost, {record.lost_ms_max} stated"
        largest_lost_ms = max(largest_lost_ms, lost_ms)
    print(f"{len(ways)} cuts, {len(found)} records, at most {largest_lost_ms / 1000:.0f} s of readings lost")


def test_the_store_survives_power_cuts_of_the_wearable_and_history_tells_them(tmp_path: Path) -> None:
    chance = seeded()
    cuts = 4
    with Bedside(tmp_path, speed=SPEED) as bedside:
        laptop = bedside.laptop
        laptop.start(bedside.port, SPEED)
        for _ in range(cuts):
            until(laptop.caught_up, 20, "sync")
            before = laptop.readings()
            until(lambda before=before: laptop.readings() > before, 10, "new readings")
            pass_s(chance.uniform(0.0, 2.0))
            bedside.wearable.kill()
            pass_s(chance.uniform(0.0, 0.5))
            bedside.wearable.start()
        until(lambda: laptop.totals().boots == cuts + 1, 20, "last boot")
        until(laptop.caught_up, 20, "sync after the last cut")
        assert laptop.stop() == 0
        bedside.wearable.kill()
        agreed = compare(bedside.image, laptop.database)
        assert agreed == laptop.cursor() and laptop.totals().forks == 0
        rows = laptop.ask("history", "--kind", "restarts")["rows"]
        told = laptop.cytowatch("history").stdout
    assert [row["boot"] for row in rows] == list(range(2, cuts + 2))
    for row in rows:
        assert row["lost_ms_max"] <= LOST_MS_MAX
        assert row["nothing_stored_from"] < row["at"], "a stated gap has a beginning and an end"
    lines = [line for line in told.splitlines() if "wearable restarted" in line]
    assert len(lines) == cuts and "SIMULATED" in lines[0]
    assert "after power was lost. Nothing is stored from" in lines[0]
    assert "up to 2 min of that was measured and lost" in lines[0]
    print(lines[0])
