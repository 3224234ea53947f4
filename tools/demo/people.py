"""The people of a demonstration: a caregiver who does not answer, and a nurse who is called second and accepts.

Both have a receiver of their own beside that of the ward, which gets every event at once. The nurse types the real
command. What came of it is read from the receivers, from the buzzer of the wearable, and from the agent's history.
"""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.rig.laptop import Laptop
from tools.rig.waiting import now_s, utc_s
from tools.rig.wearable import Wearable
from tools.rig.webhook_receiver import Receiver

WARD, CAREGIVER, NURSE = "ward", "caregiver-1", "nurse-1"
CALLED_AFTER_S = 60  # of the agent's time: that long nobody accepts, then the nurse is called
_ANSWERS_AFTER_S = 20
_SOMEBODY_KNOWS_HZ = [600, 900]
_PASSPHRASE = "a passphrase of the demonstration"  # noqa: S105 nobody is behind these accounts
_CONTACTS = f"""
[[contact]]
name = "{CAREGIVER}"
role = "caregiver"
channels = ["{CAREGIVER}"]

[[contact]]
name = "{NURSE}"
role = "nurse"
channels = ["{NURSE}"]

[[step]]
contacts = ["{CAREGIVER}"]

[[step]]
after_s = {CALLED_AFTER_S}
contacts = ["{NURSE}"]
least = "HIGH"
"""


class People:
    """Receivers on loopback, and the nurse. `speed` is how fast the agent's clock runs; `say` prints one line."""

    def __init__(self, folder: Path, speed: float, say: Callable[[str], None]) -> None:
        secret, file = secrets.token_hex(16), folder.resolve() / "secret"
        file.write_text(secret + "\n")
        file.chmod(0o600)
        self._speed, self._say = speed, say
        self._arrived: list[tuple[str, dict[str, Any]]] = []
        self._calls: dict[
            str, float
        ] = {}  # key of an episode that the nurse was called about, and when she answers
        self._listens_from: int | None = None  # number of the output after which the pattern is looked for
        self.receivers = {
            name: Receiver(secret.encode(), on_event=self._takes(name), now_s=utc_s)
            for name in (WARD, CAREGIVER, NURSE)
        }
        self.config = _CONTACTS + "".join(
            f'[[webhook]]\nname = "{name}"\nurl = "{one.url}"\nsecret_file = "{file}"\naccept_simulated = true\n'
            for name, one in self.receivers.items()
        )

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that the ward took; reminders, acceptances and ends are messages about one of them."""
        return [event for key, event in self.receivers[WARD].events.items() if event["key"] == key]

    def quiet(self) -> bool:
        """For a conductor: whether no message is on its way."""
        return all([one.quiet() for one in self.receivers.values()])

    def close(self) -> None:
        """Stop the receivers."""
        for one in self.receivers.values():
            one.close()

    @staticmethod
    def sign_in(laptop: Laptop) -> None:
        """Accounts for the nurse, and for the clinician who signs for this account."""
        _typed(laptop, "account", "add", "clinician-1", "--role", "clinician")
        _typed(laptop, "account", "add", NURSE, "--role", "nurse", "--by", "clinician-1")

    def look(self, laptop: Laptop, wearable: Wearable) -> None:
        """Show what arrived since the last look; the nurse answers when it is time, and the wearable is listened to."""
        self._show_arrived()
        for episode in [one for one, at_s in self._calls.items() if now_s() >= at_s]:
            del self._calls[episode]
            self._answer(laptop, wearable, episode)
        if self._listens_from is not None:
            self._listen(wearable)

    def outcome(self, laptop: Laptop) -> str:
        """Who accepted what, in one line."""
        self._show_arrived()
        said = laptop.cytowatch("history", "--kind", "acceptances", "--json", check=False).stdout
        rows = json.loads(said)["rows"]
        if rows:
            told = [name for name, one in self.receivers.items() if _knows(one)]
            done = dict.fromkeys(f"{one['name']} by {one['who']}" for one in rows)
            return f"accepted: {', '.join(done)}; {_together(told)} know who accepted"
        if not any(event["priority"] == "HIGH" for event in self.receivers[WARD].events.values()):
            return "accepted: none, because no HIGH alarm occurred"
        return f"accepted: none, because no HIGH alarm lasted until {NURSE} was called and answered"

    def _takes(self, name: str) -> Callable[[dict[str, Any]], None]:
        return lambda event: self._arrived.append((name, event))

    def _show_arrived(self) -> None:
        """Each text once, with those who got it."""
        arrived, self._arrived = self._arrived, []
        names: dict[str, list[str]] = {}
        for name, event in arrived:
            names.setdefault(event["text"], []).append(name)
            if name == NURSE and event["stage"] in ("raised", "reminder"):
                self._calls.setdefault(event["episode"], now_s() + _ANSWERS_AFTER_S / self._speed)
                if event["stage"] == "raised":
                    self._say(
                        f"  people   {CAREGIVER} does not answer: {NURSE} is called after {CALLED_AFTER_S} s"
                    )
        for text, got in names.items():
            self._say(f"  webhook  to {_together([name for name in self.receivers if name in got])}: {text}")

    def _answer(self, laptop: Laptop, wearable: Wearable, episode: str) -> None:
        standing = laptop.ask("alarm", "list")["alarms"]
        number = next((one["number"] for one in standing if one["key"] == episode), None)
        if number is None:
            self._say(f"  people   {NURSE} comes, and the alarm has ended")
            return
        log = wearable.control("outputs")["log"]
        self._listens_from = int(log[-1]["n"]) if log else 0
        _typed(laptop, "alarm", "accept", str(number), "--note", "on my way", "--account", NURSE)
        self._say(f'  people   {NURSE} types: cytowatch alarm accept {number} --note "on my way"')

    def _listen(self, wearable: Wearable) -> None:
        log = wearable.control("outputs", since=self._listens_from)["log"]
        heard = [one["value"] for one in log if one["what"] == "buzzer"]
        if _SOMEBODY_KNOWS_HZ in (heard[at : at + 2] for at in range(len(heard))):
            notes = " Hz, then ".join(map(str, _SOMEBODY_KNOWS_HZ))
            self._say(f'  wearable plays "somebody knows": {notes} Hz')
            self._listens_from = None


def _typed(laptop: Laptop, *words: str) -> None:
    laptop.cytowatch(*words, CYTOWATCH_PASSPHRASE=_PASSPHRASE, CYTOWATCH_NEW_PASSPHRASE=_PASSPHRASE)


def _knows(receiver: Receiver) -> bool:
    return any(event["stage"] == "accepted" for event in receiver.events.values())


def _together(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:]) or "nobody"
