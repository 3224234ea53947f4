"""`context enter` at a real terminal: what is asked, what is understood, what is signed, and what ends it."""

import asyncio
import json

import pytest

from host_agent.terminal import exits
from tests.host.agent_world import query, start_patient
from tests.host.cli.at_terminal import AtTerminal
from tests.host.cli.people_cli import WORDS, run
from tests.host.cli.people_cli import run_process as run_beside

AFTER_OXYGEN = ("SpO2 by", "pain in", "A steroid", "cytokines", "wake up?", "A seizure?", "weakness")


def entered(world):
    """The values of each signed context entry."""
    return [
        json.loads(row[0])["values"] for row in query(world, "SELECT entry FROM audit WHERE kind = 'context'")
    ]


def at(world, *arguments, account="nurse-1"):
    return AtTerminal(world.home, "context", "enter", "--account", account, *arguments)


def as_a_nurse(world):
    """Everything of the ward's round, with a slip in it; returns how it ended."""
    terminal = at(world)
    terminal.wait_for("About P-1, observed at")
    terminal.answer("for example 38.4, 38,4 or 101.2F: ", "384")
    terminal.answer("Write it again, or Enter to skip.", "38,4")
    terminal.answer("Where was it taken?: ", "Oral")
    terminal.answer("for example 120/80: ", "98/60")
    terminal.answer("How is oxygen given?: ", "2")
    terminal.answer("litres per minute, for example 2: ", "2,5 L")
    terminal.answer("SpO2 by another device, for example 92: ", "")
    terminal.answer("fever or pain in the last 24 hours? y or n: ", "y")
    terminal.answer("A steroid in the last 7 days? y or n: ", "n")
    terminal.answer("cytokines since the infusion? y or n: ", "")
    terminal.answer("by themselves; unarousable: not at all: ", "voice")
    terminal.answer("A seizure?: ", "none")
    terminal.answer("New weakness of a limb? y or n: ", "no")
    terminal.answer("ten questions of ICE? y, or Enter to skip: ", "y")
    for number in range(1, 11):
        terminal.answer(f"  {number} of 10  ", "w" if number in (1, 10) else "r")
    terminal.wait_for("ICE score 8 of 10.")
    terminal.wait_for("Understood: blood pressure 98/60 mmHg; temperature by hand 38.4 °C (101.1 °F), oral;")
    terminal.answer("as nurse-1? y to sign, Enter to drop it: ", "y")
    terminal.answer("Passphrase of nurse-1: ", "not this one")
    terminal.answer("Passphrase of nurse-1: ", WORDS)
    return terminal.end()


@pytest.mark.slow
async def test_a_round_at_the_bedside_is_asked_shown_and_signed_once(ward):
    async with ward.agent():
        await start_patient(ward)
        code, shown = await asyncio.to_thread(as_a_nurse, ward)
        assert code == 0 and "signed by nurse-1 as entry" in shown, shown
        assert entered(ward) == [
            {
                "temperature_cc": 3840, "site": "oral", "systolic_mmhg": 98, "diastolic_mmhg": 60,
                "oxygen": "nasal_cannula_low", "flow_lpm": "2.5", "antipyretic": True, "steroid": False,
                "consciousness": "voice", "seizure": "none", "motor_weakness": False, "ice": 8,
            }
        ]  # fmt: skip


def stopped(world, how):
    """Two answers, then the end of it."""
    terminal = at(world)
    terminal.answer("or 101.2F: ", "39.0 oral")
    terminal.answer("for example 120/80: ", "90/50")
    terminal.wait_for("How is oxygen given?: ")
    terminal.type(how)
    return terminal.end()


def dropped(world, *, signs="", account="nurse-1"):
    """One answer, everything else skipped, and the last question answered with `signs`."""
    terminal = at(world, account=account)
    terminal.answer("or 101.2F: ", "38.9 oral")
    for question in ("120/80: ", "How is oxygen given?: ", *AFTER_OXYGEN, "skip: "):
        terminal.answer(question, "")
    terminal.answer("Enter to drop it: ", signs)
    return terminal.end()


@pytest.mark.slow
async def test_whoever_stops_or_does_not_agree_enters_nothing(ward):
    async with ward.agent():
        await start_patient(ward)
        for how in ("\x03", "\x04"):
            code, shown = await asyncio.to_thread(stopped, ward, how)
            assert code == exits.INTERRUPTED and "Nothing was entered." in shown and "Traceback" not in shown
        for signs in ("", "n", "maybe"):
            code, shown = await asyncio.to_thread(dropped, ward, signs=signs)
            assert code == exits.NO_DATA and "Nothing was entered." in shown, shown
        assert entered(ward) == []


def ice_with_a_hole(world):
    terminal = at(world)
    for question in ("101.2F: ", "120/80: ", "How is oxygen given?: ", *AFTER_OXYGEN):
        terminal.answer(question, "")
    terminal.answer("Enter to skip: ", "y")
    for number in range(1, 4):
        terminal.answer(f"  {number} of 10  ", "r")
    terminal.answer("  4 of 10  ", "perhaps")
    terminal.answer("Write it again, or Enter to skip.", "")
    return terminal.end()


@pytest.mark.slow
async def test_a_question_of_ice_without_an_answer_leaves_the_score_unknown(ward):
    async with ward.agent():
        await start_patient(ward)
        code, shown = await asyncio.to_thread(ice_with_a_hole, ward)
        assert code == exits.NO_DATA and "so the ICE score is not known. It is left out." in shown
        assert "Nothing was answered, so nothing was entered." in shown and entered(ward) == []


def as_a_caregiver(world):
    terminal = at(world, account="caregiver-1")
    terminal.answer("or 101.2F: ", "101.2F")
    terminal.answer("Where was it taken?: ", "1")
    terminal.answer("SpO2 by another device, for example 92: ", "91")
    terminal.answer("fever or pain in the last 24 hours? y or n: ", "n")
    terminal.answer("a caregiver may enter true", "y")
    terminal.answer("unarousable: not at all: ", "")
    terminal.answer("A seizure?: ", "")
    terminal.answer("New weakness of a limb? y or n: ", "")
    terminal.wait_for("questions are for a nurse or a clinician and were left out.")
    terminal.answer("as caregiver-1? y to sign, Enter to drop it: ", "Y")
    terminal.answer("Passphrase of caregiver-1: ", WORDS)
    return terminal.end()


@pytest.mark.slow
async def test_a_caregiver_is_asked_only_what_a_caregiver_may_say(ward):
    async with ward.agent():
        await start_patient(ward)
        code, shown = await asyncio.to_thread(as_a_caregiver, ward)
        assert code == 0, shown
        assert "blood pressure" not in shown.lower() and "ICE" not in shown
        assert entered(ward) == [
            {"temperature_cc": 3845, "site": "oral", "spo2_tenths": 910, "antipyretic": True}
        ]


async def test_without_a_terminal_an_agent_or_an_account_nothing_is_asked(ward):
    done = run(ward.home, "context", "enter", by="nurse-1")
    assert done.returncode == exits.USAGE and "There is no terminal to ask on." in done.stderr
    code, shown = await asyncio.to_thread(lambda: at(ward).end())
    assert code == exits.NOT_RUNNING and "The agent is not running" in shown
    async with ward.agent():
        await start_patient(ward)
        code, shown = await asyncio.to_thread(lambda: at(ward, account="nobody").end())
        assert code == exits.FAILED and "nobody" in shown
        done = await asyncio.to_thread(run_beside, ward.home, "context", "enter", by="nurse-1")
        assert done.returncode == exits.USAGE and not done.stdout
