"""Messages of the internet (RFC 5322, MIME), by the standard library.

Its tolerant policy reads the headers as they stand: the newer one parses addresses by a grammar
that takes minutes for some of a stranger's headers.
"""

import email
import re
from datetime import UTC
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeAlias

from sheaf_orchestrator.extraction.attaching import DECORATION_BYTES, Bag, Budget
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.html.encoding import decode_html
from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.mail.letter import Letter, compose
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted
from sheaf_orchestrator.extraction.text.decoding import decode, peek

_MAX_BYTES: Final = 64 * MIB
"""The parser takes up to ten times as much memory."""
_MAX_LINES: Final = 2_000_000
"""It takes 3 microseconds a line."""
_BOUNDARY: Final = re.compile(rb"boundary\s*[=*]", re.IGNORECASE)
_MAX_COMPARISONS: Final = 50_000_000
"""It compares each line with the boundary of each part around it."""
_MAX_BOUNDARY_LINES: Final = 50_000
_MAX_HEADER: Final = 16 * 1024
_MAX_ADDRESSES: Final = 4_096
_TROUBLES: Final = (
    MessageError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
)
"""What the library is known to raise for messages that are broken."""
_SIGNATURES: Final = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_SEALED: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_LINE_ENDS: Final = re.compile(r"[\r\n]+")


class _AsWritten(Compat32):
    """Headers as they stand, bytes beyond ASCII (which many send unencoded) as UTF-8, and cut.

    The library needs minutes for the parameters of a header of 1 MiB.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The value for whoever asks."""
        del name
        return value[:_MAX_HEADER].encode("utf-8", "surrogateescape").decode("utf-8", "replace")


_POLICY: Final = _AsWritten()
Part: TypeAlias = "Message[Any, Any]"


def extract(content: bytes | bytearray, options: Options, limits: Limits) -> Extracted:
    """The message as one part: headers, then the body, plain where it has a choice.

    Attached files come along; so do attached messages, as ``.eml``. Raises ExtractionError:
    EMPTY, DAMAGED, TOO_LARGE, ARCHIVE_LIMIT (parts without number, or nested without end).
    """
    del options  # a message has neither pages to draw nor passwords
    notes = Notes(limits.warnings)
    message = _parse(content)
    bag = Bag(Budget(limits), notes)
    letter = Letter(
        sender=_header(message, "from") or _header(message, "sender"),
        to=_header(message, "to"),
        cc=_header(message, "cc"),
        subject=_header(message, "subject"),
        date=_header(message, "date"),
        sent_at=_date(message),
        creator=(_header(message, "x-mailer") or _header(message, "user-agent"))[:200] or None,
        keywords=_header(message, "keywords")[:_MAX_ADDRESSES] or None,
    )
    _Reader(letter, bag, notes).read(message)
    letter.attachments = bag.close()
    return compose(letter, limits, notes)


def _parse(content: bytes | bytearray) -> Part:
    if not content:
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    if len(content) > _MAX_BYTES:
        raise ExtractionError(
            Reason.TOO_LARGE,
            f"The message has {len(content)} bytes; at most {_MAX_BYTES} are read of a message.",
        )
    lines = content.count(b"\n")
    if lines > _MAX_LINES:
        raise ExtractionError(
            Reason.TOO_LARGE, f"The message has over {_MAX_LINES} lines, which are not read."
        )
    if lines * len(_BOUNDARY.findall(content)) > _MAX_COMPARISONS:
        raise ExtractionError(
            Reason.ARCHIVE_LIMIT, "The message has too many lines for as many parts in parts."
        )
    if content.count(b"\n--") > _MAX_BOUNDARY_LINES:
        raise ExtractionError(
            Reason.ARCHIVE_LIMIT,
            f"The message has over {_MAX_BOUNDARY_LINES} lines that may part it.",
        )
    whole: bytes | bytearray = content
    if b"\0" in content[:64] and peek(content) is not None:  # UTF-16: no mail program reads it
        decoded = decode(content)
        whole = decoded.text.encode("utf-8", "replace") if decoded is not None else content
    start = re.match(rb"\xef\xbb\xbf|[\r\n]+", whole)
    try:
        return email.message_from_bytes(
            bytes(whole[start.end() :] if start else whole), policy=_POLICY
        )
    except RecursionError as error:
        raise ExtractionError(
            Reason.ARCHIVE_LIMIT, "The parts of the message are nested too deep."
        ) from error
    except _TROUBLES as error:
        raise ExtractionError(
            Reason.DAMAGED, "The message is damaged: no parser reads it."
        ) from error


class _Reader:
    """Sorts the parts of a message into bodies and attached files."""

    def __init__(self, letter: Letter, bag: Bag, notes: Notes) -> None:
        self._letter, self._bag, self._notes = letter, bag, notes

    def read(self, message: Part) -> None:
        """Every part in order, without recursion."""
        waiting: list[Part] = [message]
        while waiting:
            part = waiting.pop()
            kind = part.get_content_type().lower()
            if kind == "multipart/encrypted" or kind in _SEALED:
                self._sealed(part, kind)
            elif part.is_multipart() and kind != "message/rfc822":
                children = [each for each in part.get_payload() if isinstance(each, Message)]
                if kind == "multipart/alternative":
                    children = _preferred(children)
                waiting += reversed(children)
            else:
                self._leaf(part, kind)

    def _leaf(self, part: Part, kind: str) -> None:
        if kind in _SIGNATURES:
            self._notes.warn("SIGNED", "The message is signed; the signature was not checked.")
            return
        if kind == "message/rfc822":
            self._message(part)
            return
        name = _file_name(part)
        attached = part.get_content_disposition() == "attachment"
        shown = kind in {"text/plain", "text/html", "message/delivery-status"}
        if shown and not attached and not name:
            self._body(part, is_html=kind == "text/html")
            return
        content = _content(part)
        decoration = kind.startswith("image/") and part.get("content-id")
        if not (decoration and len(content) < DECORATION_BYTES):
            self._bag.put(name, content, kind)

    def _body(self, part: Part, *, is_html: bool) -> None:
        content = _content(part)
        if not content.strip():
            return
        charset = _charset(part)
        try:
            text = str(content, charset, "strict") if charset else None
        except (UnicodeError, LookupError):
            text = None
        if text is None:
            decoded = decode_html(content) if is_html else decode(content)
            if decoded is None:
                self._bag.put(_file_name(part), content, part.get_content_type())
                return
            text = decoded.text
            if decoded.replaced:
                self._notes.warn(
                    "UNDECODABLE_BYTES",
                    f"{decoded.replaced} characters of the body could not be read.",
                )
        self._letter.bodies.append((text, is_html))

    def _message(self, part: Part) -> None:
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else None
        try:
            content = inner.as_bytes() if isinstance(inner, Message) else _content(part)
        except (RecursionError, *_TROUBLES):
            self._notes.cut("ATTACHMENT_FAILED", "An attached message is damaged; it was left out.")
            return
        subject = _header(inner, "subject") if isinstance(inner, Message) else ""
        name = _file_name(part) or (f"{subject[:100]}.eml" if subject else None)
        self._bag.put(name and name.replace("/", "-"), content, "message/rfc822")

    def _sealed(self, part: Part, kind: str) -> None:
        """What only a key opens, or holds its text inside a signature."""
        mode = str(part.get_param("smime-type") or "").lower()
        if kind in _SEALED and mode in {"signed-data", "certs-only", "signed-receipt"}:
            self._notes.cut(
                "SIGNED", "The message lies inside its signature (S/MIME), which is not opened."
            )
            self._bag.put(_file_name(part) or "smime.p7m", _content(part), kind)
            return
        self._letter.encrypted = True
        self._notes.cut(
            Reason.ENCRYPTED, "The body of the message is encrypted; only its headers were read."
        )


def _preferred(children: list[Part]) -> list[Part]:
    """Of alternatives the plain one, unless it is empty; else the last that can be read."""
    for part in children:
        if part.get_content_type() == "text/plain" and _content(part).strip():
            # Invitations and the like come along as another view of the same.
            others = [each for each in children if each.get_content_type() == "text/calendar"]
            return [part, *others]
    rich = [
        part
        for part in children
        if part.get_content_type() == "text/html" or part.get_content_maintype() == "multipart"
    ]
    return rich[-1:] or children


def _content(part: Part) -> bytes:
    """The bytes of a part; what cannot be decoded stays as it was sent."""
    try:
        payload = part.get_payload(decode=True)
    except _TROUBLES:
        payload = part.get_payload()
    if isinstance(payload, bytes):
        return payload
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _charset(part: Part) -> str | None:
    try:
        return part.get_content_charset()
    except _TROUBLES:
        return None


def _file_name(part: Part) -> str | None:
    """The name as the sender wrote it: RFC 2231, or encoded words, which many send."""
    try:
        name = part.get_filename()
    except _TROUBLES:
        return None
    return _decoded(name) if name else None


def _header(message: Part, name: str) -> str:
    try:
        value = message.get(name)
    except _TROUBLES:
        return ""
    return _decoded(str(value)) if value is not None else ""


def _decoded(value: str) -> str:
    """A header with its encoded words (RFC 2047) resolved; as it stands where they are broken."""
    value = _LINE_ENDS.sub("", value[:_MAX_HEADER])
    try:
        pieces = decode_header(value)
        return "".join(
            piece if isinstance(piece, str) else str(piece, charset or "utf-8", "replace")
            for piece, charset in pieces
        )
    except _TROUBLES:
        return value


def _date(message: Part) -> str | None:
    try:
        moment = parsedate_to_datetime(_header(message, "date"))
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (*_TROUBLES, OverflowError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
