"""What `status` and `doctor` show of one wearable: alarms first, one state, whom to call, no contradiction."""

import json

import pytest
from crs_core import codes, units

from host_agent.keys import keyfile
from tests.host.cli.people_cli import run
from tests.host.people.people_world import MIN_MS

SETTINGS = "device_name=Bed 3\nemergency_number=112\npatient_call_number=555-0100\nsite=axilla\n"


@pytest.fixture
def world(one_patient):
    """P-1, with a wearable that told its settings and a reading of a minute ago."""
    one_patient.rows.write("UPDATE devices SET settings = ? WHERE id = 1", SETTINGS)
    one_patient.rows.reading(3702, 970, 84, ago_ms=MIN_MS)
    return one_patient


def screen(world, command="status"):
    world.store.close()
    if (world.home / "c.db").exists():
        (world.home / "c.db").rename(world.home / "cytowatch.db")
    return run(world.home, command).stdout


def test_alarms_come_first_and_the_most_urgent_leads(world):
    world.rows.alarm(codes.LOW_BATTERY, 1)
    world.rows.alarm(codes.FEVER, 2)
    world.rows.alarm(codes.HYPOXAEMIA, 3, ago_ms=7 * MIN_MS)
    lines = screen(world).splitlines()
    assert [line.split()[0] for line in lines[1:7:2]] == ["URGENT", "ALARM", "NOTICE"]
    assert (
        "(7 min ago), P-1 (Bed 3): oxygen low. Look at the patient now. Care team 555-0100. Emergency 112."
        in lines[1]
    )
    assert lines[2].strip() == "nobody has accepted it; whether it sounds now is not known here"


def test_the_wearables_own_name_site_and_numbers_are_shown(world):
    text = screen(world)
    assert f"\nWearable {'01' * 8} (Bed 3), thermometer at axilla\n" in text
    assert "  call      Care team 555-0100. Emergency 112.\n" in text


def test_missing_numbers_are_said_loudly_with_the_command_that_sets_them(world):
    world.rows.write("UPDATE devices SET settings = 'site=axilla\n'")
    text = screen(world)
    assert "  call      Care team NUMBER NOT SET. Emergency NUMBER NOT SET.\n" in text
    assert "Set both: cytowatch phones --call-number NUMBER --emergency-number NUMBER" in text
    found = screen(world, "doctor")
    assert (
        "no number is known to call: care team and emergency" in found
        and "--emergency-number NUMBER" in found
    )


def test_a_site_that_the_enrolment_named_is_known_before_the_wearable_says_it(world):
    world.rows.write("UPDATE devices SET settings = ''")
    device_id = bytes.fromhex(json.loads(json_of(world))["devices"][0]["device_id"])
    key = keyfile.DeviceKey(device_id, 1, bytes(32), keyfile.ROLE_CUSTODIAN, "bedside", "oral")
    keyfile.save(world.home / "keys", key)
    assert ", thermometer at oral\n" in screen(world)
    file = keyfile.path_of(world.home / "keys", device_id)
    old = json.loads(file.read_text())
    del old["site"]
    file.write_text(json.dumps(old))
    assert keyfile.load(file).site == "" and ", thermometer at a site not known yet\n" in screen(world)


def json_of(world):
    world.store.close()
    (world.home / "c.db").rename(world.home / "cytowatch.db")
    done = run(world.home, "status", "--json")
    (world.home / "cytowatch.db").rename(world.home / "c.db")
    world.store = type(world.store)(world.home / "c.db")
    return done.stdout


def test_a_reading_is_never_beside_a_temperature_that_is_not_known(world):
    world.enter(world.nurse, oxygen="room_air", blood_pressure="normal")
    text = screen(world)
    assert "37.02 °C (98.6 °F) axilla" in text
    assert "Not known: temperature by mouth" in text and "temperature," not in text


def test_the_sound_pause_of_the_button_ends_with_its_time_a_rise_or_a_restart(world):
    def paused():
        return json.loads(json_of(world))["devices"][0]["sound_paused_until"]

    def event(kind, payload, ago_ms):
        seq, t_ms = world.rows._at(ago_ms)
        world.rows.write("INSERT INTO events VALUES (1, ?, 1, ?, ?, ?, 0, 1)", seq, t_ms, kind, payload)

    assert paused() is None
    world.rows.alarm(codes.FEVER, 2, ago_ms=MIN_MS)
    event(7, b"\x01", MIN_MS)
    assert paused() is not None
    world.rows.alarm(codes.HYPOXAEMIA, 3)
    assert paused() is None, "a new alarm sounds"
    event(7, b"\x01", 0)
    assert paused() is not None
    event(7, b"\x02", 0)
    assert paused() is None, "a long press is a call and no pause"
    event(7, b"\x01", 0)
    event(1, b"", 0)
    assert paused() is None, "a restart sounds again"


def test_a_value_that_may_not_be_used_is_not_the_last_value(world):
    world.rows.reading(3300, None, None, temp_state=units.TEMP_OFF_BODY, ppg_state=units.PPG_NO_CONTACT)
    device = json.loads(json_of(world))["devices"][0]
    assert device["last_value"] < device["newest_reading"]["at"]


@pytest.mark.parametrize("command", [("status",), ("status", "--json")])
def test_a_store_that_cannot_be_read_hides_nothing_that_the_agent_says(tmp_path, monkeypatch, command):
    (tmp_path / "cytowatch.db").write_bytes(b"not a database" * 1000)
    one = {"device_id": "0102", "link": {"state": "open"}, "live_text": "38.64 °C, raised: HYPOXAEMIA HIGH"}
    live = {"pid": 7, "now_utc_ms": 1_800_000_000_000, "devices": [one]}
    monkeypatch.setattr("host_agent.cli.status.live_status", lambda paths: live)
    done = run(tmp_path, *command)
    assert (
        done.returncode == 1 and "raised: HYPOXAEMIA HIGH" in done.stdout and "not a database" in done.stdout
    )
    assert "nobody is bound" not in done.stdout
