"""What may reach a screen or a log: text from wearables, files and servers may hold codes that move a cursor or lie.

A terminal obeys control codes: they clear lines, colour text and rename windows; codes for right-to-left writing show
letters in another order than they have. Each such character is written as `\\u001b`, which JSON reads as the same text.
"""

import codecs
import re
import unicodedata

LINE_BREAKS = "\n\t"
# Cc: control; Cf: invisible and reordering; Cs: half of a pair, from bytes that are no text; Zl, Zp: other line breaks
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_PLAIN = {
    "°": "deg ", "–": "-", "—": "-", "…": "...", "×": "x", "±": "+/-", "≥": ">=", "≤": "<=", "→": "->", "·": "-",
    "µ": "u", "“": '"', "”": '"', "‘": "'", "’": "'", "†": "+", "₂": "2", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss",
    "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
ERRORS = "cytowatch-plain"
_SUSPECT_LINE, _SUSPECT_TEXT = re.compile(r"[^ -~]"), re.compile(r"[^ -~\n\t]")


def printable(text: str, keep: str = "") -> str:
    """`text` with hidden characters as `\\uXXXX`, but for those in `keep`. Without `keep` one line stays one line."""
    if not (_SUSPECT_TEXT if keep == LINE_BREAKS else _SUSPECT_LINE).search(text):
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _HIDDEN
        else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04x}"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """A codec's way out for what a terminal's encoding lacks: a plain sign in its place, else its number."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(one, _escaped(one)) for one in lacking), error.end


codecs.register_error(ERRORS, _plain)
