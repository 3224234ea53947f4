"""`key=value` texts of the command line as the values of an entry: words in any case, numbers in the known units."""

import re
from typing import Any

from host_agent.errors import ConfigError
from host_agent.people import context_values
from host_agent.people.context_keys import context_keys, meant, words_meant
from host_agent.people.said import plain


def parse_values(pairs: list[str]) -> dict[str, Any]:
    """`key=value` texts as an entry's values; ConfigError names the key that is wrong."""
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"{pair!r} is not KEY=VALUE.", "Write for example blood_pressure=hypotension.")
        key = key.strip().lower().replace("-", "_")
        if key in values:
            raise ConfigError(f"{key} is given twice.", "Give it once.")
        values[key] = _parse(key, _word(key, text))
    refuse_fault(values, [meant(*pair.split("=", 1)) for pair in pairs])
    return values


def _word(key: str, text: str) -> str:
    """A word of the vocabulary that was typed in another case; anything else as it is."""
    words = next((one.words for one in context_keys() if one.key == key and not one.is_list), ())
    found = words_meant(words, text)
    is_same = found is not None and (text.strip().lower() in ("yes", "no") or plain(text) == plain(found))
    return str(found) if is_same else text


def _parse(key: str, text: str) -> Any:
    if key == "vasopressors":
        return [] if text.lower() in ("", "none") else [plain(one) for one in text.split(",")]
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    if re.fullmatch(r"\d{1,9}\.\d{1,3}", text):
        return float(text)
    return text


def refuse_fault(values: dict[str, Any], suggestions: list[str]) -> None:
    """ConfigError for a key or value that an entry cannot have; `suggestions` says what was meant ("": not known)."""
    if fault := context_values.fault(values):
        meant_text = " ".join(text for text in suggestions if text)
        question = f"Did you mean {meant_text}? " if meant_text else ""
        raise ConfigError(fault, f"{question}All keys: `cytowatch context keys`.")
