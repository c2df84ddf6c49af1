"""The information dictionary of a PDF, read without trust."""

import re
from datetime import UTC, datetime, timedelta, timezone

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.pdf.pdfium import Document
from sheaf_orchestrator.extraction.result import Metadata

_MAX_CHARACTERS = 4_096
_DATE = re.compile(
    r"\s*(?:D:)?(?P<year>\d{4})(?P<month>\d\d)?(?P<day>\d\d)?"
    r"(?P<hour>\d\d)?(?P<minute>\d\d)?(?P<second>\d\d)?"
    r"(?:(?P<zulu>Z)|(?P<sign>[+-])(?P<zone_hours>\d\d)'?(?P<zone_minutes>\d\d)?)?",
    re.ASCII,
)


def read_metadata(document: Document) -> Metadata:
    """What the document says about itself, cleaned and cut to 4,096 characters a value."""

    def value(key: str) -> str | None:
        return _tidy(document.info(key))

    return Metadata(
        title=value("Title"),
        author=value("Author"),
        subject=value("Subject"),
        keywords=value("Keywords"),
        creator=value("Creator"),
        producer=value("Producer"),
        created_at=parse_date(document.info("CreationDate")),
        modified_at=parse_date(document.info("ModDate")),
        language=_tidy(document.language),
        encrypted=document.encrypted,
        format_version=document.format_version,
    )


def parse_date(text: str) -> str | None:
    """A PDF date (``D:YYYYMMDDHHmmSSOHH'mm'``, ISO 32000-1 7.9.4) as ISO 8601, or None.

    In UTC, ending in ``Z``, when the date names its zone; otherwise local time of a place
    unknown, without a suffix. Missing parts are their first value, as the standard says.
    """
    match = _DATE.match(text)
    if match is None:
        return None
    part = match.groupdict()
    try:
        moment = datetime(  # noqa: DTZ001 # its zone, if any, follows
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
        )
        if part["zulu"]:
            moment = moment.replace(tzinfo=UTC)
        elif part["sign"]:
            offset = timedelta(
                hours=int(part["zone_hours"]), minutes=int(part["zone_minutes"] or 0)
            )
            zone = timezone(offset if part["sign"] == "+" else -offset)
            moment = moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat().replace("+00:00", "Z")


def _tidy(text: str) -> str | None:
    return clean_text(text[:_MAX_CHARACTERS]).strip() or None
