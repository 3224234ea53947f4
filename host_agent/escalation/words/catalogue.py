"""The words of one language, from its file: a flat table from key to text.

A pair in the file has two keys: `alarm.FEVER.patient.what` and `alarm.FEVER.patient.do`.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from host_agent.languages import FIRST, FOLDER

PLACEHOLDER = re.compile(r"\{(\w+)\}")
PAIR = ("what", "do")
Catalogue = Mapping[str, str]


@cache
def catalogue(language: str) -> Catalogue:
    """Every text of this language; one that its file lacks, or a language without a file, is in English."""
    first = read_catalogue(FOLDER / f"{FIRST}.toml")
    file = FOLDER / f"{language}.toml"
    return {**first, **read_catalogue(file)} if language != FIRST and file.exists() else first


def read_catalogue(file: Path) -> dict[str, str]:
    """The texts of one file, and no others."""
    return _flat(tomllib.loads(file.read_text(encoding="utf-8")), "")


def problems(found: Catalogue, first: Catalogue) -> list[str]:
    """What is wrong with a language beside the first one: keys too many or too few, other words in braces."""
    differ = [
        f"{key}: {_places(found[key])} instead of {_places(first[key])}"
        for key in first.keys() & found.keys()
        if _places(found[key]) != _places(first[key])
    ]
    return sorted(
        [f"{key} is missing" for key in first.keys() - found.keys()]
        + [f"{key} is unknown" for key in found.keys() - first.keys()]
        + differ
    )


def _places(text: str) -> list[str]:
    return sorted(set(PLACEHOLDER.findall(text)))


def _flat(table: Mapping[str, Any], before: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{key}.")
        elif isinstance(value, list):
            found |= {f"{before}{key}.{part}": text for part, text in zip(PAIR, value, strict=True)}
        else:
            found[before + key] = value
    return found
