"""Who signs at this browser: an account whose passphrase was typed here, for some minutes.

The passphrase and the private key stay in this process and in no file or log. Wrong passphrases are answered ever more
slowly, for each account, so that trying them out at the bedside is no way in.
"""

import asyncio
import secrets
from pathlib import Path
from typing import NamedTuple

from host_agent.clock import Clock
from host_agent.errors import HostAgentError
from host_agent.people import account_key
from host_agent.people.account_key import AccountKeyError, Signer
from host_agent.text import span_text

_FREE_TRIES = 3
_FIRST_PAUSE_S = 10.0
_LONGEST_PAUSE_S = 900.0
_BROWSERS_MAX = 64


class TooManyTries(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """Wrong passphrases of this account; another one counts only after a pause."""

    code = "too_many_tries"


class SignedIn(NamedTuple):
    """`until_s` on the clock that nobody can set."""

    signer: Signer
    until_s: float


class SigningIn:
    """One for each page; `clock` is real."""

    def __init__(self, accounts: Path, clock: Clock, lasts_s: float) -> None:
        self._accounts = accounts
        self._clock = clock
        self._lasts_s = lasts_s
        self._browsers: dict[str, SignedIn] = {}
        self._wrong: dict[
            str, tuple[int, float]
        ] = {}  # account -> wrong tries in a row, and until when to wait
        self._one_at_a_time = asyncio.Lock()  # stretching a passphrase takes 64 MB

    def names(self) -> list[str]:
        """Accounts that can sign on this laptop."""
        return account_key.names(self._accounts)

    def who(self, browser: str | None) -> SignedIn | None:
        """Who is signed in at this browser now."""
        found = self._browsers.get(browser or "")
        if found is not None and self._clock.monotonic() >= found.until_s:
            self.out(browser)
            return None
        return found

    def left_s(self, found: SignedIn) -> float:
        """How long this still holds."""
        return max(0.0, found.until_s - self._clock.monotonic())

    def out(self, browser: str | None) -> None:
        """Nobody is signed in at this browser any more."""
        self._browsers.pop(browser or "", None)

    async def sign_in(self, name: str, passphrase: str) -> str:
        """What the browser keeps in its cookie. TooManyTries, or AccountKeyError for a wrong passphrase."""
        async with self._one_at_a_time:
            wrong, wait_until_s = self._wrong.get(name, (0, 0.0))
            left_s = wait_until_s - self._clock.monotonic()
            if left_s > 0:
                raise TooManyTries(
                    f"{wrong} wrong passphrases of {name}. Wait {span_text(left_s + 1)}, then type it again.",
                    "The alarm still stands. Another account can sign meanwhile.",
                )
            account_key.check_there(self._accounts, name)
            try:
                signer = await asyncio.to_thread(account_key.unseal, self._accounts, name, passphrase)
            except AccountKeyError:
                self._count_wrong(name, wrong + 1)
                raise
            self._wrong.pop(name, None)
        browser = secrets.token_urlsafe(24)
        while len(self._browsers) >= _BROWSERS_MAX:
            del self._browsers[next(iter(self._browsers))]
        self._browsers[browser] = SignedIn(signer, self._clock.monotonic() + self._lasts_s)
        return browser

    def _count_wrong(self, name: str, number: int) -> None:
        pause_s = 0.0
        if number >= _FREE_TRIES:
            pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (number - _FREE_TRIES))
        self._wrong[name] = (number, self._clock.monotonic() + pause_s)
