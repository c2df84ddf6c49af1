"""What a picture says about itself: EXIF and the text chunks of PNG, read without trust."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from PIL import Image
from PIL.ExifTags import IFD, Base

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.result import Metadata

_MAX_CHARACTERS = 4_096
_DATE: Final = "%Y:%m:%d %H:%M:%S"


def read_metadata(image: Image.Image, notes: Notes) -> Metadata:
    """The picture's own words, cleaned and cut to 4,096 characters a value."""
    exif, details = _exif(image, notes)

    def value(tag: Base, *names: str) -> str | None:
        found = _tidy(exif.get(tag))
        return found or next(filter(None, (_tidy(image.info.get(name)) for name in names)), None)

    return Metadata(
        title=value(Base.ImageDescription, "Title", "Description"),
        author=value(Base.Artist, "Author"),
        producer=value(Base.Software, "Software"),
        created_at=_date(
            details.get(Base.DateTimeOriginal) or details.get(Base.DateTimeDigitized),
            details.get(Base.OffsetTimeOriginal),
        ),
        modified_at=_date(exif.get(Base.DateTime), details.get(Base.OffsetTime)),
    )


def _exif(image: Image.Image, notes: Notes) -> tuple[dict[int, object], dict[int, object]]:
    """The tags of the picture and those of its camera; none, and a note, if they are damaged."""
    try:
        exif = image.getexif()
        return dict(exif), dict(exif.get_ifd(IFD.Exif))
    except Exception:  # noqa: BLE001 # a picture without its metadata is a picture all the same
        notes.warn("METADATA_FAILED", "What the picture says of itself (EXIF) is damaged.")
        return {}, {}


def _tidy(value: object) -> str | None:
    if isinstance(value, tuple) and value:
        value = value[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return clean_text(value[:_MAX_CHARACTERS]).strip() or None if isinstance(value, str) else None


def _date(value: object, offset: object) -> str | None:
    """An EXIF date as ISO 8601: in UTC where its offset is known, else without a zone."""
    try:
        moment = datetime.strptime(_tidy(value) or "", _DATE)  # noqa: DTZ007 # zone follows
        zone = _tidy(offset)
        if zone is None:
            return moment.isoformat()
        sign = -1 if zone[0] == "-" else 1
        minutes = sign * (int(zone[1:3]) * 60 + int(zone[4:6]))
        local = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
        return local.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, IndexError):
        return None
