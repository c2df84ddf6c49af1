"""What stands beside the text of RTF: properties, notes, comments, footers, embedded files."""

import locale
import struct
from typing import Final

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.office import ole
from sheaf_orchestrator.extraction.office.opc import tidy
from sheaf_orchestrator.extraction.office.reading import Reading
from sheaf_orchestrator.extraction.office.rtf_flow import Flow, Format
from sheaf_orchestrator.extraction.result import Metadata

_TIMES: Final = frozenset({"creatim", "revtim"})
_MAX_CHARACTERS: Final = 4_096


class Sides:
    """Collects, and puts into the page what belongs after the body."""

    def __init__(self, reading: Reading) -> None:
        self._reading, self._composer = reading, reading.composer
        self._language: str | None = None
        self._values: dict[str, str] = {}
        self._times: dict[str, dict[str, int]] = {}
        self._notes: list[str] = []
        self._open_notes: list[int] = []
        self._said: set[str] = set()
        self._footers: list[str] = []
        self._author: str | None = None

    def begin(self, name: str) -> None:
        """A destination begins; numbers of a time may follow."""
        if name in _TIMES:
            self._times[name] = {}

    def set_time(self, part: str, number: int) -> None:
        """A part of the time that began last."""
        if self._times:
            next(reversed(self._times.values()))[part] = number

    def set_language(self, number: int) -> None:
        """The default language, as Windows numbers it."""
        self._language = locale.windows_locale.get(number, "").replace("_", "-") or None

    def take(self, name: str, text: str) -> None:
        """The text of a destination that was collected."""
        if name == "atnauthor":
            self._author = text[:_MAX_CHARACTERS]
        elif name == "objdata":
            self._embedded(text)
        else:
            self._values.setdefault(name, text[:_MAX_CHARACTERS])

    def open_note(self) -> str:
        """A footnote begins; gives its label."""
        self._open_notes.append(len(self._notes))
        self._notes.append("")
        return str(len(self._notes))

    def close(self, name: str, flow: Flow) -> None:
        """A flow beside the body ends."""
        flow.finish(Format())
        if name == "footnote":
            self._notes[self._open_notes.pop()] = " ".join(flow.lines)
        elif name == "annotation":
            self._composer.annotation("comment", "\n".join(flow.lines), self._author)
        elif name == "footer":
            self._footers += flow.lines
        else:
            for line in flow.lines:
                if name == "box" or line not in self._said:
                    self._said.add(line)
                    self._composer.paragraph(line)

    def compose(self) -> None:
        """Footers, each line once, then footnotes."""
        for line in dict.fromkeys(self._footers):
            self._composer.paragraph(line)
        for label, text in enumerate(self._notes, start=1):
            self._composer.paragraph(f"[{label}] {text}", f"[^{label}]: {markdown.escape(text)}")

    def metadata(self) -> Metadata:
        """What the document says about itself."""
        return Metadata(
            title=tidy(self._values.get("title")),
            author=tidy(self._values.get("author")),
            subject=tidy(self._values.get("subject")),
            keywords=tidy(self._values.get("keywords")),
            creator=tidy(self._values.get("generator", "").strip().rstrip(";")),
            created_at=self._time("creatim"),
            modified_at=self._time("revtim"),
            language=self._language,
        )

    def _time(self, name: str) -> str | None:
        parts = self._times.get(name, {})
        year, month, day = (parts.get(each, 0) for each in ("yr", "mo", "dy"))
        if not (0 < year < 10_000 and 0 < month < 13 and 0 < day < 32):  # noqa: PLR2004 # a date
            return None
        time = f"{parts.get('hr', 0):02d}:{parts.get('min', 0):02d}:{parts.get('sec', 0):02d}"
        return f"{year:04d}-{month:02d}-{day:02d}T{time}"

    def _embedded(self, text: str) -> None:
        """A file in an object of OLE 1: class, two names, then its bytes."""
        try:
            data = bytes.fromhex("".join(text.split()))
            at = 8
            names = []
            for _ in range(3):
                (size,) = struct.unpack_from("<I", data, at)
                names.append(data[at + 4 : at + 4 + size].rstrip(b"\0"))
                at += 4 + size
            (size,) = struct.unpack_from("<I", data, at)
            content = data[at + 4 : at + 4 + size]
            if names[0] == b"Package":
                for name, file in ole.packaged(content):
                    self._reading.attach(name, file)
            else:
                for name, file in ole.embedded_files(content, "object"):
                    self._reading.attach(name, file)
        except (ValueError, struct.error, ExtractionError):
            self._reading.damaged("embedded object")
