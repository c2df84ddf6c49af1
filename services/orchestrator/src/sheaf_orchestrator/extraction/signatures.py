"""What stands at the beginning of files: of the formats that are read, and of others by name."""

import re
from typing import Final

from sheaf_orchestrator.extraction import types

LOOKED_AT_BYTES: Final = 512

_IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", types.PNG),
    (b"\xff\xd8\xff", types.JPEG),
    (b"GIF87a", types.GIF),
    (b"GIF89a", types.GIF),
    (b"II*\x00", types.TIFF),
    (b"MM\x00*", types.TIFF),
    (b"II+\x00", types.TIFF),
    (b"MM\x00+", types.TIFF),
)
_RIFF: Final = {b"WEBP": types.WEBP}
_BMP: Final = re.compile(rb"BM.{8}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL)

_FOREIGN: Final = (
    (b"8BPS", "a Photoshop picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"(\xb5/\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"ID3", "an audio recording (MP3)"),
    (b"\xff\xfb", "an audio recording (MP3)"),
    (b"\xff\xf3", "an audio recording (MP3)"),
    (b"OggS", "an audio or video recording (Ogg)"),
    (b"fLaC", "an audio recording (FLAC)"),
    (b"\x1aE\xdf\xa3", "a video recording (Matroska)"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xffO\xffQ", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"AT&TFORM", "a DjVu document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet table"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\x00\x01\x00\x00\x00", "a font"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"\x78\x9f\x3e\x22", "a TNEF message (winmail.dat)"),
    (b"!BDN", "an Outlook mailbox"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "a OneNote section"),
    (b"\x3f\x5f\x03\x00", "a Windows help file"),
    (b"ITSF", "a compiled help file (CHM)"),
)
_BRANDS: Final = (
    (frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim"}), "a HEIC picture"),
    (frozenset({b"avif", b"avis"}), "an AVIF picture"),
)
_TAR_MARK: Final = slice(257, 262)
_PROGRAM: Final = re.compile(rb"MZ.*This program ", re.DOTALL)


def image_type(head: bytes) -> str | None:
    """The type of a picture that is read, by its first bytes."""
    for mark, content_type in _IMAGES:
        if head.startswith(mark):
            return content_type
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    return types.BMP if _BMP.match(head) else None


def foreign_name(head: bytes) -> str | None:
    """What a file of a format that is not read is called, with its article."""
    for mark, name in _FOREIGN:
        if head.startswith(mark):
            return name
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return next((name for brands, name in _BRANDS if brand in brands), "a video recording")
    if head.startswith(b"RIFF"):
        return "an audio or video recording (RIFF)"
    if head[_TAR_MARK] == b"ustar":
        return "a tar archive"
    return "a program" if _PROGRAM.match(head) else None
