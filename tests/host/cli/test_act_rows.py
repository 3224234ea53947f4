"""`history` shows what somebody stood for, and when a binding began and ended."""

import shutil

import pytest
from crs_core import codes

from host_agent.store.bindings import add_binding, end_binding, set_binding_state
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.store.rows import Derivation
from host_agent.terminal.record_lines import history_line
from host_agent.views.records import Answer, Question
from tests.host.cli.people_cli import run
from tests.host.people.people_world import BINDINGS, NOW_MS, PeopleWorld

P1, P2 = (binding_id.hex() for binding_id in BINDINGS.values())
ONE, TWO = ("01" * 8, "02" * 8)


@pytest.fixture
def world(tmp_path):
    made = PeopleWorld(tmp_path)
    yield made
    made.store.close()


def stand(world, act, patients, **more):
    values = {"act": act, "reason": "goes to intensive care", "patients": patients, "alarms": ["HYPOXAEMIA"]}
    return world.sign(world.doctor, "act", values | more, patient=None)


def rows(world, kind, device=None, from_ms=None, to_ms=None):
    def read(tx):
        answer = Answer(tx, Question(from_ms, to_ms, device))
        found = list(answer.rows(kind))
        assert not answer.broken
        return found

    return world.store.read_now(read)


@pytest.mark.parametrize("act", ["patient_end", "patient_lost", "patient_start", "release", "pause", "revoke", "enrol",
                                 "restore", "stop"])  # fmt: skip
def test_each_act_is_a_row_with_who_why_and_what_stood(world, act):
    stand(world, act, {P1: "P-1"})
    (row,) = rows(world, "acts")
    assert (row["act"], row["account"], row["patients"], row["alarms"]) == (
        act, "clinician-1", ["P-1"], ["HYPOXAEMIA"],
    )  # fmt: skip
    line = history_line("acts", row)
    for part in ("About P-1", "clinician-1 stands for it", "oxygen low", "goes to intensive care"):
        assert part in line, line


def test_an_end_of_an_episode_is_shown_only_where_it_was_guarded(world):
    for alarms in ([], ["FEVER"]):
        values = {"alarms": alarms, "reason": "the infusion was stopped", "patient": "P-1"} if alarms else {}
        world.sign(world.doctor, "close_episode", values)
        world.now_ms += 1000
    (row,) = rows(world, "acts")
    assert row["act"] == "close_episode" and row["patients"] == ["P-1"] and "fever" in row["text"].lower()
    assert len(rows(world, "signed")) == 2


def test_an_act_about_two_wearables_is_one_row_and_is_found_with_either(world):
    stand(world, "stop", {P1: "P-1", P2: "P-2"})
    stand(world, "restore", {}, alarms=[])
    world.now_ms += 5000
    stand(world, "release", {P2: "P-2"})
    assert [row["act"] for row in rows(world, "acts")].count("stop") == 1
    assert len(rows(world, "acts")) == 3
    assert {row["act"] for row in rows(world, "acts", device=ONE)} - {"restore"} == {"stop"}
    assert {row["act"] for row in rows(world, "acts", device=TWO)} - {"restore"} == {"stop", "release"}
    assert {row["act"] for row in rows(world, "acts", from_ms=NOW_MS + 4000)} == {"release"}
    assert {row["act"] for row in rows(world, "acts", to_ms=NOW_MS + 4000)} == {"stop", "restore"}


def test_a_binding_shows_its_start_and_its_end_with_the_reason(world):
    def change(tx):
        end_binding(tx, 1, "wearable fell into the sea", NOW_MS + 1000)
        row = add_binding(tx, 1, b"BINDING3", patient="P-3", profile="", utc_ms=NOW_MS + 2000)
        assert history_line("bindings", next(one for one in rows_in(tx) if one["patient"] == "P-3"))
        set_binding_state(tx, row, "active")

    def rows_in(tx):
        return list(Answer(tx, Question(None, None, ONE)).rows("bindings"))

    world.store.write_now(change)
    found = [(row["change"], row["patient"], row["reason"]) for row in rows(world, "bindings", device=ONE)]
    assert ("end", "P-1", "wearable fell into the sea") in found and ("start", "P-3", None) in found
    lines = [history_line("bindings", row) for row in rows(world, "bindings")]
    assert "the binding of P-1 ended. Reason: wearable fell into the sea" in lines
    assert (
        f"P-2 began to wear wearable {TWO}" in lines
        and "the binding of P-1 ended, with every record here" in lines
    )


def test_the_end_of_an_alarm_of_the_laptop_is_on_its_line(world):
    def change(tx):
        about = {"device": 1, "alarm": codes.STALE_DATA}
        raise_alarm(tx, Derivation(), priority=3, detail="", utc_ms=NOW_MS, **about)
        end_alarm(tx, Derivation(), utc_ms=NOW_MS + 60_000, **about)
        raise_alarm(tx, Derivation(), priority=3, detail="", utc_ms=NOW_MS + 120_000, **about)

    world.store.write_now(change)
    ended, stands = (history_line("host_alarms", row) for row in rows(world, "host_alarms", device=ONE))
    assert "No longer raised since" in ended and "No longer" not in stands


def test_the_command_shows_both_by_itself_and_exports_them(world, tmp_path):
    stand(world, "release", {P1: "P-1"})
    world.store.close()
    (tmp_path / "home").mkdir(mode=0o700)
    shutil.move(tmp_path / "c.db", tmp_path / "home" / "cytowatch.db")
    text = run(tmp_path / "home", "history").stdout
    assert "clinician-1 stands for it" in text and "P-2 began to wear" in text
    for kind in ("acts", "bindings"):
        for form in ("csv", "jsonl"):
            done = run(tmp_path / "home", "export", "--kind", kind, "--format", form)
            assert done.returncode == 0 and "P-1" in done.stdout, done.stderr
