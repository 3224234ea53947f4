"""One A4 page with embedded fonts. Every text is drawn letter by letter as it stands: nothing in it is markup.

The same calls give the same bytes. Lengths are points, 1/72 inch, from the lower left corner.
"""

import io
from threading import Lock
from typing import Any, NamedTuple

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from host_agent.printable import printable

Colour = tuple[float, float, float]
WIDTH, HEIGHT = A4
MARGIN = 34.0
RIGHT = WIDTH - MARGIN
BLACK, GREY, LIGHT, RED, BLUE = (
    (0, 0, 0),
    (0.35, 0.35, 0.35),
    (0.8, 0.8, 0.8),
    (0.72, 0.05, 0.05),
    (0.05, 0.25, 0.6),
)
_PLAIN_SIGNS = {"→": "->", "₂": "2", "\t": " ", "\n": " "}
_LACKING = "?"
_NARROWEST = 0.2  # of the size of a font: no sign that is drawn is narrower
_FONTS_READY = Lock()


class Area(NamedTuple):
    """A rectangle by its lower left corner."""

    x: float
    y: float
    width: float
    height: float


class Style(NamedTuple):
    """A font, its size and a colour."""

    font: str = "Vera"
    size: float = 8.0
    colour: Colour = BLACK

    @property
    def leading(self) -> float:
        """From one line to the next."""
        return self.size * 1.25


PLAIN, SMALL = Style(), Style(size=6.5, colour=GREY)
BOLD = Style("VeraBd")


class Sheet:
    """`lacking`: how many signs this page's font does not have; each stands as a question mark."""

    def __init__(self, title: str) -> None:
        _register()
        self._file = io.BytesIO()
        self.canvas: Any = Canvas(self._file, pagesize=A4, invariant=1, lang="en")
        self.canvas.setTitle(printable(title))
        self.canvas.setAuthor("CytoWatch")
        self.lacking = 0

    def clean(self, text: str) -> str:
        """`text` with what this page can draw; `lacking` grows by what it cannot."""
        known = _font("Vera").face.charToGlyph
        drawn = []
        for sign in printable("".join(_PLAIN_SIGNS.get(one, one) for one in text)):
            is_known = ord(sign) in known
            self.lacking += not is_known
            drawn.append(sign if is_known else _LACKING)
        return "".join(drawn)

    def wrap(self, text: str, style: Style, width: float, most: int = 3, indent: float = 0.0) -> list[str]:
        """At most `most` lines, each at most `width` wide, the later ones narrower by `indent`; a word that is wider
        is cut into pieces, and what is left out shows as an ellipsis."""
        text = text[
            : int(most * width / (style.size * _NARROWEST)) + 1
        ]  # no more can be shown, however narrow
        lines: list[str] = []
        line = ""
        for word in self._pieces(self.clean(text).split(" "), style, width - indent):
            room = width - (indent if lines else 0.0)
            if line and self.wide(f"{line} {word}", style) > room:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
        if len(lines) > most:
            last = lines[most - 1]
            while last and self.wide(f"{last} …", style) > width - indent:
                last = last[:-1]
            lines = [*lines[: most - 1], f"{last} …"]
        return lines

    def _pieces(self, words: list[str], style: Style, width: float) -> list[str]:
        pieces = []
        for word in words:
            piece = word
            while self.wide(piece, style) > width:
                cut = len(piece)
                while cut > 1 and self.wide(piece[:cut], style) > width:
                    cut = max(1, min(cut - 1, int(cut * width / self.wide(piece[:cut], style))))
                pieces.append(piece[:cut])
                piece = piece[cut:]
            if piece:
                pieces.append(piece)
        return pieces

    def wide(self, text: str, style: Style) -> float:
        """How wide a clean text is."""
        return float(pdfmetrics.stringWidth(text, style.font, style.size))

    def text(self, x: float, y: float, text: str, style: Style = PLAIN) -> None:
        """One clean line that begins at x."""
        self.canvas.setFont(style.font, style.size)
        self.canvas.setFillColorRGB(*style.colour)
        self.canvas.drawString(x, y, text)

    def line(self, begin: tuple[float, float], end: tuple[float, float], colour: Colour = LIGHT) -> None:
        """A thin straight line."""
        self.canvas.setStrokeColorRGB(*colour)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(*begin, *end)

    def box(self, area: Area, colour: Colour) -> None:
        """A filled rectangle."""
        self.canvas.setFillColorRGB(*colour)
        self.canvas.rect(*area, stroke=0, fill=1)

    def pdf(self) -> bytes:
        """The page as a file."""
        self.canvas.showPage()
        self.canvas.save()
        return self._file.getvalue()


def _register() -> None:
    """Once for each process, also when two threads draw at once."""
    with _FONTS_READY:
        known = pdfmetrics.getRegisteredFontNames()
        for name in ("Vera", "VeraBd"):
            if name not in known:
                pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


def _font(name: str) -> Any:
    return pdfmetrics.getFont(name)
