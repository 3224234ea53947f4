"""Each example of the receivers' page is loaded as it stands there, and its form takes every kind of event."""

import json
import re

import pytest

from host_agent.config.model import parse_config
from host_agent.forward.delivery import Delivery
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.forms.form import Target
from host_agent.forward.message import read_message
from tools.rig.micropython import ROOT

PAGE = (ROOT / "host_agent/RECEIVERS.md").read_text(encoding="utf-8")
CHAT, SIGNAL = "https://chat.example.org/hooks/T0123", "signal://localhost:9922/+15551230000/+15551234567"
BLOCKS = [
    (part.splitlines()[0], block)
    for part in PAGE.split("\n## ")[1:]
    for block in re.findall(r"```toml\n(.*?)```", part, re.DOTALL)
]
(TEMPLATE,) = re.findall(r"```json template\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_has_the_services_that_people_ask_for():
    titles = {title.split(":")[0] for title, _ in BLOCKS}
    assert {"Slack", "Mattermost", "ntfy", "Home Assistant", "PagerDuty", "Mail"} <= titles
    assert any("FHIR" in title for title, _ in BLOCKS)
    assert len(BLOCKS) == PAGE.count("```toml")


@pytest.mark.parametrize("title, block", BLOCKS)
def test_each_example_is_loaded_and_lacks_only_its_secrets(tmp_path, monkeypatch, title, block):
    (tmp_path / "pager.json").write_text(TEMPLATE, encoding="utf-8")
    for name in re.findall(r'"([a-z-]+\.secret)"', block):
        secret = {
            "slack": CHAT,
            "matte": CHAT,
            "teams": CHAT,
            "disco": CHAT,
            "signa": SIGNAL,
            "heart": CHAT,
        }.get(name[:5], "0" * 32)
        (tmp_path / name).write_text(secret + "\n")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    config = parse_config(block, "config.toml", tmp_path)
    (receiver,) = config.receivers or (config.heartbeat,)
    problems = [str(problem) for problem in receiver.problems()]
    assert all("file of certificates" in problem for problem in problems), problems
    if receiver.kind == "webhook":
        for event in EXAMPLES:
            delivery = Delivery("key-1", json.dumps(event).encode())
            request = receiver.made_form().request(
                read_message(delivery), Target(receiver.address(), "t"), delivery
            )
            assert json.loads(request.body)
