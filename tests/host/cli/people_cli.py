"""The command as four people type it: who they are, and how one of them runs it."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).parent / "cytowatch")
WORDS = "a long passphrase"
PEOPLE = {
    "clinician-1": "clinician",
    "clinician-2": "clinician",
    "nurse-1": "nurse",
    "caregiver-1": "caregiver",
}


def run(home: Path, *arguments: str, by: str | None = None, **env: str) -> subprocess.CompletedProcess:
    """`by` is the account that signs; its passphrase comes from the environment."""
    people = {"CYTOWATCH_PASSPHRASE": WORDS, "CYTOWATCH_NEW_PASSPHRASE": WORDS}
    if by:
        people["CYTOWATCH_ACCOUNT"] = by
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
        env={**os.environ, "CYTOWATCH_HOME": str(home), "COLUMNS": "100", "TZ": "UTC", **people, **env},
    )  # fmt: skip
