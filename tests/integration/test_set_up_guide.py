"""A nurse's laptop from nothing to a tested alarm on a phone, by the guide alone: every block of it is executed.

The wearable is virtual, time is simulated, and the phone's server is a fake that takes what ntfy documents. Passphrases
and codes come from the variables that stand for typing, and this computer's own ports and radio stay out of it.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from host_agent.keys.enrolment import Enrolment, new_code, seal
from tests.fakes.fake_http import Received
from tests.fakes.services import ntfy
from tools.rig.image import CUSTODIAN, DEVICE_ID
from tools.rig.laptop import CABLE_ONLY, Laptop
from tools.rig.micropython import ROOT
from tools.rig.quiet_server import OneAtATimeServer, serving
from tools.rig.waiting import conductor, now_s, pass_s, until
from tools.rig.wearable import Wearable, ready

pytestmark = pytest.mark.slow

GUIDE = (ROOT / "host_agent/README.md").read_text(encoding="utf-8")
SET_UP = GUIDE.split("## Set up\n")[1].split("\n## ")[0]
MINUTE_S = 60  # of which the guide speaks before the first look at the status
SERVER, FILE = "https://ntfy.example.org", "wearable.enrol"
LONGEST_S = 600
PASSPHRASES = {
    "CYTOWATCH_PASSPHRASE": "a long passphrase",
    "CYTOWATCH_NEW_PASSPHRASE": "a long passphrase",
}


class Phone:
    """The server of a phone: what it took, as ntfy documents it."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self.server = OneAtATimeServer(0, self._take)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def _take(self, request: BaseHTTPRequestHandler) -> tuple[int, str]:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = ntfy(Received("POST", request.path, headers, body, now_s()))
        if reply.status == 200:
            self.shown.append(json.loads(body))
        return reply.status, reply.body.decode()


def commands() -> Iterator[str]:
    """Each command of the guide's blocks, a file that is written into the shell in one piece."""
    for block in re.findall(r"```sh\n(.*?)```", SET_UP, re.DOTALL):
        yield from re.findall(r"^(?:cat .*?^END|.+?)$", block, re.MULTILINE | re.DOTALL)


class Nurse:
    """Types what the guide says."""

    def __init__(self, folder: Path, wearable: Wearable, phone: Phone) -> None:
        self.laptop = Laptop(folder / ".local/state/cytowatch")
        self.laptop.paths.config.unlink()
        self.said: dict[str, str] = {}
        self._code = new_code(os.urandom)
        self._environment = {**PASSPHRASES, "CYTOWATCH_CODE": self._code, "HOME": str(folder)}
        self._folder, self._wearable, self._phone = folder, wearable, phone
        enrolment = Enrolment(DEVICE_ID, CUSTODIAN.key_id, CUSTODIAN.key, "custodian", "bedside", "axilla")
        (folder / FILE).write_bytes(seal(enrolment, self._code))

    def types(self, command: str) -> None:
        command = command.replace(SERVER, self._phone.url).replace(FILE, str(self._folder / FILE))
        words = shlex.split(command, comments=True) if command.startswith("cytowatch ") else []
        if not words:
            subprocess.run(
                ["bash", "-ec", command],
                cwd=ROOT,
                env=os.environ | self._environment,
                check=True,
                timeout=600,
            )
        elif words[1] == "run":
            with self.laptop.paths.config.open("a") as config:
                config.write(CABLE_ONLY)
            self.laptop.start(str(self._wearable.link), 1)
            until(self.laptop.caught_up, 60, "the agent finds the wearable")
        else:
            if words[1] == "status":
                pass_s(MINUTE_S)
            said = self.laptop.cytowatch(*words[1:], **self._environment).stdout
            self.said[" ".join(words[1:3])] = said
            if found := re.search(r"^Administrator code: (\S+)$", said, re.MULTILINE):
                self._environment["CYTOWATCH_ADMINISTRATOR_CODE"] = found[1]


def test_a_nurse_comes_from_nothing_to_a_tested_alarm_on_a_phone_by_the_guide_alone(tmp_path: Path) -> None:
    owner = conductor()
    assert owner is not None
    phone = Phone()
    owner.watch(phone.server.quiet)
    with serving(phone.server), ready(tmp_path, binding_id=None, speed=1) as wearable:
        nurse = Nurse(tmp_path, wearable, phone)
        try:
            begun_s = now_s()
            for command in commands():
                nurse.types(command)
            took_s = now_s() - begun_s
        finally:
            nurse.laptop.stop()
    assert "1 of 1 handed over" in nurse.said["receivers test"]
    assert "measuring now" in nurse.said["status"]
    hops = [line.split() for line in nurse.said["test-alarm"].splitlines()]
    assert [hop[0] for hop in hops[1:5]] == ["agent", "store", "wearable", "receiver"]
    assert all(re.search(r"\d\.\d\d s", " ".join(hop)) for hop in hops[1:5]), "each hop has its time"
    assert nurse.said["test-alarm"].splitlines()[-1] == "All 4 hops passed."
    tests = [note for note in phone.shown if note["topic"] == "cytowatch-k7Qx9"]
    assert [note["priority"] for note in tests] == [5, 3], "the first one rings"
    assert all("TEST" in note["title"] for note in tests)
    assert took_s <= LONGEST_S
