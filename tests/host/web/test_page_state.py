"""What the page says when something cannot be read: it is not reassured, and one wearable hides no other."""

import pytest

from host_agent.views import page, state
from host_agent.views.page import page_state
from host_agent.web.frame import Frame
from tools.lab.fuzz.records import HONEST, HOSTILE, Bedside

NO_AGENT_DATA = {"devices": [], "store_error": None}


@pytest.fixture
def side(tmp_path):
    made = Bedside(tmp_path)
    made.honest_alarm()
    yield made
    made.store.close()


def alarms_html(shown):
    return Frame(signing_in=None, boot="b", cookie="c").render("_alarms.html", shown)


def shown_of(side):
    now_ms = side.store.read_now(
        lambda tx: tx.execute("SELECT max(opened_utc_ms) FROM episodes").fetchone()[0]
    )
    return side.store.read_now(lambda tx: page_state(tx, {}, now_ms, NO_AGENT_DATA))


def test_a_store_that_cannot_be_read_is_no_reason_to_say_that_no_alarm_stands():
    shown = page_state(None, {}, 0, NO_AGENT_DATA, problem="disk I/O error")
    assert "No alarm stands" not in alarms_html(shown) and "not known here" in alarms_html(shown)
    assert "No alarm stands" not in alarms_html(
        page_state(None, {}, 0, {"devices": [], "store_error": "full"})
    )
    assert "No alarm stands" in alarms_html(page_state(None, {}, 0, NO_AGENT_DATA))


def check_that_the_other_is_shown(shown):
    of = {one["device_id"]: one for one in shown["wearables"]}
    assert "tuple index" in of[HOSTILE.hex()]["broken"] and not of[HONEST.hex()]["broken"]
    assert ("FEVER", HONEST.hex()) in [(one["name"], one["device_id"]) for one in shown["alarms"]]


def test_a_wearable_that_cannot_be_read_hides_no_other(side, monkeypatch):
    whole = state.open_pause

    def broken(tx, device):
        if device == 1:
            raise IndexError("tuple index out of range")
        return whole(tx, device)

    monkeypatch.setattr(state, "open_pause", broken)
    check_that_the_other_is_shown(shown_of(side))


def test_a_damaged_row_of_an_alarm_hides_nothing_of_what_the_wearables_say(side, monkeypatch):
    def broken(tx, now_ms):
        raise ValueError("year 12026 is out of range")

    monkeypatch.setattr(page, "standing_rows", broken)
    shown = shown_of(side)
    assert any(one["name"] == "FEVER" for one in shown["alarms"])
    assert any("none can be accepted here (ValueError: year 12026" in text for text in shown["problems"])


def test_a_wearable_whose_values_have_no_words_hides_no_other(side, monkeypatch):
    whole = page._values

    def broken(device, now_ms):
        if device["device_id"] == HOSTILE.hex() and device["patient"]:
            raise IndexError("tuple index out of range")
        return whole(device, now_ms)

    monkeypatch.setattr(page, "_values", broken)
    check_that_the_other_is_shown(shown_of(side))


def test_an_alarm_that_rose_before_its_record_came_stands_once(side, monkeypatch):
    def with_risen(*rest):
        data = state.read_state(*rest)
        (one,) = (device for device in data["devices"] if device["device_id"] == HONEST.hex())
        one["alarms"].insert(0, {**one["alarms"][0], "priority": "HIGH", "text": "just rose"})
        one["alarms"][1]["priority"] = "MEDIUM"
        return data

    monkeypatch.setattr(page, "read_state", with_risen)
    (fever,) = (one for one in shown_of(side)["alarms"] if one["name"] == "FEVER")
    assert (fever["priority"], fever["text"]) == ("HIGH", "just rose") and fever["number"] is not None
