"""`cytowatch page` opens what the agent serves, and gives the key to no other program on that port."""

import json
import socket

import pytest

from host_agent.web.key import page_key
from tests.host.cli.guard_world import said
from tests.host.web.page_world import paged_agent
from tools.rig.free_port import free_port


async def test_it_gives_the_address_that_the_agent_serves(ward):
    port = free_port()
    async with paged_agent(ward, port):
        found = json.loads(await said(ward, "page", "--no-browser", "--json"))
        assert found["address"] == f"http://127.0.0.1:{port}/?key={page_key(ward.home)}"


async def test_a_port_of_another_program_is_told_and_gets_no_key(ward):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        async with paged_agent(ward, port):
            text = await said(ward, "page", "--no-browser", code=1)
        assert f"not served on port {port}: Address already in use" in text
        assert page_key(ward.home) not in text and "key=" not in text


async def test_an_agent_that_began_without_a_page_says_so(ward):
    async with ward.agent():
        assert "The running agent serves no page." in await said(ward, "page", "--no-browser", code=1)


@pytest.mark.parametrize(
    ("enabled", "code", "expected"), [("true", 3, "not running"), ("false", 2, "switched off")]
)
async def test_without_an_agent_or_a_page(ward, enabled, code, expected):
    with (ward.home / "config.toml").open("a") as file:
        file.write(f"\n[page]\nenabled = {enabled}\n")
    assert expected in await said(ward, "page", "--no-browser", code=code)
