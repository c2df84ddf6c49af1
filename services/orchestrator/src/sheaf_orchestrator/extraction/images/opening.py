"""A stranger's picture, opened and decoded within bounds."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import (
    Image,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401 # Pillow does not load it by itself
)
from PIL import __version__ as _version

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.images.pixels import excess, shown, turned
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.reasons import Reason

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
_TROUBLE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
"""What Pillow is known to raise on files that are damaged, or made to look so."""

_SUBFILE_TAG: Final = 254
_REDUCED_COPY: Final = 1
_ORIENTATION: Final = 0x0112
_SIDEWAYS: Final = frozenset({5, 6, 7, 8})
_TURNED: Final = {3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}
_DEFAULT_DPI: Final = 96.0
"""Where a file does not say: what screens have been taken to have since CSS."""
_PLAUSIBLE_DPI: Final = (20.0, 5_000.0)
_POINTS_PER_INCH: Final = 72.0

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class Picture:
    """An open file of pictures, of which one is current; decoded only when asked to."""

    def __init__(self, image: Image.Image, limits: Limits) -> None:
        self._image, self._limits = image, limits
        self._frames = list(self._find_frames())

    def _find_frames(self) -> Iterator[int]:
        """Pages are the pictures of a TIFF but for smaller copies; else the first picture."""
        if not isinstance(self._image, TiffImagePlugin.TiffImageFile):
            yield 0
            return
        count = 0
        while True:
            try:
                self._image.seek(count)
            except EOFError:
                break
            if count == 0 or not _is_reduced(self._image):
                yield count
            count += 1
            if count > self._limits.pages:
                raise ExtractionError(
                    Reason.TOO_MANY_PAGES,
                    f"The file has more than {self._limits.pages} pictures.",
                )

    @property
    def file(self) -> Image.Image:
        """Pillow's own, with what the file says of itself."""
        return self._image

    @property
    def page_count(self) -> int:
        """Pictures that are pages."""
        return len(self._frames)

    def go_to(self, number: int) -> None:
        """Make page ``number`` (from 1) the current one; its pixels are counted.

        Raises ExtractionError: PAGE_NOT_FOUND, TOO_MANY_PIXELS, DAMAGED.
        """
        if not 1 <= number <= self.page_count:
            raise ExtractionError(
                Reason.PAGE_NOT_FOUND,
                f"The file has {self.page_count} pictures, but no number {number}.",
            )
        with _damage():
            self._image.seek(self._frames[number - 1])
            width, height = self._image.size
        limit = self._limits.image_pixels // (2 if _is_heavy(self._image) else 1)
        if width * height > limit:
            raise ExtractionError(
                Reason.TOO_MANY_PIXELS,
                f"Picture {number} has {width} x {height} pixels; at most {limit} are read.",
            )
        if width < 1 or height < 1:
            raise ExtractionError(Reason.DAMAGED, f"Picture {number} has no pixels.")

    @property
    def _orientation(self) -> int:
        try:
            return int(self._image.getexif().get(_ORIENTATION, 1))
        except _TROUBLE:
            return 1

    @property
    def rotation(self) -> int:
        """Degrees clockwise that the file asks viewers to turn the current picture."""
        return _TURNED.get(self._orientation, 0)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the current picture as displayed, in points by the file's dpi."""
        (width, height), (across, down) = self._image.size, self._dpi
        size = (
            round(width * _POINTS_PER_INCH / across, 2),
            round(height * _POINTS_PER_INCH / down, 2),
        )
        return (size[1], size[0]) if self._orientation in _SIDEWAYS else size

    @property
    def _dpi(self) -> tuple[float, float]:
        try:
            across, down = (float(value) for value in self._image.info["dpi"])
        except _TROUBLE:
            return _DEFAULT_DPI, _DEFAULT_DPI
        low, high = _PLAUSIBLE_DPI
        if low <= across <= high and low <= down <= high:
            return across, down
        return _DEFAULT_DPI, _DEFAULT_DPI

    def decode(self, *, pixels: int, grey: bool) -> Image.Image:
        """The current picture as displayed, on white, reduced to about ``pixels`` if it has more.

        Grey or RGB. May be asked once for each ``go_to``. Raises ExtractionError: DAMAGED.
        """
        image = self._image
        if (factor := excess(image, pixels)) > 1:
            # A JPEG is decoded at a fraction of its size, which saves most of the work.
            image.draft("L" if grey else "RGB", (image.width // factor, image.height // factor))
        with _damage():
            image.load()
        orientation = self._orientation
        return turned(shown(image, pixels, grey=grey), orientation)


def _is_heavy(image: Image.Image) -> bool:
    """Whether decoding takes twice the memory a pixel that others take: 100 million are 1 GiB."""
    return image.format == "WEBP" or image.mode in {"I", "F"} or image.mode.startswith("I;16")


def _is_reduced(image: TiffImagePlugin.TiffImageFile) -> bool:
    try:
        return bool(int(image.tag_v2.get(_SUBFILE_TAG, 0)) & _REDUCED_COPY)
    except _TROUBLE:
        return False


@contextmanager
def open_picture(content: bytes | bytearray, limits: Limits) -> Iterator[Picture]:
    """The file, open at its first page.

    Raises ExtractionError: EMPTY, DAMAGED, TOO_MANY_PAGES, TOO_MANY_PIXELS.
    """
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    Image.MAX_IMAGE_PIXELS = limits.image_pixels
    with _damage():
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    try:
        with _damage():
            picture = Picture(image, limits)
        picture.go_to(1)
        yield picture
    finally:
        image.close()


@contextmanager
def _damage() -> Iterator[None]:
    """Whatever Pillow makes of a damaged file becomes a verdict on the file."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise ExtractionError(
            Reason.TOO_MANY_PIXELS, "The picture has more pixels than are read."
        ) from error
    except UnidentifiedImageError as error:
        raise ExtractionError(
            Reason.DAMAGED, "The picture is damaged: its header cannot be read."
        ) from error
    except _TROUBLE as error:
        raise ExtractionError(
            Reason.DAMAGED, "The picture is damaged: it cannot be decoded."
        ) from error


def version() -> str:
    """The version of Pillow in use, for the record."""
    return _version
