"""The whole agent with a broker: an alarm goes out with its code, and a person accepts it by sending that back."""

import json

import pytest
from crs_core import codes
from crs_core.wire import message as wire
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5

from tests.host.agent_world import events, query, start_patient
from tests.host.cli.guard_world import said
from tests.host.escalation.world import alarm_record
from tools.rig.free_port import free_port
from tools.rig.mosquitto import MISSING, mosquitto, mosquitto_path

pytestmark = pytest.mark.skipif(mosquitto_path() is None, reason=MISSING)


@pytest.fixture
def person(tmp_path):
    """(client, what it sees by the last word of the topic) at a broker, with `client.port`."""
    port = free_port()
    with mosquitto(tmp_path, port):
        client = Client(CallbackAPIVersion.VERSION2, "person", protocol=MQTTv5)
        seen = {"event": [], "answer": []}
        client.on_connect = lambda *_: client.subscribe(
            [("cytowatch/+/event", 1), ("cytowatch/accept/answer", 1)]
        )
        client.on_message = lambda _c, _d, m: seen[m.topic.rsplit("/")[-1]].append(json.loads(m.payload))
        client.connect("127.0.0.1", port)
        client.loop_start()
        yield client, seen, port
        client.disconnect()
        client.loop_stop()


def send(client, token, by="Maria", **more):
    client.publish("cytowatch/accept", json.dumps({"token": token, "by": by, **more}), qos=1)


async def test_a_code_that_comes_back_accepts_its_alarm_once_and_everyone_is_told(world, person):
    client, seen, port = person
    text = world.config_text + (
        f'[[mqtt]]\nname = "ward-bus"\nhost = "127.0.0.1"\nport = {port}\ntls = false\naccept_simulated = true\n'
        "accept_replies = true\nretry_first_s = 0.05\n"
    )

    async def answer(count):
        await world.until(lambda: len(seen["answer"]) == count)
        return seen["answer"][-1]

    async with world.agent(config_text=text):
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: any("accept" in one for one in seen["event"]))
        token = next(one["accept"]["token"] for one in seen["event"] if "accept" in one)
        send(client, "a" * 24)
        assert "not known" in (await answer(1))["text"]
        send(client, token, key="another")
        assert "another alarm" in (await answer(2))["text"]
        client.publish("cytowatch/accept", b"{", qos=1)
        assert "Send JSON" in (await answer(3))["text"]
        assert query(world, "SELECT 1 FROM acceptances") == []
        send(client, token)
        taken = await answer(4)
        assert taken["accepted"] and taken["token"] == token[:4]
        assert taken["text"].startswith("Accepted by Maria until ")
        assert query(world, "SELECT who, how, audit FROM acceptances") == [
            ("Maria", "MQTT receiver ward-bus", None)
        ]
        await world.until(lambda: world.device.accepted == [wire.AlarmAccept(codes.HYPOXAEMIA, 3, "Maria")])
        for told in (lambda: events(world), lambda: seen["event"]):
            await world.until(lambda told=told: [one for one in told() if one.get("stage") == "accepted"])
        assert "accepted by Maria (MQTT receiver ward-bus), until " in await said(world, "status")
        send(client, token, "Somebody else")
        again = await answer(5)
        assert not again["accepted"] and again["text"].startswith("This code was used: Maria")
    counted = dict(query(world, "SELECT name, value FROM counters WHERE name LIKE 'reply_refused_%'"))
    assert counted == {
        f"reply_refused_{why}": 1 for why in ("unknown", "other_event", "not_understood", "used")
    }
    sent = query(world, "SELECT event_key FROM outbox WHERE event_key LIKE '%-accepted-%'")
    assert len(sent) == 2
