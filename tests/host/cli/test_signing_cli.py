"""Context and signed records from the keyboard to the wearable: real processes, a real agent, a wearable on a port."""

import asyncio
import csv
import io
import json
import shutil
import sqlite3

import pytest
from crs_core import context as wearable_context
from crs_core.journal import record_layout
from crs_core.wire import message as wire

from tests.host.agent_world import PATIENT, World, events
from tests.host.cli.people_cli import run_process as run
from tests.host.escalation.world import grade_record


@pytest.fixture
async def world(world, people):
    shutil.copytree(people, world.home, dirs_exist_ok=True)
    return world


async def cli(world: World, *arguments: str, by: str | None = None) -> dict:
    """The JSON of a command that must do."""
    done = await asyncio.to_thread(run, world.home, *arguments, "--json", by=by)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def text(world: World, *arguments: str, by: str | None = None) -> str:
    done = await asyncio.to_thread(run, world.home, *arguments, by=by)
    return done.stdout + done.stderr


async def bound(world: World) -> None:
    await world.in_session()
    await world.call("patient_start", profile=PATIENT)
    await world.until(lambda: world.device.session.is_open)
    await world.in_session()


def journaled(world: World) -> list[dict]:
    """Numbers of every context record on the wearable, as the agent stored them."""
    with sqlite3.connect(world.paths.database) as conn:
        rows = conn.execute(
            "SELECT payload FROM events WHERE type = ? ORDER BY seq", (record_layout.CONTEXT,)
        ).fetchall()
    return [wearable_context.decode(row[0])[2] for row in rows]


async def in_force(world: World) -> dict[str, tuple]:
    shown = await asyncio.to_thread(run, world.home, "context", "show", "--json")
    return {row["key"]: (row["value"], row["wearable"]) for row in json.loads(shown.stdout)["context"]}


@pytest.mark.slow
async def test_context_from_the_keyboard_to_the_journal_of_the_wearable(world):
    async with world.agent():
        await bound(world)
        world.device.read_only_answers[wire.Context] = wire.Result(0x14, wire.RESULT_BUSY, "busy with flash")
        done = await cli(
            world, "context", "set", "systolic_mmhg=86", "vasopressors=norepinephrine,vasopressin", "flow_lpm=0.5",
            "oxygen=nasal_cannula_low", "constitutional=true", "--ago", "5m", by="nurse-1",
        )  # fmt: skip
        assert done["for_wearable"] and done["patient"] == "P-1" and done["simulated"]
        assert done["entered_utc_ms"] - done["observed_utc_ms"] == 300_000
        shown = await in_force(world)
        assert shown["flow_lpm"][0] == 0.5 and shown["flow_lpm"][1].startswith(
            "on this laptop only, being sent"
        )
        assert shown["constitutional"] == (True, "for this laptop only")
        assert shown["systolic_mmhg"][0] == 86 and "only, being sent (" in shown["systolic_mmhg"][1]
        assert "entries on this laptop only: 1, being sent" in await text(world, "status")
        del world.device.read_only_answers[wire.Context]
        await world.until(lambda: journaled(world))
        assert journaled(world) == [{3: 1, 4: 1, 5: 1, 22: 5}]
        assert (await in_force(world))["systolic_mmhg"] == (86, "in force on the wearable")
        limited = await text(
            world, "sign", "limits", "hypotension_systolic_mmhg=100", "--reason", "own usual pressure",
            by="clinician-1",
        )  # fmt: skip
        assert "P-1: hypotension_systolic_mmhg=100, signed by clinician-1" in limited
        told = await text(world, "context", "set", "ice=10", by="caregiver-1")
        assert "ice: only a nurse or a clinician may enter it" in told
        await cli(world, "context", "correct", done["entry"][:8], "systolic_mmhg=126", by="nurse-1")
        await cli(world, "context", "withdraw", "oxygen", by="nurse-1")
        await world.until(lambda: len(journaled(world)) == 3)
        assert journaled(world)[1:] == [{3: 0}, {5: None}]
        history = (await cli(world, "context", "history"))["entries"]
        assert [row["corrects"] for row in history] == [None, done["entry"], None]
        assert (
            history[0]["corrected_by"] == [history[1]["entry"]]
            and history[0]["values"]["systolic_mmhg"] == 86
        )
        lines = (await text(world, "context", "show")).splitlines()
        assert lines[0].startswith("SIMULATED. Patient P-1") and lines[-1] == "Every other key is unknown."
        assert any(line.split()[:2] == ["oxygen", "withdrawn"] for line in lines)
        assert "corrected by" in await text(world, "context", "history")
        assert "0 entries about this patient start with" in await text(
            world, "context", "correct", "abcdef12", "ice=9", by="nurse-1"
        )
    report = await cli(world, "audit", "verify")
    assert report["rows"] == 9 and report["problems"] == []


async def test_what_was_entered_while_the_wearable_was_away_survives_a_killed_agent(world):
    async with world.agent():
        await bound(world)
        world.device.deaf = True
        await cli(world, "context", "set", "ice=3", by="nurse-1")
    world.device.session.link_lost()
    world.device.deaf = False
    async with world.agent():
        await world.until(lambda: journaled(world))
        assert journaled(world) == [{12: 3}]


@pytest.mark.slow
async def test_signed_records_from_the_keyboard_and_where_their_codes_stand(world):
    async with world.agent():
        await bound(world)
        world.device.event(grade_record(2))
        await world.in_session()
        assert "a nurse's" in await text(world, "sign", "grade", "--grade", "3", by="nurse-1")
        done = await cli(world, "sign", "grade", "--grade", "3", by="clinician-1")
        assert done["icd10cm"] == "D89.833"
        told = await world.until(lambda: [one for one in events(world) if one["kind"] == "signed"])
        assert ": a record was signed. Signed by clinician-1. Care team" in told[0]["text"]
        assert told[0]["text"].endswith("\nASTCT 2019, grade 3, was signed.")
        assert told[0]["audit_head"] == {"rows": done["audit"], "hash": done["hash"]}, (
            "receivers hold what was signed"
        )
        first = await cli(world, "sign", "death", "--cause", "crs", by="clinician-1")
        assert first["icd10cm"] is None and first["in_force"] is False
        refused = await text(world, "sign", "countersign", first["entry"][:8], by="clinician-1")
        assert "A second clinician must countersign" in refused and journaled(world) == []
        second = await cli(world, "sign", "countersign", first["entry"][:8], by="clinician-2")
        assert second["in_force"] is True and second["icd10cm"] == "D89.835"
        await world.until(lambda: journaled(world) == [{19: 1}])
        status = await text(world, "status")
        assert (
            "Death, cause crs, signed by clinician-1, countersigned by clinician-2, ICD-10-CM D89.835."
            in status
        )
        assert "CRS (ASTCT 2019): 3, signed by clinician-1, ICD-10-CM D89.833." in status
        back = await cli(
            world, "sign", "reverse", first["entry"][:8], "--reason", "another bed", by="clinician-2"
        )
        assert back["in_force"] is False and back["icd10cm"] is None
        await cli(world, "sign", "close-episode", by="clinician-1")
        await world.until(lambda: journaled(world) == [{19: 1}, {19: None}, {18: 1}])
        assert "Death" not in await text(world, "status")
        rows = (await cli(world, "history", "--kind", "signed"))["rows"]
        assert [(row["record"], row["grade"], row["icd10cm"]) for row in rows] == [
            ("grade", 3, "D89.833"), ("death", None, None), ("close_episode", None, None),
        ]  # fmt: skip
        lines = await text(world, "history")
        assert "reversed by clinician-2: another bed" in lines and "SIMULATED" in lines
        exported = (await asyncio.to_thread(run, world.home, "export", "--kind", "signed")).stdout
        table = list(csv.DictReader(io.StringIO(exported)))
        assert [row["icd10cm"] for row in table] == ["D89.833", "", ""] and {
            row["simulated"] for row in table
        } == {"1"}
        for kind in ("grades", "alarms", "events", "readings", "context", "deliveries", "host_alarms"):
            assert "D89" not in await text(world, "export", "--kind", kind, "--format", "jsonl"), kind
        assert world.receiver.received and b"D89" not in b"".join(one.body for one in world.receiver.received)
        assert "D89" not in json.dumps(await world.call("status"))
    with sqlite3.connect(world.paths.database) as conn:
        everything = "\n".join(conn.iterdump())
    assert "D89.8" not in everything, "a code is derived from what is signed, and stored nowhere"


async def test_a_signed_rule_set_is_known_to_the_running_re_run(world):
    from crs_core.grade import rules

    other = rules.with_limits(rules.DEFAULT, {"hr_high_bpm": 110})
    async with world.agent() as agent:
        file = world.home / "rules.json"
        await text(world, "rules", "export", str(file))
        tree = json.loads(file.read_text())
        tree["rules"]["hr_high_bpm"] |= {"value": 110, "reason": "own patients are older"}
        file.write_text(json.dumps(tree))
        assert rules.rule_hash(other) not in agent.verifier.rules_by_hash
        await cli(world, "rules", "sign", str(file), by="clinician-1")
        assert agent.verifier.rules_by_hash[rules.rule_hash(other)] == other
    async with world.agent() as agent:
        assert agent.verifier.rules_by_hash[rules.rule_hash(other)] == other, "and after a restart"


async def test_without_a_bound_patient_nothing_can_be_entered(world):
    async with world.agent():
        assert "No patient is bound here" in await text(world, "context", "set", "ice=9", by="nurse-1")
        assert "No patient is bound here" in await text(world, "context", "show")
