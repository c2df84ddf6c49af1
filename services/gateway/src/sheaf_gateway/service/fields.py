"""The text fields of an upload: what is asked for all of its files."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from sheaf_common.errors import InvalidInput
from sheaf_gateway import options
from sheaf_gateway.client_metadata import MAX_SENT_BYTES, compact_metadata
from sheaf_gateway.domain.checking import checked_product, shown_filename
from sheaf_gateway.options import (
    DEFAULT_OPTIONS,
    NO_CHANGES,
    Duplicates,
    Options,
    Password,
    Priority,
)
from sheaf_gateway.service.passwords import PasswordSealer

_MAX_FIELDS: Final = 64
_MAX_FIELD_BYTES: Final = 4096
_NAMES: Final = frozenset(
    {"product", "metadata", "priority", "words", "ocr", "ocr_language", "pages", "password"}
    | {"duplicates"}
)
_MAX_BYTES: Final = {"metadata": MAX_SENT_BYTES}
"""Of fields that may be longer."""
_SHOWN_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for every file of an upload."""

    product: str = ""
    priority: Priority = Priority.NORMAL
    options: Options = DEFAULT_OPTIONS
    password: Password | None = None
    metadata_json: str = field(default="", repr=False)
    duplicates: Duplicates = Duplicates.REUSE


class FieldPart:
    """A text field; bounded. `ended` gets its content when that is complete."""

    def __init__(self, name: str, ended: Callable[[str, bytes], None]) -> None:
        self._name = name
        self._ended = ended
        self._content = bytearray()
        self._limit = _MAX_BYTES.get(name, _MAX_FIELD_BYTES)

    async def write(self, piece: bytes) -> None:
        """Takes the next bytes. Raises InvalidInput `FIELD_TOO_LARGE`."""
        self._content += piece
        if len(self._content) > self._limit:
            raise InvalidInput(
                "FIELD_TOO_LARGE",
                f"the field {self._name} is longer than {self._limit} bytes",
                evidence={"field": self._name, "limit_bytes": str(self._limit)},
            )

    async def end(self) -> None:
        """The field is complete. Raises InvalidInput if it is not what it must be."""
        self._ended(self._name, bytes(self._content))


class UploadFields:
    """Collects the fields, before or after the files, and checks each as soon as it ends.

    An empty one is one that was not filled in. One of another name is refused: it may be meant
    for one of these, and what was asked would silently not hold.
    """

    def __init__(self, sealer: PasswordSealer) -> None:
        self._sealer = sealer
        self._begun = 0
        self._filled: set[str] = set()
        self._asked = Asked()
        self._changes = NO_CHANGES

    def begin(self, name: str) -> FieldPart:
        """A field begins. Raises InvalidInput `FIELD_UNKNOWN`, `TOO_MANY_FIELDS`."""
        if name not in _NAMES:
            shown = shown_filename(name)[:_SHOWN_CHARACTERS]
            raise InvalidInput(
                "FIELD_UNKNOWN",
                f"an upload has no field {shown!r}",
                evidence={"field": shown, "known": ", ".join(sorted(_NAMES))},
            )
        self._begun += 1
        if self._begun > _MAX_FIELDS:
            raise InvalidInput(
                "TOO_MANY_FIELDS",
                f"more than {_MAX_FIELDS} fields",
                evidence={"limit": str(_MAX_FIELDS)},
            )
        return FieldPart(name, self._take)

    def asked(self) -> Asked:
        """What the fields ask for, once all of them have ended."""
        return replace(self._asked, options=self._changes.applied_to(DEFAULT_OPTIONS))

    def _take(self, name: str, content: bytes) -> None:
        if not content:
            return
        if name in self._filled and name != "ocr_language":
            raise InvalidInput(
                "FIELD_REPEATED", f"the field {name} is there twice", evidence={"field": name}
            )
        self._filled.add(name)
        if name == "password":
            self._sealer.check_accepted()
            self._asked = replace(self._asked, password=options.password_of(content))
        elif name == "metadata":
            self._asked = replace(self._asked, metadata_json=compact_metadata(content))
        else:
            self._take_text(name, content.decode(errors="replace"))

    def _take_text(self, name: str, text: str) -> None:
        match name:
            case "product":
                self._asked = replace(self._asked, product=checked_product(text))
            case "priority":
                self._asked = replace(self._asked, priority=options.priority_of(text))
            case "duplicates":
                self._asked = replace(self._asked, duplicates=options.duplicates_of(text))
            case "words":
                self._changes = replace(self._changes, words=options.words_of(text))
            case "ocr":
                self._changes = replace(self._changes, ocr=options.ocr_mode_of(text))
            case "ocr_language":
                known = self._changes.ocr_languages or ()
                languages = options.languages_of((*known, text))
                self._changes = replace(self._changes, ocr_languages=languages)
            case "pages":
                self._changes = replace(self._changes, pages=options.pages_of(text))


def check_no_file(name: str) -> None:
    """Raises InvalidInput `FIELD_IS_FILE`, if a file has the name of a text field.

    A password that came as a file would be stored, for all to read who may read documents.
    """
    if name in _NAMES:
        raise InvalidInput(
            "FIELD_IS_FILE",
            f"the field {name} must be text, but it came with a file name",
            evidence={"field": name},
        )
