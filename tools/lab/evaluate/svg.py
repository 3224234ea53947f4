"""A few shapes of SVG and a frame with axes, so that the plots need no plotting library."""

from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 960
INK = "#222222"
FAINT = "#d0d0d0"
BLUE = "#1f6fb2"
ORANGE = "#d9822b"
RED = "#b3261e"
GREY = "#7a7a7a"


class Drawing:
    """Shapes in the order in which they are added; `document()` is the complete file."""

    def __init__(self, height: int, title: str) -> None:
        self.height = height
        self._parts: list[str] = []
        self.text(20, 28, title, size=17)
        self.text(WIDTH - 20, 28, "SIMULATED", size=13, anchor="end", colour=RED)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str = INK, width: float = 1, dash: str = ""
    ) -> None:
        style = f'stroke="{colour}" stroke-width="{width}"' + (f' stroke-dasharray="{dash}"' if dash else "")
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>')

    def path(self, points: Iterable[tuple[float, float]], colour: str, width: float = 1.3) -> None:
        """An open line through points."""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        style = f'fill="none" stroke="{colour}" stroke-width="{width}"'
        self._parts.append(f'<polyline points="{joined}" {style}/>')

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle."""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.8):.1f}" height="{height:.1f}" fill="{colour}"/>'
        )

    def dot(self, x: float, y: float, colour: str, radius: float = 3.5, *, filled: bool = True) -> None:
        """A circle, filled or open."""
        fill = colour if filled else "#ffffff"
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{colour}" stroke-width="1.3"/>'
        )

    def text(
        self, x: float, y: float, words: str, *, size: int = 12, anchor: str = "start", colour: str = INK
    ) -> None:
        style = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>')

    def document(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.height}" '
            f'viewBox="0 0 {WIDTH} {self.height}" font-family="DejaVu Sans, Arial, sans-serif">'
        )
        ground = f'<rect width="{WIDTH}" height="{self.height}" fill="#ffffff"/>'
        return "\n".join([head, ground, *self._parts, "</svg>"]) + "\n"


class Frame:
    """A box with a linear scale on each axis; draws its grid and labels when made."""

    def __init__(
        self,
        drawing: Drawing,
        box: tuple[float, float, float, float],
        x: tuple[float, float],
        y: tuple[float, float],
    ) -> None:
        self.drawing = drawing
        self.left, self.top, self.right, self.bottom = box
        self._x, self._y = x, y

    def at_x(self, number: float) -> float:
        """Position of a number on the x axis."""
        return self.left + (number - self._x[0]) / (self._x[1] - self._x[0]) * (self.right - self.left)

    def at_y(self, number: float) -> float:
        """Position of a number on the y axis."""
        return self.bottom - (number - self._y[0]) / (self._y[1] - self._y[0]) * (self.bottom - self.top)

    def ticks_x(self, numbers: Sequence[float], labels: Sequence[str]) -> None:
        """Grid lines and labels under the box."""
        for number, label in zip(numbers, labels, strict=True):
            self.drawing.line(self.at_x(number), self.top, self.at_x(number), self.bottom, FAINT)
            self.drawing.text(self.at_x(number), self.bottom + 16, label, size=11, anchor="middle")

    def ticks_y(self, numbers: Sequence[float], labels: Sequence[str]) -> None:
        """Grid lines and labels left of the box."""
        for number, label in zip(numbers, labels, strict=True):
            self.drawing.line(self.left, self.at_y(number), self.right, self.at_y(number), FAINT)
            self.drawing.text(self.left - 6, self.at_y(number) + 4, label, size=11, anchor="end")
