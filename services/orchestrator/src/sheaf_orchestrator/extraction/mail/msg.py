"""Messages of Outlook (MSG)."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from sheaf_orchestrator.extraction.attaching import DECORATION_BYTES, Bag, Budget, file_name
from sheaf_orchestrator.extraction.html.encoding import decode_html
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.mail import lzfu, plain_rtf
from sheaf_orchestrator.extraction.mail.letter import Letter, compose, tidy
from sheaf_orchestrator.extraction.mail.mapi import Store
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.ole import open_ole
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import AttachedFile, Extracted

_CLASS: Final = 0x001A
_SUBJECT: Final = 0x0037
_SUBMITTED: Final = 0x0039
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
_SENDING_NAME, _SENDING_ADDRESS = 0x0042, 0x0065
_DELIVERED: Final = 0x0E06
_SHOWN_TO, _SHOWN_CC = 0x0E04, 0x0E03
_BODY, _BODY_RTF, _BODY_HTML = 0x1000, 0x1009, 0x1013
_RECIPIENT_KIND, _NAME, _ADDRESS, _SMTP_ADDRESS = 0x0C15, 0x3001, 0x3003, 0x39FE
_TO, _CC = 1, 2
_DATA, _LONG_NAME, _SHORT_NAME, _DECLARED = 0x3701, 0x3707, 0x3704, 0x370E
_CONTENT_ID, _CONTENT_LOCATION = 0x3712, 0x3713
_MAX_RECIPIENTS: Final = 200
_MAX_LOOKED_AT: Final = 2_000


def extract(content: bytes | bytearray, options: Options, limits: Limits) -> Extracted:
    """The message as one part: headers, then the body, plain where it has a choice.

    Attached files come along, and attached messages as ``.eml`` made from them. Raises
    ExtractionError: DAMAGED.
    """
    del options  # a message has neither pages to draw nor passwords
    notes = Notes(limits.warnings)
    with open_ole(content) as container:
        letter = _read(Store(container, (), 32), Budget(limits), notes, depth=0)
    return compose(letter, limits, notes)


def _read(store: Store, budget: Budget, notes: Notes, *, depth: int) -> Letter:
    sent = store.moment(_SUBMITTED) or store.moment(_DELIVERED)
    letter = Letter(
        sender=_address(
            store.text(_SENDER_NAME) or store.text(_SENDING_NAME),
            store.text(_SENDER_SMTP) or store.text(_SENDER_ADDRESS) or store.text(_SENDING_ADDRESS),
        ),
        subject=store.text(_SUBJECT),
        date=f"{sent:%a, %d %b %Y %H:%M:%S} +0000" if sent else "",
        sent_at=_iso(sent),
        creator="Microsoft Outlook",
    )
    recipients = store.below("__recip_version1.0_", _MAX_RECIPIENTS)
    letter.to = _addresses(recipients, _TO) or store.text(_SHOWN_TO)
    letter.cc = _addresses(recipients, _CC) or store.text(_SHOWN_CC)
    letter.bodies = _bodies(store)
    if store.text(_CLASS).upper().startswith("IPM.NOTE.SMIME"):
        _note_sealed(store, letter, notes)
    letter.attachments = _attachments(store, budget, notes, depth=depth)
    return letter


def _bodies(store: Store) -> list[tuple[str, bool]]:
    """The plain body; else that of HTML; else that of RTF, which may hold either."""
    plain = store.text(_BODY)
    if plain.strip():
        return [(plain, False)]
    page = store.binary(_BODY_HTML)
    if page is None:
        page = store.text(_BODY_HTML).encode()
    if page.strip():
        decoded = decode_html(page)
        if decoded is not None:
            return [(decoded.text, True)]
    packed = store.binary(_BODY_RTF)
    try:
        return [plain_rtf.read(lzfu.decompress(packed))] if packed else []
    except ValueError:
        return []


def _note_sealed(store: Store, letter: Letter, notes: Notes) -> None:
    if "MULTIPARTSIGNED" in store.text(_CLASS).upper():
        notes.warn("SIGNED", "The message is signed; the signature was not checked.")
    else:
        letter.encrypted = True
        notes.cut(
            Reason.ENCRYPTED, "The body of the message is encrypted; only its headers were read."
        )


def _attachments(store: Store, budget: Budget, notes: Notes, *, depth: int) -> list[AttachedFile]:
    bag = Bag(budget, notes)
    for number, each in enumerate(store.below("__attach_version1.0_", _MAX_LOOKED_AT), start=1):
        name = each.text(_LONG_NAME) or each.text(_SHORT_NAME) or each.text(_NAME)
        declared = each.text(_DECLARED).lower() or None
        inner = each.inner(_DATA)
        if inner is not None:
            _attach_message(bag, inner, name, budget, notes, depth=depth)
            continue
        if not bag.has_room(each.size_bytes(_DATA)):
            bag.leave_out(file_name(name, declared, number))
            continue
        content = each.binary(_DATA)
        if content is None:
            if name:
                notes.warn("ATTACHMENT_LINKED", f"Of {tidy(name)!r} the message has only a link.")
            continue
        shown = each.text(_CONTENT_ID) or each.text(_CONTENT_LOCATION)
        decoration = shown and (declared or "").startswith("image/")
        if not (decoration and len(content) < DECORATION_BYTES):
            bag.put(name, content, declared)
    return bag.close()


def _attach_message(
    bag: Bag, inner: Store, name: str, budget: Budget, notes: Notes, *, depth: int
) -> None:
    if depth >= budget.limits.attachment_depth or not bag.has_room(0):
        bag.leave_out(file_name(name, "message/rfc822", 0))
        return
    letter = _read(inner, budget, notes, depth=depth + 1)
    title = tidy(letter.subject or name)[:100].replace("/", "-") or "message"
    bag.put(f"{title}.eml", _as_eml(letter), "message/rfc822")


def _as_eml(letter: Letter) -> bytes:
    """The message as one of the internet, so that it can be a document of its own."""
    message = EmailMessage(policy=SMTP)
    for body, is_html in letter.bodies[:1]:
        message.set_content(body, subtype="html" if is_html else "plain")
    for each in letter.attachments:
        message.add_attachment(
            each.content, maintype="application", subtype="octet-stream", filename=each.filename
        )
    # By hand: the library would take names of Exchange apart as addresses, and fail.
    heads = "".join(f"{name}: {value}\r\n" for name, value in letter.heads())
    return heads.encode() + message.as_bytes()


def _address(name: str, address: str) -> str:
    """Both, unless the address is one of Exchange's own or says the same."""
    if "@" not in address or name.strip("'") == address:
        return name or address
    return f"{name} <{address}>" if name else address


def _addresses(recipients: list[Store], kind: int) -> str:
    return ", ".join(
        _address(each.text(_NAME), each.text(_SMTP_ADDRESS) or each.text(_ADDRESS))
        for each in recipients
        if (each.number(_RECIPIENT_KIND) or _TO) & 0xF == kind
    )


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
