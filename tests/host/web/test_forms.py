"""What the forms do with what changed since they were shown, and what the page shows beside them."""

import asyncio
import re

import httpx2 as httpx
import pytest
from crs_core.codes import HYPOXAEMIA, STORE_FAULT

from host_agent.store.host_alarms import raise_alarm
from host_agent.web.key import page_key
from tests.host.agent_world import query, start_patient
from tests.host.cli.guard_world import in_alarm
from tests.host.cli.people_cli import WORDS
from tests.host.web.page_world import paged_agent
from tools.rig.free_port import free_port

SIGNED = {"account": "nurse-1", "passphrase": WORDS}


@pytest.fixture
async def site(ward):
    """(client with the key, the agent, the ward)."""
    port = free_port()
    async with paged_agent(ward, port) as (agent, _):
        headers = {"Cookie": f"cytowatch-{port}={page_key(ward.home)}", "Sec-Fetch-Site": "same-origin"}
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
            yield client, agent, ward


def hidden(html):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


@pytest.mark.parametrize("binding", ["00" * 8, ""])
async def test_a_form_that_was_shown_about_another_patient_enters_nothing(site, binding):
    client, _, ward = site
    await start_patient(ward)
    path = f"/enter/{ward.device.device_id.hex()}"
    shown = hidden((await client.get(path)).text)
    answer = await client.post(path, data={**shown, "binding": binding, "ice": "9", **SIGNED})
    assert answer.status_code == 409 and "another patient" in answer.text
    assert query(ward, "SELECT 1 FROM audit WHERE kind = 'context'") == []
    assert (await client.post(path, data={**shown, "ice": "9", **SIGNED})).status_code == 200


async def test_a_form_that_is_sent_twice_enters_once_and_a_changed_one_again(site):
    client, _, ward = site
    await start_patient(ward)
    path = f"/enter/{ward.device.device_id.hex()}"
    data = {**hidden((await client.get(path)).text), "ice": "9", **SIGNED}
    first, second = await asyncio.gather(client.post(path, data=data), client.post(path, data=data))
    assert sorted(re.findall(r"<h1>(.*)</h1>", first.text + second.text)) == [
        "Entered",
        "Entered already, once",
    ]
    assert "ICE score 9" in first.text and "ICE score 9" in second.text
    again = await client.post(path, data={**data, "ice": "8"})  # the back button, and another value
    assert "<h1>Entered</h1>" in again.text
    other = await client.post(path, data={**data, **hidden((await client.get(path)).text)})
    assert "<h1>Entered</h1>" in other.text
    assert len(query(ward, "SELECT 1 FROM audit WHERE kind = 'context'")) == 3


async def test_a_note_loses_only_what_nobody_can_read(site):
    client, _, ward = site
    await in_alarm(ward)
    ((number,),) = query(ward, f"SELECT id FROM episodes WHERE alarm = {HYPOXAEMIA} AND kind = 'alarm'")
    path = f"/alarm/{number}/accept"
    shown = hidden((await client.get(path)).text)
    await client.post(path, data={**shown, "note": "on\u202e my  way\n" + "x" * 300, **SIGNED})
    assert query(ward, "SELECT note FROM acceptances") == [(f"on my way {'x' * 190}",)]


async def test_an_alarm_of_this_laptop_stands_once_and_can_be_accepted(site):
    client, agent, ward = site
    await start_patient(ward)
    now_ms = agent.clock.utc_ms()
    await agent.store.write(
        lambda tx: raise_alarm(
            tx, agent.escalation, device=None, alarm=STORE_FAULT, priority=2, detail="", utc_ms=now_ms
        )
    )
    ((number,),) = query(ward, f"SELECT id FROM episodes WHERE alarm = {STORE_FAULT}")
    page = (await client.get("/")).text
    assert page.count('data-alarm="MEDIUM STORE_FAULT') == 1 and f'id="accept-{number}"' in page
    path = f"/alarm/{number}/accept"
    answer = await client.post(path, data={**hidden((await client.get(path)).text), **SIGNED})
    assert "accepted by nurse-1" in answer.text
    assert query(ward, "SELECT who FROM acceptances") == [("nurse-1",)]


async def test_the_page_calls_the_patient_as_messages_do(site):
    client, _, ward = site
    await ward.in_session()
    await ward.call(
        "patient_start", profile={"patient": "P-1", "age_years": 54, "site": "axilla"}, label="Room 4"
    )
    await ward.in_session()
    for path in ("/", "/enter/{}", "/trend/{}"):
        assert "Room 4" in (await client.get(path.format(ward.device.device_id.hex()))).text, path


async def test_no_value_at_a_glance_is_without_its_age(site):
    client, _, ward = site
    await in_alarm(ward)
    (glance,) = re.findall(r'<p class="at-a-glance">(.*)</p>', (await client.get("/")).text)
    assert len(re.findall(r" ago", glance)) == 3


async def test_a_page_that_is_open_ends_with_the_agent(ward):
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

        async def look_on():
            headers = {"Cookie": f"cytowatch-{port}={page_key(ward.home)}"}
            async with client.stream("GET", "/live", headers=headers) as live:
                async for text in live.aiter_text():
                    texts.append(text)

        texts = []
        async with paged_agent(ward, port):
            looking = asyncio.create_task(look_on())
            await ward.until(lambda: texts)
        await ward.until(looking.done)
        assert isinstance(looking.exception(), httpx.TransportError)
