"""What `doctor` says of contacts whom nothing reaches, whose way was never tried, and of nights without anybody."""

import pytest

from host_agent.config.model import parse_config
from host_agent.store.db import Store
from host_agent.store.outbox import Addressed, add_delivery, mark_delivered
from host_agent.terminal.contact_findings import contact_findings
from tests.host.cli.people_cli import run
from tools.rig.contact_plan import PLAN_TOML

CHANNELS = ("carer-phone", "nurse-phone", "nurse-pager", "doctor-phone")


def found(text=PLAN_TOML, broken=(), took=CHANNELS):
    return [(one.level, one.about, one.text) for one in contact_findings(parse_config(text), broken, took)]


def test_nothing_is_said_of_contacts_whose_way_was_tried():
    assert found() == []
    assert found(text="") == [], "without contacts there is nothing to say"


def test_a_contact_whose_receivers_all_have_a_fault_is_a_problem_and_one_with_another_way_is_not():
    assert found(broken=["nurse-phone"]) == []
    (only,) = found(broken=["nurse-phone", "nurse-pager"])
    assert only[:2] == ("problem", "contact nurse-1") and "every receiver has a fault" in only[2]
    assert "(nurse-phone, nurse-pager)" in only[2]


def test_a_contact_to_whom_nothing_was_ever_handed_over_is_named():
    names = [about for _, about, _ in found(took=["nurse-pager", "ward"])]
    assert names == ["contact carer", "contact doctor-1"]


@pytest.mark.parametrize(
    ("carer", "nurse", "said"),
    [
        (("22:00", "07:00"), ("21:00", "06:00"), "from 22:00 until 06:00"),
        (("22:00", "07:00"), ("12:00", "14:00"), None),
        (("12:00", "14:00"), ("13:59", "13:00"), "from 12:00 until 13:00"),
        (("00:00", "06:00"), ("23:00", "00:01"), "from 00:00 until 00:01"),
        (("22:00", "07:00"), None, None),
    ],
)  # fmt: skip
def test_hours_in_which_all_who_are_told_of_a_low_alarm_are_quiet_are_said(carer, nurse, said):
    text = PLAN_TOML.replace('quiet_from = "22:00"\nquiet_until = "07:00"\n', _quiet(carer))
    text = text.replace(
        'channels = ["nurse-phone", "nurse-pager"]\n', f'channels = ["nurse-phone"]\n{_quiet(nurse)}'
    )
    texts = [line for _, about, line in found(text) if about == "contacts"]
    assert [said in line for line in texts] == ([True] if said else [])


def _quiet(hours):
    return f'quiet_from = "{hours[0]}"\nquiet_until = "{hours[1]}"\n' if hours else ""


def test_doctor_shows_it(tmp_path):
    (tmp_path / "config.toml").write_text(PLAN_TOML)
    with Store(tmp_path / "cytowatch.db") as store:

        def deliver(tx):
            add_delivery(tx, Addressed("doctor-phone", "k", None, 1, False, "{}"), 1)
            mark_delivered(tx, 1, 2)

        store.write_now(deliver)
    text = run(tmp_path, "doctor").stdout
    assert "contact carer: nothing reaches this person: every receiver has a fault (carer-phone)" in text
    assert "Then: cytowatch test-alarm" in text
