"""Wrong passphrases are answered ever more slowly; who is signed in is so for some minutes, at one browser."""

import pytest

from host_agent.people.account_key import AccountKeyError
from host_agent.web.signing_in import SigningIn, TooManyTries
from tests.fakes.fake_clock import FakeClock
from tests.host.cli.people_cli import WORDS


@pytest.fixture
def door(people):
    clock = FakeClock()
    return SigningIn(people / "accounts", clock, 600.0), clock


async def test_ten_wrong_passphrases_cost_ever_more_time_and_only_their_account(door):
    signing_in, clock = door
    waited = []
    for _ in range(10):
        while True:
            try:
                await signing_in.sign_in("nurse-1", "wrong")
            except TooManyTries:
                await clock.advance(1.0)
                waited.append(1.0)
            except AccountKeyError:
                break
    assert 1000 < sum(waited) < 3000
    with pytest.raises(TooManyTries, match="Wait"):
        await signing_in.sign_in("nurse-1", WORDS)
    assert await signing_in.sign_in("clinician-1", WORDS)
    await clock.advance(901.0)
    assert await signing_in.sign_in("nurse-1", WORDS)
    with pytest.raises(AccountKeyError):  # the count begins anew
        await signing_in.sign_in("nurse-1", "wrong")


async def test_it_ends_after_its_time_and_at_another_browser_it_never_was(door):
    signing_in, clock = door
    browser = await signing_in.sign_in("nurse-1", WORDS)
    assert signing_in.who(browser).signer.name == "nurse-1"
    assert signing_in.who(None) is signing_in.who("") is signing_in.who("another") is None
    await clock.advance(599.0)
    assert signing_in.who(browser) is not None
    await clock.advance(1.0)
    assert signing_in.who(browser) is None
    again = await signing_in.sign_in("nurse-1", WORDS)
    signing_in.out(again)
    assert signing_in.who(again) is None


@pytest.mark.parametrize("name", ["nobody", "../keys/x", "", "NURSE-1", "a" * 99, "\x00"])
async def test_a_name_without_an_account_is_refused(door, name):
    with pytest.raises(AccountKeyError):
        await door[0].sign_in(name, WORDS)
