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
# fillers, a Braille cell without dots, marks and variation selectors: letters, signs and marks that nobody sees
_DRAWN_AS_NOTHING = frozenset(
    chr(code)
    for first, last in (
        (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164),
        (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
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


def is_invisible(character: str) -> bool:
    """Whether a person sees nothing of this character where it stands: control and format characters, every blank,
    and letters, signs and marks that are drawn as nothing."""
    return unicodedata.category(character)[0] in "CZ" or character in _DRAWN_AS_NOTHING
