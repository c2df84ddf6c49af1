"""Open Packaging: the parts of an OOXML file, how they refer to each other, its properties."""

import posixpath
import re
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import unquote

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.office import ole
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import Reading
from sheaf_orchestrator.extraction.office.xml import Element, local, parse
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Metadata

R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MAX_CHARACTERS: Final = 4_096
_MAX_RELATIONSHIPS: Final = 50_000
_DATE: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?)?$"
)


class Relationship(NamedTuple):
    """From one part to another, or to an address outside."""

    kind: str
    """The last word of its type, e.g. ``hyperlink``, ``comments``."""
    target: str
    """The name of the part; the address when external."""
    external: bool


Relationships = dict[str, Relationship]


def relationships(package: Package, part: str) -> Relationships:
    """The relationships of a part by their ids; none if it has none. Raises as ``parse``."""
    folder, name = posixpath.split(part)
    listing = posixpath.join(folder, "_rels", f"{name}.rels")
    found: Relationships = {}
    if listing not in package:
        return found
    for element in parse(package, listing):
        if local(element) != "Relationship" or len(found) >= _MAX_RELATIONSHIPS:
            continue
        target = element.get("Target", "")
        external = element.get("TargetMode") == "External"
        if not external:
            target = posixpath.normpath(posixpath.join("/", folder, unquote(target)))[1:]
            target = target.partition("#")[0]
        kind = element.get("Type", "").rpartition("/")[2]
        found[element.get("Id", "")] = Relationship(kind, target, external)
    return found


def of_kind(relations: Relationships, kind: str) -> list[str]:
    """The parts that relationships of a kind lead to, each once."""
    parts = (each.target for each in relations.values() if each.kind == kind and not each.external)
    return list(dict.fromkeys(parts))


def main_part(package: Package, usual: str) -> str:
    """The name of the main part. Raises ExtractionError: DAMAGED when there is none."""
    mains = of_kind(relationships(package, ""), "officeDocument")
    for name in (*mains, usual):
        if name in package:
            return name
    message = f"The document is damaged: it has no part {usual!r}."
    raise ExtractionError(Reason.DAMAGED, message)


def optional(package: Package, name: str, reading: Reading) -> Element | None:
    """A part as a tree, or None (with a warning) when it is missing or cannot be read."""
    try:
        return parse(package, name) if name in package else None
    except ExtractionError as error:
        if error.reason in {Reason.ARCHIVE_LIMIT, Reason.ENCRYPTED}:
            raise
        reading.damaged(name)
        return None


def properties(package: Package, reading: Reading, language: str | None = None) -> Metadata:
    """What the document says about itself; ``language`` is that of its text, if known."""
    values: dict[str, str] = {}
    for part in ("docProps/core.xml", "docProps/app.xml"):
        root = optional(package, part, reading)
        if root is not None:
            for element in root:
                values.setdefault(local(element), element.text or "")
    return Metadata(
        title=tidy(values.get("title")),
        author=tidy(values.get("creator")),
        subject=tidy(values.get("subject")),
        keywords=tidy(values.get("keywords")),
        creator=tidy(values.get("Application")),
        created_at=moment(values.get("created")),
        modified_at=moment(values.get("modified")),
        language=tidy(values.get("language")) or language,
    )


def tidy(text: str | None) -> str | None:
    """A value of the metadata, cleaned; None if nothing is left."""
    return clean_text((text or "")[:_MAX_CHARACTERS]).replace("\u00ad", "").strip() or None


def moment(text: str | None) -> str | None:
    """A W3C date as ISO 8601, in UTC when it names its zone; None if it is none."""
    match = _DATE.match((text or "").strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    written = f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    try:
        value = datetime.fromisoformat(written + (zone or ""))
        if zone:
            value = value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return value.isoformat().replace("+00:00", "Z")


def attach_embedded(package: Package, relations: Relationships, reading: Reading) -> None:
    """Keep the files that were embedded into this part; pictures are none."""
    for kind in ("package", "oleObject", "aFChunk"):
        for part in of_kind(relations, kind):
            if part not in package or reading.done:
                continue
            try:
                data = package.read(part, reading.limits.attachment_bytes)
                name = posixpath.basename(part)
                if kind == "oleObject":
                    for filename, content in ole.embedded_files(data, name):
                        reading.attach(filename, content)
                else:
                    reading.attach(name, data)
            except ExtractionError as error:
                if error.reason is Reason.ARCHIVE_LIMIT:
                    raise
                reading.damaged(part)
