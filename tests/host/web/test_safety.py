"""Who may ask the page: this laptop's own address, with the key, from its own forms."""

import asyncio
import contextlib

import httpx2 as httpx
import pytest

from host_agent.web import trend_page
from host_agent.web.key import page_key
from tests.host.agent_world import start_patient
from tests.host.web.page_world import paged_agent
from tools.rig.free_port import free_port

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def site(ward):
    """(client without a key, its port, the key, the ward)."""
    port = free_port()
    async with (
        paged_agent(ward, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client, port, page_key(ward.home), ward


def with_key(port, key, **more):
    return {"Cookie": f"cytowatch-{port}={key}", **more}


async def test_without_its_key_nothing_is_shown_and_nothing_is_done(site):
    client, port, key, ward = site
    await start_patient(ward)
    device = ward.device.device_id.hex()
    paths = (
        "/",
        "/live",
        "/live.json",
        f"/trend/{device}",
        f"/trend/{device}/6h.json",
        f"/enter/{device}",
        "/alarm/1/accept",
    )
    wrong = (None, "", "x" * 43, key[:-1], key + "x", "ä")
    for given in wrong:
        headers = {} if given is None else {"Cookie": f"cytowatch-{port}={given}".encode()}
        for path in paths:
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 401 and "cytowatch page" in answer.text, (given, path)
            assert "P-1" not in answer.text
        assert (await client.post(f"/enter/{device}", headers={**headers, **OWN})).status_code == 401
    assert (await client.get("/?key=wrong")).status_code == 401
    assert (await client.get("/live.json", headers=with_key(port, key))).status_code == 200


async def test_the_key_in_the_address_goes_to_a_cookie_that_no_other_site_sends(site):
    client, port, key, _ = site
    answer = await client.get(f"/?key={key}")
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and f"cytowatch-{port}={key}" in cookie


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.evil.example", ""],
)
async def test_another_name_for_this_address_is_refused(site, host):
    client, port, key, _ = site
    answer = await client.get("/", headers=with_key(port, key, Host=host.format(port=port)))
    assert answer.status_code == 400 and "CytoWatch" not in answer.text


@pytest.mark.parametrize(
    "origin",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {},
    ],
)  # fmt: skip
async def test_a_form_of_another_site_does_nothing(site, origin):
    client, port, key, ward = site
    headers = {name: value.format(port=port) for name, value in origin.items()}
    for path in ("/sign-out", f"/enter/{ward.device.device_id.hex()}", "/alarm/1/accept"):
        assert (await client.post(path, headers=with_key(port, key, **headers))).status_code == 403
    own = {"Origin": f"http://127.0.0.1:{port}"}
    assert (await client.post("/sign-out", headers=with_key(port, key, **own))).status_code == 303


async def test_every_answer_forbids_scripts_and_frames_from_elsewhere(site):
    client, port, key, _ = site
    for path, expected in (
        ("/", 200),
        ("/nowhere", 404),
        ("/static/page.css", 200),
        ("/alarm/99/accept", 404),
    ):
        answer = await client.get(path, headers=with_key(port, key))
        assert answer.status_code == expected
        policy = answer.headers["content-security-policy"]
        assert (
            "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert (await client.get("/", headers={})).headers["x-frame-options"] == "DENY"


async def test_nothing_is_done_by_a_get_and_no_file_outside_is_given(site):
    client, port, key, _ = site
    assert (await client.get("/sign-out", headers=with_key(port, key))).status_code == 405
    for path in (
        "/static/../page.py",
        "/static/%2e%2e/page.py",
        "/static/..%2fkey.py",
        "/static//etc/passwd",
    ):
        assert (await client.get(path, headers=with_key(port, key))).status_code in (400, 404)


async def test_connections_that_ask_nothing_keep_nobody_out(site):
    client, port, key, _ = site
    async with contextlib.AsyncExitStack() as held:
        for asked in (b"", b"GET / HTTP/1.1\r\nHost: ") * 75:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            held.callback(writer.close)
            writer.write(asked)
        assert (await client.get("/", headers=with_key(port, key))).status_code == 200
        async with client.stream("GET", "/live", headers=with_key(port, key)) as live:
            beats = live.aiter_text()
            await anext(beats)
            for _ in range(150):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                held.callback(writer.close)
            assert "beat" in await anext(beats) + await anext(beats)


async def test_a_longest_number_is_no_alarm(site):
    client, port, key, _ = site
    answer = await client.get(f"/alarm/{'9' * 5000}/accept", headers=with_key(port, key))
    assert answer.status_code == 400


async def test_what_cannot_be_shown_says_where_to_look(site, monkeypatch):
    client, port, key, _ = site
    monkeypatch.setattr(trend_page, "open_bindings", lambda tx: 1 // 0)
    answer = await client.get("/trend/00", headers=with_key(port, key))
    assert answer.status_code == 500 and "cytowatch status" in answer.text


async def test_what_is_too_large_or_no_form_is_refused(site):
    client, port, key, ward = site
    await start_patient(ward)
    path = f"/enter/{ward.device.device_id.hex()}"
    headers = with_key(port, key, **OWN)
    assert (await client.post(path, headers=headers, content=b"x" * 70_000)).status_code == 413
    assert (await client.post(path, headers=headers, content=b"\xff\xfe=1")).status_code == 400
    assert (await client.post(path, headers=headers, content=b"&".join([b"a=1"] * 100))).status_code == 400
    chunked = await client.post(path, headers=headers, content=_chunks(b"a" * 1000, 100))
    assert chunked.status_code == 413  # how much it will be is not said


async def _chunks(piece, number):
    for _ in range(number):
        yield piece


async def test_a_key_that_others_could_read_is_replaced(tmp_path):
    first = page_key(tmp_path)
    assert page_key(tmp_path) == first and (tmp_path / "page.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "page.key").chmod(0o644)
    assert page_key(tmp_path) != first
    (tmp_path / "page.key").write_text("short")
    assert len(page_key(tmp_path)) == 43
