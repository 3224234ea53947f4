"""The page in a real browser, with a real agent and a wearable in alarm."""

import asyncio
import os
import re
import signal
import subprocess

import pytest
from crs_core.codes import HYPOXAEMIA

from host_agent.web.key import page_key
from tests.host.agent_world import live, query, start_patient
from tests.host.cli.guard_world import in_alarm
from tests.host.cli.people_cli import COMMAND, WORDS
from tests.host.web.page_world import CHROMIUM, MISSING, browser, paged_agent
from tools.rig.free_port import free_port

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason=MISSING), pytest.mark.slow]


def accept_link(ward):
    """The link that accepts the low oxygen; other alarms stand beside it."""
    ((number,),) = query(ward, f"SELECT id FROM episodes WHERE alarm = {HYPOXAEMIA} AND kind = 'alarm'")
    return f"#accept-{number}"


async def text_of(tab, selector="body"):
    return await tab.inner_text(selector)


async def sign_as(tab, name, words=WORDS):
    await tab.select_option("#account", name)
    await tab.fill("#passphrase", words)


async def test_an_alarm_comes_to_the_page_by_itself_and_a_person_accepts_it_by_name(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await tab.goto(address)
        assert "key=" not in tab.url
        assert "No alarm stands" in await text_of(tab)
        await in_alarm(ward)
        await tab.wait_for_selector(".alarm.high", timeout=5000)
        assert "oxygen low" in await text_of(tab, "#alarms")
        assert (await tab.title()).startswith("SIMULATED. HIGH: P-1")
        assert re.match(r"SIMULATED\. URGENT .*oxygen low", await tab.text_content("#announce"))
        await tab.click(accept_link(ward))
        await sign_as(tab, "nurse-1", "not her passphrase")
        await tab.click("text=/^Accept$/")
        assert "passphrase is wrong" in await text_of(tab, "#wrong")
        assert query(ward, "SELECT 1 FROM acceptances") == []
        await sign_as(tab, "nurse-1")
        await tab.fill("#note", "on my way")
        await tab.click("text=/^Accept$/")
        assert re.search(r"HYPOXAEMIA: accepted by nurse-1 until \d\d:\d\d", await text_of(tab))
        assert query(ward, "SELECT who, how, note, audit IS NOT NULL FROM acceptances") == [
            ("nurse-1", "page", "on my way", 1)
        ]
        await tab.click("text=Back to the first page")
        await tab.wait_for_selector("text=/accepted by nurse-1/i", timeout=5000)
        assert await tab.query_selector(accept_link(ward)) is None


async def test_whoever_comes_second_learns_who_was_first(ward):
    async with paged_agent(ward) as (_, address), browser() as first, browser() as second:
        await in_alarm(ward)
        for tab in (first, second):
            await tab.goto(address)
            await tab.click(accept_link(ward))
        await sign_as(first, "nurse-1")
        await sign_as(second, "caregiver-1")
        await asyncio.gather(first.click("text=/^Accept$/"), second.click("text=/^Accept$/"))
        texts = [await text_of(tab) for tab in (first, second)]
        assert len(query(ward, "SELECT 1 FROM episodes WHERE accepted_by <> ''")) == 1
        assert len(query(ward, "SELECT 1 FROM acceptances WHERE after IS NULL")) == 1
        assert all(re.search(r"accepted (by|it)", text) for text in texts)


async def test_an_alarm_that_rose_is_not_accepted_as_it_was_seen(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await in_alarm(ward)
        await tab.goto(address)
        await tab.click(accept_link(ward))
        await sign_as(tab, "nurse-1")
        await tab.evaluate("() => { document.querySelector('[name=level]').value = '2'; }")
        await tab.click("text=/^Accept$/")
        assert "has changed since you opened the page" in await text_of(tab, "#wrong")
        assert query(ward, "SELECT 1 FROM acceptances") == []


async def test_five_observations_are_entered_with_what_was_wrong_beside_its_field(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await start_patient(ward)
        await tab.goto(address)
        await tab.click("text=Enter what was seen or measured")
        await tab.fill("#pressure", "80/120")
        await tab.fill("#temperature", "38,4")
        await sign_as(tab, "nurse-1")
        await tab.click("text=Sign and enter")
        assert "the first number is the higher one" in await text_of(tab, "#wrong-pressure")
        assert "where the temperature was taken" in await text_of(tab, "#wrong-site")
        assert query(ward, "SELECT 1 FROM audit WHERE kind = 'context'") == []
        await tab.fill("#pressure", "85/50")
        await tab.select_option("#site", "oral")
        await tab.select_option("#oxygen", "nasal_cannula_low")
        await tab.fill("#flow", "2,5 L")
        await tab.fill("#ice", "9")
        await sign_as(tab, "nurse-1")
        await tab.click("text=Sign and enter")
        said = await text_of(tab)
        assert "temperature by hand 38.4 °C (101.1 °F), oral" in said and "Signed by nurse-1" in said
        assert "blood pressure 85/50 mmHg" in said and "oxygen flow 2.5 L/min" in said
        ((entry,),) = query(ward, "SELECT entry FROM audit WHERE kind = 'context'")
        for part in (b'"systolic_mmhg":85', b'"temperature_cc":3840', b'"flow_lpm":"2.5"', b'"ice":9'):
            assert part in entry
        # the passphrase was typed once: the next entry needs none
        await tab.click("text=Back to the first page")
        await tab.click("text=Enter what was seen or measured")
        assert "You sign as nurse-1" in await text_of(tab)
        await tab.fill("#ice", "8")
        await tab.keyboard.press("Enter")
        await tab.wait_for_selector("text=Entered")
        await tab.click("text=Back to the first page")
        await tab.click("text=Sign nurse-1 out")
        await tab.click("text=Enter what was seen or measured")
        assert await tab.query_selector("#passphrase") is not None


async def test_a_caregiver_may_not_enter_what_only_a_nurse_may(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await start_patient(ward)
        await tab.goto(address)
        await tab.click("text=Enter what was seen or measured")
        await tab.fill("#ice", "10")
        await sign_as(tab, "caregiver-1")
        await tab.click("text=Sign and enter")
        assert "only a nurse or a clinician may enter it" in await text_of(tab, "#wrong")
        assert query(ward, "SELECT 1 FROM audit WHERE kind = 'context'") == []


async def test_everything_is_reached_by_keyboard_alone(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await in_alarm(ward)
        await tab.goto(address)
        await tab.wait_for_selector(accept_link(ward))

        wanted_link = accept_link(ward)[1:]

        async def tab_to(wanted):
            for _ in range(60):
                await tab.keyboard.press("Tab")
                focused = await tab.evaluate(
                    "() => document.activeElement.id || document.activeElement.innerText"
                )
                if focused and re.fullmatch(wanted, focused):
                    return
            raise AssertionError(f"{wanted} is not reached")

        await tab_to(wanted_link)
        await asyncio.sleep(2.5)  # two beats: the focus stays where it was
        assert await tab.evaluate("() => document.activeElement.id") == wanted_link
        await tab.keyboard.press("Enter")
        await tab.wait_for_selector("#account")
        await tab_to("account")
        await tab.keyboard.type("nurse-1")
        await tab_to("passphrase")
        await tab.keyboard.type(WORDS)
        await tab.keyboard.press("Enter")
        await tab.wait_for_selector("text=/accepted by nurse-1/")


async def test_no_rule_of_accessibility_is_broken_on_any_page(ward):
    from axe_playwright_python.async_playwright import Axe

    async with paged_agent(ward) as (_, address), browser(bypass_csp=True) as tab:
        await tab.goto(address)
        found = {"nothing": (await Axe().run(tab)).response["violations"]}
        await in_alarm(ward)
        await ward.device.say(live(ward.device.now_ms + 1000))
        await tab.wait_for_selector(".alarm.high")
        found["alarm"] = (await Axe().run(tab)).response["violations"]
        for link in (
            accept_link(ward),
            "text=Hold back reminders",
            "text=Enter what was seen or measured",
            "text=/^Course$/",
        ):
            await tab.click(link)
            found[link] = (await Axe().run(tab)).response["violations"]
            await tab.goto(address)
        assert {page: [one["id"] for one in broken] for page, broken in found.items() if broken} == {}


async def test_the_course_is_drawn_and_told_in_words(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await in_alarm(ward)
        await tab.goto(address)
        await tab.click("text=/^Course$/")
        await tab.wait_for_selector("canvas")
        said = await text_of(tab)
        assert "37.0 °C" in said and "HIGH hypoxaemia" in said
        for span in ("24 hours", "everything"):
            await tab.click(f"text={span}")
            await tab.wait_for_selector("canvas")


async def test_the_page_for_the_emergency_department_is_handed_out(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await in_alarm(ward)
        await tab.goto(address)
        async with tab.expect_download() as waiting:
            await tab.click("text=One page for the emergency department")
        found = await waiting.value
        assert re.fullmatch(r"cytowatch-\d{4}-\d\d-\d\d-\d{4}\.pdf", found.suggested_filename)
        assert (await asyncio.to_thread(open, await found.path(), "rb")).read(5) == b"%PDF-"


async def test_a_browser_without_server_sent_events_asks_instead(ward):
    async with paged_agent(ward) as (_, address), browser() as tab:
        await tab.add_init_script("delete window.EventSource")
        await tab.goto(address)
        await in_alarm(ward)
        await tab.wait_for_selector(".alarm.high", timeout=8000)


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "dead"])
async def test_an_agent_that_froze_or_died_turns_the_page_grey_and_it_comes_back(ward, end):
    port = free_port()
    (ward.home / "config.toml").write_text(f"{ward.config_text}[page]\nport = {port}\n")
    environment = {**os.environ, "CYTOWATCH_HOME": str(ward.home)}

    def start():
        command = [COMMAND, "run", "--port", ward.port.path]
        return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)

    agent = start()
    try:
        async with browser() as tab:
            await ward.until(lambda: (ward.home / "page.key").exists())
            address = f"http://127.0.0.1:{port}/?key={page_key(ward.home)}"
            await ward.until(lambda: _opened(tab, address))
            assert await tab.is_hidden("#not-live")
            title = await tab.title()
            await tab.evaluate("() => { const real = Date.now; Date.now = () => real() - 3600_000; }")
            agent.send_signal(end)
            await tab.wait_for_selector("#not-live:visible", timeout=5500)
            assert re.match(r"Not live since \d\d:\d\d", await text_of(tab, "#not-live"))
            assert await tab.evaluate("() => document.body.classList.contains('grey')")
            if end == signal.SIGKILL:
                agent.wait()
                agent = start()
            else:
                agent.send_signal(signal.SIGCONT)
            await tab.wait_for_selector("#not-live", state="hidden", timeout=20_000)
            assert await tab.title() == title
    finally:
        agent.kill()
        agent.wait()


async def _opened(tab, address):
    try:
        return await tab.goto(address)
    except Exception:
        return None
