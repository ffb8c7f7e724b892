"""Plots as SVG text: lines over time, cumulative distributions, heat maps. Pure: points in, markup out.

Every plot is drawn on the same sheet and scales with its page; colours are the classes c0, c1, ... of the page's style.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 270  # of the sheet; a phone shows it at three quarters of that, so letters are 15 high
LEFT, RIGHT, TOP, BOTTOM = 64, 28, 30, 34  # at the right there is room for half of the last tick
LEVELS = 8  # shades of a heat map: the eye tells no more apart
FEW = 200  # times: a scale that goes no further has room for ticks between the powers of ten
LETTER = 8.5  # width of a letter of the legend, about
SWATCH = 12  # width of a shade in the legend of a heat map

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from `low` to `high`, by ratio where `log`; `show` writes a value."""

    low: float
    high: float
    show: Callable[[float], str]
    log: bool = False

    def place(self, value: float) -> float:
        """From 0 to 1; what lies outside is at the end."""
        low, high, value = (math.log(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        return min(1.0, (value - low) / (high - low)) if high > low else 0.0

    def ticks(self) -> list[float]:
        """Round values inside: about five, or 1, 2, 5 of every power of ten (powers only where those are many)."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            digits = (1, 2, 5) if self.high / self.low < FEW else (1,)
            found = [digit * 10.0**power for power in powers for digit in digits]
        else:
            step = _round_step((self.high - self.low) / 5)
            found = [step * number for number in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [value for value in found if self.low <= value <= self.high * (1 + 1e-9)]


def lines(
    title: str, x: Axis, y: Axis, curves: Mapping[str, Sequence[Point]], shade: tuple[float, float] | None
) -> str:
    """Curves over one scale; `shade` marks a part of it."""
    parts = []
    for number, points in enumerate(curves.values()):
        places = " ".join(f"{_x(x, one):.1f},{_y(y, other):.1f}" for one, other in points)
        parts.append(f'<polyline class="line c{number}" points="{places}"/>')
    under = _shade(x, *shade) if shade else ""
    return _sheet(title, x, y, [*parts, *_legend(list(curves))], under)


def heat(
    title: str, x: Axis, y: Axis, cells: Iterable[tuple[Point, Point, float]], ends: tuple[str, str] = ("0", "1")
) -> str:
    """Rectangles of (left, right), (low, high) and a weight from 0 to 1; one path for each shade.

    `ends` are the words for no weight and all of it.
    """
    shades: dict[int, list[str]] = {}
    for (left, right), (low, high), weight in cells:
        x0, x1, y0, y1 = _x(x, left), _x(x, right), _y(y, high), _y(y, low)
        shade = min(LEVELS, max(1, math.ceil(weight * LEVELS)))
        path = f"M{x0:.1f} {y0:.1f}H{x1:.1f}V{y1:.1f}H{x0:.1f}z"
        shades.setdefault(shade, []).append(path)
    parts = [_filled(shade, "".join(paths)) for shade, paths in sorted(shades.items())]
    return _sheet(title, x, y, [*parts, *_scale(*ends)])


def _sheet(title: str, x: Axis, y: Axis, parts: Iterable[str], under: str = "") -> str:
    body = "".join([under, *_grid(x, y), *parts])
    label = escape(title, quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}"><title>{label}</title>{body}</svg>'


def _grid(x: Axis, y: Axis) -> Iterable[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in y.ticks():
        at = _y(y, value)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text class="tick" x="{LEFT - 6}" y="{at + 5:.1f}" text-anchor="end">{escape(y.show(value))}</text>'
    for value in x.ticks():
        at = _x(x, value)
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}"/>'
        yield f'<text class="tick" x="{at:.1f}" y="{bottom + 19}" text-anchor="middle">{escape(x.show(value))}</text>'


def _legend(names: Sequence[str]) -> Iterable[str]:
    at = float(LEFT)
    for number, name in enumerate(names):
        yield f'<line class="line c{number}" x1="{at:.0f}" x2="{at + 18:.0f}" y1="14" y2="14"/>'
        yield f'<text class="tick" x="{at + 23:.0f}" y="19">{escape(name)}</text>'
        at += 40 + LETTER * len(name)


def _scale(none: str, whole: str) -> Iterable[str]:
    """All shades in a row, from the one word to the other."""
    at = LEFT + LETTER * len(none) + 6
    yield f'<text class="tick" x="{LEFT}" y="19">{escape(none)}</text>'
    for shade in range(1, LEVELS + 1):
        yield _filled(shade, f"M{at:.0f} 8h{SWATCH}v12h-{SWATCH}z")
        at += SWATCH
    yield f'<text class="tick" x="{at + 6:.0f}" y="19">{escape(whole)}</text>'


def _filled(shade: int, path: str) -> str:
    return f'<path class="heat" fill-opacity="{shade / LEVELS:.3g}" d="{path}"/>'


def _shade(x: Axis, low: float, high: float) -> str:
    left, right = _x(x, low), _x(x, high)
    return f'<rect class="shade" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)


def _round_step(least: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least * (1 - 1e-9))
