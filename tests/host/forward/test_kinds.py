"""A kind of receiver is one file and one line: a toy kind in a copy of the tree is found everywhere."""

import json
import re

import pytest

from host_agent.config.example import example
from host_agent.config.model import Config, parse_config
from host_agent.forward.registry import receiver_kinds

FILE, REGISTRY = "host_agent/forward/kinds/bell.py", "host_agent/forward/registry.py"
START = '_LINES = ("webhook", '
LINE = (START, f'{START}"bell", ')
BELL = '''
"""A bell at the desk: each event is a line of a file."""

from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import Field, SecretStr

from host_agent.errors import ConfigError
from host_agent.forward.delivery import Delivered, Delivery
from host_agent.forward.receiver import Receiver


class BellReceiver(Receiver):
    """A bell that rings by writing to a file."""

    example = {"name": "desk", "path": "/var/bell", "pin": "4711", "key_file": "/etc/bell.key"}
    secrets = ("key",)
    path: str = Field(description="File that the bell watches.")
    pin: SecretStr = Field(description="Number that opens the bell.")
    key_file: str | None = Field(default=None, description="File with the key of the bell.")
    key_env: str | None = Field(default=None, description="Variable with the key of the bell.")

    def problems(self) -> Iterator[ConfigError]:
        yield from super().problems()
        if not Path(self.path).parent.is_dir():
            yield ConfigError(f"bell {self.name}: there is no folder {Path(self.path).parent}.", "Make it.")

    def forwarder(self, utc_ms: Callable[[], int]) -> "Bell":
        return Bell(self, self.read_secret("key"))


class Bell:
    def __init__(self, receiver, key):
        self.name, self.accept_simulated = receiver.name, receiver.accept_simulated
        self.path, self.key = Path(receiver.path), key

    async def send(self, delivery: Delivery):
        self.path.write_bytes(delivery.body)
        return Delivered("rang")

    async def close(self):
        pass
'''
DELIVER = """
import asyncio, sys
from host_agent.agent import Agent
from host_agent.config.model import load_config
from host_agent.forward.delivery import Delivery
from host_agent.paths import default_paths

async def main():
    paths = default_paths()
    agent = Agent(paths, load_config(paths.config))
    (worker,) = agent.workers
    worker.offer(3, Delivery("key-1", b"fever"))
    task = asyncio.create_task(worker.run())
    while not worker.counters.delivered:
        await asyncio.sleep(0.01)
    task.cancel()
    agent.store.close()

asyncio.run(main())
"""


@pytest.fixture
def bell(tree):
    """A tree with the toy kind in it, and one receiver of it configured."""
    tree.write(FILE, BELL)
    tree.replace(REGISTRY, *LINE)
    tree.home.mkdir()
    (tree.home / "config.toml").write_text(
        f'[[bell]]\nname = "desk"\npath = "{tree.home}/rung"\npin = "4711"\nkey_env = "BELL_KEY"\n'
    )
    return tree


def test_a_kind_is_found_wherever_receivers_are(bell):
    config = str(bell.home / "config.toml")
    key = {"BELL_KEY": "secret-of-the-bell"}
    switched_on = re.sub(r"(?m)^#(?=[\w\[])", "", bell.cytowatch("config", "--example").stdout)
    assert "# A bell that rings by writing to a file.\n[[bell]]\n" in switched_on
    assert '# File that the bell watches. Takes text in quotes.\npath = "/var/bell"\n' in switched_on
    (bell.home / "all.toml").write_text(switched_on)
    refused = bell.cytowatch("config", "--check", str(bell.home / "all.toml"))
    assert refused.returncode == 2 and "/etc/cytowatch/ward.secret cannot be read" in refused.stderr
    assert bell.cytowatch("config", "--check", config, **key).stdout == f"{config}: every key is valid.\n"
    page = bell.page("host_agent/CONFIGURATION.md")
    assert "| `bell.path` | text in quotes | `mandatory` | File that the bell watches. |" in page
    assert (
        "receiver desk: bell desk: environment variable BELL_KEY is not set"
        in bell.cytowatch("doctor").stdout
    )
    assert "receiver" not in bell.cytowatch("doctor", **key).stdout
    done = bell.run("-c", DELIVER, **key)
    assert done.returncode == 0, done.stderr
    assert (bell.home / "rung").read_bytes() == b"fever"


def test_a_kind_tells_doctor_what_is_wrong_and_nothing_shows_its_secrets(bell):
    config = bell.home / "config.toml"
    shown = bell.cytowatch("config", BELL_KEY="secret-of-the-bell")
    table = json.loads(shown.stdout.split("\n", 1)[1])["bell"][0]
    assert (table["key_env"], table["pin"]) == ("BELL_KEY", "**********")
    config.write_text(config.read_text().replace("/rung", "/none/rung").replace('"4711"', "4711"))
    refused = bell.cytowatch("config", "--check", str(config), BELL_KEY="short-key")
    assert "bell[0].pin (line 4): expected text in quotes\n" in refused.stderr
    config.write_text(config.read_text().replace("= 4711", '= "4711"'))
    doctor = bell.cytowatch("doctor", BELL_KEY="short-key").stdout
    assert "the secret in environment variable BELL_KEY has fewer than 16 characters" in doctor
    assert "bell desk: there is no folder" in doctor
    for text in (shown.stdout, refused.stderr, doctor):
        assert "4711" not in text and "secret-of-the-bell" not in text and "short-key" not in text


INCOMPLETE = (
    BELL.replace("def forwarder", "def _forwarder")
    .replace('description="Number that opens the bell."', "")
    .replace('"pin": "4711", ', "")
    .replace("    key_env", "    no_env")
    .replace('    """A bell that rings by writing to a file."""\n', "")
)
MISSING = (
    "is not complete: it has no method forwarder, the key pin has no description, the key pin has no example,"
    " the secret key has no key key_env, its model has no docstring.\n"
    "  Complete host_agent/forward/kinds/bell.py."
)


@pytest.mark.parametrize(
    "text, line, expected",
    [
        (BELL, None, "has a file in host_agent/forward/kinds and no line in the registry.\n  Add"),
        (None, LINE, "has a line in the registry and no file.\n  Add host_agent/forward/kinds/bell.py."),
        ("", LINE, "needs one subclass of Receiver in its file and has 0."),
        (INCOMPLETE, LINE, MISSING),
        ("import toys", LINE, "cannot be loaded: ModuleNotFoundError: No module named 'toys'."),
        ("bell = (", LINE, "cannot be loaded: SyntaxError: '(' was never closed (bell.py, line 1)."),
        (BELL, (START, f'{START}"bell", "bell", '), "has two lines in the registry."),
        (
            BELL.replace('secrets = ("key",)', 'secrets = "key"'),
            LINE,
            "is not complete: its secrets are no tuple",
        ),
        (
            BELL.replace('"pin": "4711"', '"pin": 4711'),
            LINE,
            "is not complete: its example is refused at pin.",
        ),
        (
            BELL.replace('"pin": "4711"', '"pin": "4711", "pn": 1'),
            LINE,
            "is not complete: its example is refused at pn.",
        ),
    ],
    ids=[
        "no line",
        "no file",
        "no model",
        "incomplete",
        "no import",
        "syntax",
        "twice",
        "secrets",
        "type",
        "key",
    ],
)
def test_a_kind_of_which_a_part_is_missing_stops_the_start_with_its_name(tree, text, line, expected):
    if text is not None:
        tree.write(FILE, text)
    if line:
        tree.replace(REGISTRY, *line)
    done = tree.cytowatch("doctor")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith(f"error: The receiver kind bell {expected}")


def test_a_kind_named_like_a_table_of_the_configuration_stops_the_start(tree):
    tree.write("host_agent/forward/kinds/store.py", BELL)
    tree.replace(REGISTRY, START, f'{START}"store", ')
    done = tree.cytowatch("doctor")
    assert done.returncode == 1 and done.stderr.startswith(
        "error: The receiver kind store has the name of a table"
    )


def test_a_kind_whose_forwarder_cannot_be_closed_stops_the_start_of_the_agent(bell):
    bell.write(FILE, BELL.replace("async def close", "async def shut"))
    done = bell.cytowatch("run", BELL_KEY="secret-of-the-bell")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "The receiver kind bell has a forwarder without close." in done.stderr


@pytest.mark.parametrize("kind", receiver_kinds())
def test_every_kind_has_an_example_that_the_configuration_takes(kind):
    config = parse_config(re.sub(r"(?m)^#(?=[\w\[])", "", example()))
    (receiver,) = getattr(config, kind)
    assert receiver in config.receivers and receiver.kind == kind
    assert receiver.name == receiver.example["name"] and receiver.accept_simulated is False
    assert getattr(Config(), kind) == ()
