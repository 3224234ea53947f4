"""Every configuration key stands in host_agent/README.md with what it takes, its default and its meaning, both ways."""

import re

from host_agent.config.example import key_rows
from tools.rig.micropython import ROOT

PAGE = (ROOT / "host_agent" / "README.md").read_text(encoding="utf-8")
TABLE = re.search(r"^## Configuration\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL).group(1)


def test_the_table_of_keys_is_that_of_the_program():
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \| `(.*?)` \| (.*?) \|$", TABLE, re.MULTILINE)
    assert rows == key_rows()


def test_environment_variables_are_named():
    assert "`CYTOWATCH_HOME`" in PAGE
