"""The keys that a person may enter, from the grader's vocabulary: what each takes, and which one a wrong key means."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from crs_core.grade import vocabulary

from host_agent.people.said import plain

# `death` is signed and countersigned, never entered.
_NOT_ENTERED = ("death",)
_UNITS = {
    "cc": "hundredths of a °C",
    "mmhg": "mmHg",
    "tenths": "tenths of a percent",
    "bpm": "beats per minute",
    "months": "months",
    "hours": "hours",
    "lpm": "litres per minute",
    "pct": "percent",
}
_EXAMPLES = {"temperature_cc": "3840", "spo2_tenths": "970"}
_UNSAID = "VALUE"
# The numbers that people say in another unit than the vocabulary: scale, lowest and highest value as it is said.
_AS_SAID = {"temperature_cc": (100, 25.0, 45.0), "spo2_tenths": (10, 50.0, 100.0)}


class ContextKey(NamedTuple):
    """One key: its words, or else its lowest and highest number (None: no limit) and their unit ("": none)."""

    key: str
    words: tuple[str, ...]
    lowest: int | None
    highest: int | None
    unit: str
    is_list: bool = False

    @property
    def takes(self) -> str:
        """What a person may type after `key=`."""
        if self.words:
            listed = ", ".join(self.words)
            return f"none, or several of: {listed}" if self.is_list else listed
        bounds = f"{self.lowest} or more" if self.highest is None else f"{self.lowest} to {self.highest}"
        example = f", for example {_EXAMPLES[self.key]}" if self.key in _EXAMPLES else ""
        return f"{bounds}{' ' + self.unit if self.unit else ''}{example}"


def context_keys() -> list[ContextKey]:
    """Every key that an entry may have, in alphabetical order."""
    return sorted(_keys())


def _keys() -> Iterator[ContextKey]:
    for key, words in vocabulary.WORDS.items():
        if key not in _NOT_ENTERED:
            yield ContextKey(key, tuple(_typed(word) for word in words), None, None, "")
    for key, (lowest, highest) in {**vocabulary.INTEGERS, **vocabulary.NUMBERS}.items():
        yield ContextKey(key, (), lowest, highest, _UNITS.get(key.rsplit("_", 1)[-1], ""))
    yield ContextKey("vasopressors", vocabulary.VASOPRESSORS, None, None, "", is_list=True)


def _typed(word: object) -> str:
    return str(word).lower() if isinstance(word, bool) else str(word)


def meant(key: str, text: str | None = None) -> str:
    """The known key that begins like `key` or is most like it, with the value: "temperature_cc=3840 site=oral".

    Of a known key whose value is a word, the word that is most like `text`. "" when nothing is like it. `text` None:
    the key alone.
    """
    known = [one.key for one in context_keys()]
    words = next((one.words for one in context_keys() if one.key == key), ())
    if words and text is not None:
        found = words_meant(words, text)
        return "" if found is None or found == text else f"{key}={found}"
    begun = [one for one in known if one.startswith(key) and len(key) > 1]
    near = begun or get_close_matches(key, known, 1)
    if key in (*known, *_NOT_ENTERED) or not near:
        return ""
    found = near[0]
    if text is None:
        return found
    site = " site=oral" if found == "temperature_cc" else ""
    return f"{found}={_value(found, text)}{site}"


def words_meant(words: tuple[str, ...], text: str) -> str | None:
    """The word that `text` is, or is most like: in any case, with `-` or a blank for `_`, and `yes` for `true`."""
    said = plain(text)
    said = {"yes": "true", "no": "false"}.get(said, said) if "true" in words else said
    if said in words:
        return said
    begun = [one for one in words if one.startswith(said) and len(said) > 2]
    near = begun[:1] if len(begun) == 1 else get_close_matches(said, words, 1)
    return near[0] if near else None


def _value(key: str, text: str) -> str:
    """The typed value in the vocabulary's unit (38.4 as 3840); a value that fits neither unit is not guessed."""
    if key not in _AS_SAID:
        return text or _UNSAID
    scale, lowest, highest = _AS_SAID[key]
    if not re.fullmatch(r"\d{1,4}(\.\d{1,2})?", text):
        return _UNSAID
    if lowest <= float(text) <= highest:
        return str(round(float(text) * scale))
    return text if lowest <= float(text) / scale <= highest and text.isdigit() else _UNSAID
