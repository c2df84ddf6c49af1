"""From a page's own coordinates to points from the top left of the page as displayed."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from sheaf_orchestrator.extraction.pdf.pdfium import OpenPage, Rect
from sheaf_orchestrator.extraction.result import Box


class View(NamedTuple):
    """How a page is displayed: the part of it that is shown, and how it is turned."""

    bounds: Rect
    rotation: int

    def box(self, rect: Rect) -> Box:
        """A rectangle as displayed, without its overhang, rounded to hundredths."""
        (x0, y0, x1, y1) = self.boxes([rect])[0]
        return (round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2))

    def boxes(self, rects: Iterable[Rect]) -> list[Box]:
        """Rectangles as displayed; they may reach over the page."""
        return list(zip(*self.sides(*zip(*rects, strict=True)), strict=True))

    def sides(self, *sides: Sequence[float]) -> tuple[Sequence[float], ...]:
        """Lefts, bottoms, rights and tops as lefts, tops, rights and bottoms as displayed."""
        if not sides:
            return ()
        lefts, bottoms, rights, tops = sides
        left, bottom, right, top = self.bounds
        if self.rotation == 90:  # noqa: PLR2004 # degrees
            return (
                _less(bottoms, bottom),
                _less(lefts, left),
                _less(tops, bottom),
                _less(rights, left),
            )
        if self.rotation == 180:  # noqa: PLR2004 # degrees
            return (
                _from(right, rights),
                _less(bottoms, bottom),
                _from(right, lefts),
                _less(tops, bottom),
            )
        if self.rotation == 270:  # noqa: PLR2004 # degrees
            return _from(top, tops), _from(right, rights), _from(top, bottoms), _from(right, lefts)
        shifted = (lefts, rights) if left == 0 else (_less(lefts, left), _less(rights, left))
        return shifted[0], _from(top, tops), shifted[1], _from(top, bottoms)


def _less(numbers: Sequence[float], less: float) -> list[float]:
    return [number - less for number in numbers]


def _from(number: float, numbers: Sequence[float]) -> list[float]:
    return [number - each for each in numbers]


def view(page: OpenPage) -> View:
    """How the page is displayed."""
    return View(page.bounds, page.rotation)


def within(box: Box, other: Box) -> bool:
    """Whether the middle of ``box`` lies in ``other``."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return other[0] <= x <= other[2] and other[1] <= y <= other[3]


class Boxed(Protocol):
    """What has sides, as displayed."""

    @property
    def left(self) -> float: ...  # noqa: D102 # points from the left
    @property
    def top(self) -> float: ...  # noqa: D102 # points from the top
    @property
    def right(self) -> float: ...  # noqa: D102 # points from the left
    @property
    def bottom(self) -> float: ...  # noqa: D102 # points from the top


def around(things: Sequence[Boxed]) -> Box:
    """The smallest box around all of these, rounded to hundredths."""
    return (
        round(min(each.left for each in things), 2),
        round(min(each.top for each in things), 2),
        round(max(each.right for each in things), 2),
        round(max(each.bottom for each in things), 2),
    )
