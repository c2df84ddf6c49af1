"""Plots as SVG inside the page: lines and bars.

Each is a `figure` with its title, its drawing and its legend; a mark tells its value to whoever
points at it. A drawing has its own colours, seen on light and on dark, and takes that of the text
from the page.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from sheaf_dev.bench.load.page.axes import Axis, linear, logarithmic
from sheaf_dev.bench.load.page.markup import element

_Style = Mapping[str, str | float]

COLOURS: Final = (
    *("#4269d0", "#d99a00", "#e8553f", "#2a9d8f", "#3ca951"),
    *("#d9679b", "#8e54d9", "#5f9fd4", "#9c6b4e", "#7d8288"),
)
_WIDTH: Final = 720
_HEIGHT: Final = 260
_LEFT: Final = 64
_RIGHT: Final = 16
_TOP: Final = 12
_BOTTOM: Final = 40
_MOST_MARKS: Final = 40
"""A line of more points has no mark for each."""
_BAR_LEFT: Final = 170
_BAR_RIGHT: Final = 110
_ROW: Final = 26
_BAR: Final = 18
_FAINT: Final[_Style] = {"stroke": "currentColor", "stroke_opacity": 0.2}
_LIMIT: Final[_Style] = {
    "stroke": "#d93025",
    "stroke_width": 1.5,
    "stroke_dasharray": "6 4",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y) from left to right; one whose y is None is left out."""

    name: str
    points: Sequence[tuple[float, float | None]]

    @property
    def known(self) -> Sequence[tuple[float, float]]:
        """The points that can be drawn."""
        return [(x, y) for x, y in self.points if y is not None]


@dataclass(frozen=True, slots=True)
class Bar:
    """Parts by name, side by side; `note` stands behind them."""

    name: str
    parts: Mapping[str, float]
    note: str


def line_plot(
    title: str,
    lines: Sequence[Line],
    *,
    x_title: str,
    log: bool = False,
    limit: tuple[str, float] | None = None,
) -> Element:
    """Lines over one pair of axes; `limit` is a value that is not to be reached, with its name."""
    ys = [y for line in lines for _, y in line.known]
    if limit is not None:
        ys.append(limit[1])
    make: Callable[[Sequence[float], float, float], Axis] = logarithmic if log else linear
    y_axis = make(ys, _HEIGHT - _BOTTOM, _TOP)
    x_axis = linear([x for line in lines for x, _ in line.known], _LEFT, _WIDTH - _RIGHT)
    drawn = [*_grid(x_axis, y_axis, x_title)]
    colours = colours_of(line.name for line in lines)
    for line in lines:
        drawn += _line(line, colours[line.name], x_axis, y_axis)
    if limit is not None:
        name, value = limit
        y = y_axis.place(value)
        drawn += (
            element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, **_LIMIT),
            _label(name, _WIDTH - _RIGHT, y - 4, "end"),
        )
    return _figure(title, drawn, _HEIGHT, colours)


def bar_plot(
    title: str,
    bars: Sequence[Bar],
    *,
    unit: str,
    colours: Mapping[str, str] | None = None,
    reach: float = 0.0,
) -> Element:
    """A bar for each row, of stacked parts. `colours` are of the parts, by name.

    The axis goes to `reach` at least.
    """
    parts = dict.fromkeys(name for bar in bars for name in bar.parts)
    colours = colours or colours_of(parts)
    values = [*(sum(bar.parts.values()) for bar in bars), reach]
    axis = linear(values, _BAR_LEFT, _WIDTH - _BAR_RIGHT)
    height = _TOP + _ROW * len(bars) + 24
    bottom = height - 24
    drawn: list[Element] = []
    for tick in axis.ticks:
        x = axis.place(tick)
        drawn.append(element("line", x1=x, x2=x, y1=_TOP, y2=bottom, **_FAINT))
        drawn.append(_label(f"{tick:g}", x, bottom + 15, "middle"))
    for row, bar in enumerate(bars):
        drawn += _bar(bar, _TOP + row * _ROW, axis, colours, unit)
    is_stacked = any(len(bar.parts) > 1 for bar in bars)
    legend = {name: colours[name] for name in parts} if is_stacked else {}
    return _figure(title, drawn, height, legend)


def colours_of(names: Iterable[str]) -> Mapping[str, str]:
    """A colour for each; the eleventh has the first again."""
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def _grid(x_axis: Axis, y_axis: Axis, x_title: str) -> Sequence[Element]:
    drawn: list[Element] = []
    for tick in y_axis.ticks:
        y = y_axis.place(tick)
        drawn.append(element("line", x1=x_axis.start, x2=x_axis.end, y1=y, y2=y, **_FAINT))
        drawn.append(_label(f"{tick:g}", x_axis.start - 6, y + 4, "end"))
    for tick in x_axis.ticks:
        x = x_axis.place(tick)
        below = y_axis.start + 4
        drawn.append(element("line", x1=x, x2=x, y1=y_axis.start, y2=below, **_FAINT))
        drawn.append(_label(f"{tick:g}", x, y_axis.start + 17, "middle"))
    drawn.append(_label(x_title, x_axis.end, y_axis.start + 33, "end"))
    return drawn


def _line(line: Line, colour: str, x_axis: Axis, y_axis: Axis) -> Sequence[Element]:
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in line.known]
    path = " ".join(f"{x:g},{y:g}" for x, y in places)
    style: _Style = {"fill": "none", "stroke": colour, "stroke_width": 2}
    drawn = [element("polyline", points=path, **style)] if places else []
    if len(places) <= _MOST_MARKS:
        for (x, y), (left, top) in zip(line.known, places, strict=True):
            told = element("title", f"{line.name}: {y:g} at {x:g}")
            drawn.append(element("circle", told, cx=left, cy=top, r=3.5, fill=colour))
    return drawn


def _bar(
    bar: Bar, top: float, axis: Axis, colours: Mapping[str, str], unit: str
) -> Sequence[Element]:
    drawn = [_label(bar.name, axis.start - 8, top + _BAR - 4, "end")]
    done = 0.0
    for name, value in bar.parts.items():
        left, right = axis.place(done), axis.place(done + value)
        told = element("title", f"{bar.name}, {name}: {value:g} {unit}")
        width = round(max(right - left, 0.0), 2)
        place = {"x": left, "y": top, "width": width, "height": _BAR}
        drawn.append(element("rect", told, fill=colours[name], **place))
        done += value
    return [*drawn, _label(bar.note, axis.place(done) + 6, top + _BAR - 4, "start")]


def _label(text: str, x: float, y: float, anchor: str) -> Element:
    place = {"x": round(x, 2), "y": round(y, 2)}
    style: _Style = {"fill": "currentColor", "font_size": 12, "text_anchor": anchor}
    return element("text", text, **place, **style)


def _figure(
    title: str, drawn: Sequence[Element], height: float, colours: Mapping[str, str]
) -> Element:
    box = f"0 0 {_WIDTH} {height:g}"
    drawing = element("svg", *drawn, viewBox=box, role="img", aria_label=title)
    legend = (
        element("li", element("span", class_="swatch", style=f"background: {colour}"), name)
        for name, colour in colours.items()
    )
    shown = element("ul", *legend, class_="legend") if len(colours) > 1 else None
    return element("figure", element("figcaption", title), drawing, shown)
