"""Pixels of any mode as a reader of the page would see them."""

import math
from typing import Final

from PIL import Image

_TRANSPOSED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to show a picture by its EXIF orientation; Pillow turns counter-clockwise."""


def excess(image: Image.Image, pixels: int) -> int:
    """By how much each side may be divided to leave at least about ``pixels``."""
    return math.isqrt(image.width * image.height // pixels) if pixels else 1


def shown(image: Image.Image, pixels: int, *, grey: bool) -> Image.Image:
    """Grey or RGB, on white, reduced to about ``pixels`` if it has more."""
    image = _plain(image)
    if (factor := excess(image, pixels)) > 1:
        image = image.reduce(factor)
    return _on_white(image).convert("L" if grey else "RGB")


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """As its EXIF orientation asks viewers to show it."""
    turn = _TRANSPOSED.get(orientation)
    return image if turn is None else image.transpose(turn)


def _plain(image: Image.Image) -> Image.Image:
    """In a mode of eight bits a band, without a palette."""
    if image.mode in {"P", "PA"}:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    if image.mode in {"I", "F"}:
        low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
        scale = 255.0 / max(high - low, 1.0)
        return image.point(lambda value: value * scale - low * scale).convert("L")
    return image.convert("L") if image.mode == "1" else image


def _on_white(image: Image.Image) -> Image.Image:
    """With what is transparent shown white."""
    if not image.has_transparency_data:
        return image
    layered = image.convert("RGBA")
    ground = Image.new("RGBA", layered.size, "white")
    ground.alpha_composite(layered)
    return ground
