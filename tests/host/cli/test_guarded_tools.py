"""The tools for boards, enrolment and a second wearable: what the agent alone cannot guard."""

import argparse
import asyncio
import io
import json
import os
import shutil
from unittest import mock

import pytest

from host_agent.control.socket import ControlFailed
from host_agent.keys import keyfile
from host_agent.keys.enrolment import Enrolment, new_code, seal
from host_agent.link.ownership import claim, last_user
from host_agent.store.bindings import add_binding
from host_agent.store.devices import ensure_device
from tests.host.agent_world import PATIENT, query, start_patient
from tests.host.cli.guard_world import PROOF, acts, in_alarm, said, told
from tests.host.cli.people_cli import WORDS
from tools.board.port import PortError, add_guard_options, guard_of, released
from tools.rig.pty_port import PtyPort


def take(ward, port, *arguments, meanwhile=lambda: True):
    """Take a port as the tools for boards do, with these options; what `meanwhile` says when they may go on."""
    parser = argparse.ArgumentParser()
    add_guard_options(parser)
    environment = {"CYTOWATCH_HOME": str(ward.home), "CYTOWATCH_PASSPHRASE": WORDS}
    with (
        mock.patch.dict(os.environ, environment), mock.patch("sys.stdin", io.StringIO()),
        released(port, guard_of(parser.parse_args(arguments))),
    ):  # fmt: skip
        return meanwhile()


async def test_a_port_that_was_lent_before_is_asked_about_as_well(ward):
    async with ward.agent():
        await in_alarm(ward)
        with pytest.raises(PortError, match="HIGH alarms stand about P-1"):
            await asyncio.to_thread(
                take, ward, ward.port.path, *PROOF, meanwhile=lambda: take(ward, ward.port.path)
            )


async def test_a_tool_for_boards_asks_whether_the_agent_runs_or_not(ward):
    async with ward.agent():
        await in_alarm(ward)
        for port in (ward.port.path, "/dev/another"):
            with pytest.raises(PortError, match="HIGH alarms stand about P-1: oxygen low"):
                await asyncio.to_thread(take, ward, port)
        assert await asyncio.to_thread(take, ward, "/dev/another", *PROOF)
        assert (await told(ward, "RELEASE"))["patient"]["id"] == "P-1"
        assert await asyncio.to_thread(take, ward, ward.port.path, *PROOF)
        assert len(acts(ward)) == 2
    with pytest.raises(PortError, match="HIGH alarms stand about P-1"):
        await asyncio.to_thread(take, ward, ward.port.path)
    assert await asyncio.to_thread(take, ward, ward.port.path, *PROOF)
    waiting = query(ward, "SELECT payload FROM outbox WHERE state = 'pending'")
    assert [json.loads(row[0])["name"] for row in waiting] == ["RELEASE"], "told when the agent runs again"
    shutil.copy(ward.paths.database, ward.home / "kept")
    ward.paths.database.write_bytes(b"not a database" * 1000)
    with pytest.raises(PortError, match="cytowatch.db"):
        await asyncio.to_thread(take, ward, ward.port.path)
    with pytest.raises(PortError, match="cytowatch.db"):
        await asyncio.to_thread(take, ward, ward.port.path, *PROOF)


async def test_another_state_folder_does_not_hide_the_patient_of_the_port(ward, tmp_path):
    async with ward.agent():
        await in_alarm(ward)
    elsewhere = mock.Mock(home=tmp_path / "elsewhere")
    with pytest.raises(PortError, match="HIGH alarms stand about P-1"):
        await asyncio.to_thread(take, elsewhere, ward.port.path)
    assert await asyncio.to_thread(take, elsewhere, "/dev/another"), "nobody knows of a patient there"
    shutil.rmtree(ward.home)
    assert await asyncio.to_thread(take, elsewhere, ward.port.path), "a folder that is gone knows nothing"


def test_a_pseudo_terminal_of_the_same_name_may_be_another(tmp_path):
    port = PtyPort()
    try:
        claim(port.path, "/home/ward", 1, tmp_path / "ports").drop()
        assert last_user(port.path, tmp_path / "ports").home == "/home/ward"
        (note,) = (tmp_path / "ports").glob("*.json")
        os.utime(note, (1, 1))
        assert last_user(port.path, tmp_path / "ports") is None
        note.write_text("{")
        assert last_user(port.path, tmp_path / "ports") is None
    finally:
        port.close()
    assert last_user("/dev/none", tmp_path / "ports") is None


async def test_a_laptop_without_a_patient_in_alarm_lends_its_ports_as_ever(ward):
    assert await asyncio.to_thread(take, ward, "/dev/another"), "nothing was ever stored here"
    async with ward.agent():
        await start_patient(ward)
        assert await asyncio.to_thread(take, ward, ward.port.path)
    assert await asyncio.to_thread(take, ward, ward.port.path)


async def test_the_key_of_a_wearable_in_alarm_is_not_replaced_unguarded(ward, tmp_path):
    code = new_code(os.urandom)

    def enrolment(device_id, key):
        file = tmp_path / "w.enrol"
        file.write_bytes(seal(Enrolment(device_id, 5, key, "custodian", "ward", "axilla"), code))
        return ("enrol", str(file), "--code", code)

    async with ward.agent():
        await in_alarm(ward)
        kept = keyfile.path_of(ward.paths.keys, ward.device.device_id).read_bytes()
        await said(ward, *enrolment(b"OTHER-01", bytes(32)))
        text = await said(ward, *enrolment(ward.device.device_id, bytes(32)), code=1)
        assert "HIGH alarms stand about P-1" in text
        assert keyfile.path_of(ward.paths.keys, ward.device.device_id).read_bytes() == kept
        await said(ward, *enrolment(ward.device.device_id, bytes(32)), *PROOF)
        assert [one["act"] for one in acts(ward)] == ["enrol"]


async def test_a_pseudonym_is_bound_to_a_second_wearable_only_when_that_is_meant(ward):
    async with ward.agent() as agent:
        await ward.in_session()

        def bind_other(tx):
            other = ensure_device(tx, b"OTHER-01", 1)
            add_binding(tx, other, b"BINDING9", patient="p-1", profile="", utc_ms=1)

        await agent.store.write(bind_other)
        with pytest.raises(
            ControlFailed, match=f"p-1 is bound to wearable {b'OTHER-01'.hex()} already"
        ) as caught:
            await ward.call("patient_start", profile=PATIENT)
        assert "--second-wearable" in caught.value.advice
        for no in ("yes", 1, None, False):
            with pytest.raises(ControlFailed, match="already"):
                await ward.call("patient_start", profile=PATIENT, second_wearable=no)
        assert ward.device.journal.binding_id == bytes(8)
        await said(
            ward, "patient", "start", "--patient", "P-1", "--age-years", "54", "--second-wearable", "--device",
            ward.device.device_id.hex(),
        )  # fmt: skip
        assert len(query(ward, "SELECT 1 FROM bindings WHERE state <> 'ended'")) == 2
