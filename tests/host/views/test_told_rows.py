"""Who was told what, when, over which receiver, and with which answer."""

import pytest

from host_agent.errors import HostAgentError
from host_agent.store import outbox
from host_agent.terminal.record_lines import history_line
from host_agent.views.of_patient import OfPatient
from host_agent.views.records import Answer, Question
from tests.host.escalation.acceptance_world import raised, reply, tokens
from tests.host.escalation.world import NOW_MS, World, alarm_record


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def told(world, **question):
    asked = Question(question.get("from_ms"), question.get("to_ms"), question.get("device"))
    return world.store.read_now(lambda tx: list(Answer(tx, asked).rows("told")))


def becomes(world, target, state):
    def write(tx):
        for one in outbox.messages(tx):
            if one.target == target and one.state == "pending":
                if state == "delivered":
                    outbox.mark_delivered(tx, one.id, NOW_MS + 4000)
                elif state == "refused":
                    outbox.mark_refused(tx, one.id, "HTTP 400")
                else:
                    outbox.mark_retry(tx, one.id, NOW_MS + 9000, "no answer within 10 s")

    world.store.write_now(write)


def test_each_message_with_its_receiver_its_fate_and_the_answer(world):
    raised(world)
    becomes(world, "study", "delivered")
    becomes(world, "ward", "retry")
    (code,) = tokens(world)
    reply(world, code, now_ms=NOW_MS + 60_000)
    ward, study, *later = told(world)
    assert (study["receiver"], study["stage"], study["name"], study["patient"]) == (
        "study",
        "raised",
        "HYPOXAEMIA",
        "P-1",
    )
    assert (study["answered_by"], study["answered_how"], study["answered_over_it"]) == ("Maria", "ntfy", True)
    assert (ward["answered_by"], ward["answered_over_it"], ward["state"]) == ("Maria", False, "pending")
    assert [(one["stage"], one["answered_by"]) for one in later] == [("accepted", None)] * 2
    line = history_line("told", {**study, "contact": "anna"})
    assert line.startswith("to study (anna): URGENT ") and "with the code of this message." in line
    assert " Handed over at " in line and "555-0100" in line, "as it was told"
    assert "Not handed over yet: no answer within 10 s. Maria accepted it at " in history_line("told", ward)


def test_refused_and_withheld_are_said_and_nobody_answered(world):
    world.commit(alarm_record({}, FEVER=2), simulated=True)
    becomes(world, "study", "refused")
    ward, study = told(world)
    assert history_line("told", ward).endswith("Withheld: simulated.") or "Withheld" in history_line(
        "told", ward
    )
    assert history_line("told", study).endswith(" Refused: HTTP 400.") and study["answered_by"] is None
    assert study["simulated"] is True


def test_a_patient_and_a_period_choose_rows_of_every_kind(world):
    raised(world)

    def about(patient):
        def read(tx):
            asked = OfPatient(tx, patient)
            answer = Answer(tx, Question(None, None, None))
            return {
                kind: [row for row in answer.rows(kind) if row in asked]
                for kind in ("told", "alarms", "host_alarms")
            }

        return world.store.read_now(read)

    assert [len(rows) for rows in about("P-1").values()] == [2, 1, 0]
    with pytest.raises(HostAgentError, match="No patient P-2 was ever bound here"):
        about("P-2")
    assert told(world, from_ms=NOW_MS + 6) == [] and len(told(world, to_ms=NOW_MS + 6)) == 2
    assert len(told(world, device="c0ffee")) == 2


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", "{}"])
def test_a_damaged_message_is_a_row_without_words(world, payload):
    raised(world)
    world.store.write_now(lambda tx: tx.execute("UPDATE outbox SET payload = ?", (payload,)))
    assert [(one["text"], one["patient"]) for one in told(world)] == [("", None)] * 2
    assert all(history_line("told", one) for one in told(world))
