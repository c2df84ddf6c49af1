"""Pictures for tests, drawn by Pillow."""

import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont


def page(*lines: str, size: tuple[int, int] = (900, 500), mode: str = "L") -> Image.Image:
    """Black lines of text on white."""
    image = Image.new(mode, size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(28)
    for row, line in enumerate(lines):
        draw.text((60, 50 + 48 * row), line, fill="black", font=font)
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytearray:
    """The picture as a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return bytearray(out.getvalue())


def tiff(pages: Sequence[Image.Image], **options: object) -> bytearray:
    """A TIFF of several pages."""
    return saved(pages[0], "TIFF", save_all=True, append_images=list(pages[1:]), **options)


def with_orientation(image: Image.Image, orientation: int) -> bytearray:
    """A JPEG that asks viewers to turn it (EXIF tag 274)."""
    exif = Image.Exif()
    exif[274] = orientation
    return saved(image, "JPEG", exif=exif)


def png_header(width: int, height: int) -> bytearray:
    """A PNG that says how large it is and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))
        )

    header = struct.pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return bytearray(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10)))
        + chunk(b"IEND", b"")
    )
