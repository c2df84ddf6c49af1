"""What is read of messages of Outlook."""

import struct
from typing import Any

import pytest

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason
from sheaf_orchestrator.extraction.mail import eml, lzfu, msg, plain_rtf
from sheaf_orchestrator.extraction.result import Extracted

from .oles import message, ole

SENT = (0x0040, 133_000_000_000_000_000)
HEADS = {0x0037: "Grüße", 0x0C1A: "Ann", 0x5D01: "a@e.org", 0x001A: "IPM.Note"}
EXAMPLE = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a00"
    "7263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
"""The first example of [MS-OXRTFCP] 4.1.1."""


def extract(tree: dict[str, Any], limits: Limits | None = None) -> Extracted:
    """What is in the message."""
    return msg.extract(ole(tree), Options(), limits or Limits())


def attached(name: str, content: bytes, **texts: str) -> dict[str, Any]:
    """The tree of an attachment."""
    numbers = {int(number[1:], 16): text for number, text in texts.items()}
    return message({0x3707: name, **numbers}, binaries={0x3701: content}, header_bytes=8)


def recipient(name: str, address: str, kind: int) -> dict[str, Any]:
    """The tree of a recipient."""
    return message({0x3001: name, 0x39FE: address}, {0x0C15: (3, kind)}, header_bytes=8)


def test_headers_and_body_are_one_part() -> None:
    """As of any mail: the part is named by the subject."""
    tree = message(
        HEADS | {0x1000: "Hi,\r\n\r\nall."},
        {0x0039: SENT},
        below={
            "__recip_version1.0_#00000000": recipient("Ben", "b@e.org", 1),
            "__recip_version1.0_#00000001": recipient("Cy", "c@e.org", 2),
        },
    )
    extracted = extract(tree)
    assert extracted.pages[0].text == (
        "From: Ann <a@e.org>\nTo: Ben <b@e.org>\nCc: Cy <c@e.org>\n"
        "Date: Sat, 18 Jun 2022 04:26:40 +0000\nSubject: Grüße\nHi,\n\nall."
    )
    assert (extracted.pages[0].name, extracted.unit) == ("Grüße", "part")
    assert extracted.metadata.created_at == "2022-06-18T04:26:40Z"


def test_text_may_be_in_a_code_page() -> None:
    """Older messages have no Unicode; the message names the code page."""
    tree = message({}, {0x3FFD: (3, 1251)})
    tree["__substg1.0_0037001E"] = "Привет".encode("cp1251")
    assert extract(tree).pages[0].name == "Привет"


def test_html_is_read_where_there_is_no_plain_body() -> None:
    """With its structure."""
    page = "<meta charset=utf-8><h1>Größe</h1>".encode()
    assert extract(message({}, binaries={0x1013: page})).markdown == ["# Größe"]


def test_a_body_of_rtf_is_the_last_resort() -> None:
    """It is compressed, and may hold text or HTML."""
    assert lzfu.decompress(EXAMPLE) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert extract(message({}, binaries={0x1009: EXAMPLE})).pages[0].text == "hello world"
    html = rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\fonttbl{\f0 x;}}{\*\htmltag <p>}\htmlrtf \par "
    html += rb"\htmlrtf0 Gr\'f6\u223 ?e{\*\htmltag </p>}}"
    assert plain_rtf.read(html) == ("<p>Größe</p>", True)


@pytest.mark.parametrize("content", [b"", EXAMPLE[:-20], b"x" * 16, EXAMPLE[:16] + b"\xff" * 99])
def test_a_broken_body_of_rtf_is_no_trouble(content: bytes) -> None:
    """What can be read of it is."""
    assert extract(message(HEADS, binaries={0x1009: content})).pages[0].name == "Grüße"


def test_attached_files_come_along() -> None:
    """Small pictures of the body do not; an attached message comes as ``.eml``, whole."""
    inner = message(
        {0x0037: "Within", 0x0C1A: "/O=EXCHANGE", 0x1000: "deep words"},
        header_bytes=24,
        below={"__attach_version1.0_#00000000": attached("deep.txt", b"deepest")},
    )
    holder = message({0x3001: "Within"}, header_bytes=8, below={"__substg1.0_3701000D": inner})
    tree = message(
        HEADS,
        below={
            "__attach_version1.0_#00000000": attached("a.bin", b"x" * 5000, t370E="A/B"),
            "__attach_version1.0_#00000001": attached("l.png", b"y", t370E="image/png", t3712="l"),
            "__attach_version1.0_#00000002": holder,
        },
    )
    extracted = extract(tree)
    first, second = extracted.attachments
    assert (first.filename, first.content, first.content_type) == ("a.bin", b"x" * 5000, "a/b")
    assert (second.filename, second.content_type) == ("Within.eml", "message/rfc822")
    again = eml.extract(second.content, Options(), Limits())
    assert again.pages[0].text == "From: /O=EXCHANGE\nSubject: Within\ndeep words"
    assert [(each.filename, each.content) for each in again.attachments] == [
        ("deep.txt", b"deepest")
    ]


def test_attachments_are_bounded() -> None:
    """In number, bytes and depth; those left out are named."""
    inner: dict[str, Any] = message({0x0037: "0"}, header_bytes=24)
    for depth in range(1, 6):
        holder = message({}, header_bytes=8, below={"__substg1.0_3701000D": inner})
        inner = message(
            {0x0037: str(depth)}, header_bytes=24, below={"__attach_version1.0_#0": holder}
        )
    holder = message({}, header_bytes=8, below={"__substg1.0_3701000D": inner})
    deep = extract(message({}, below={"__attach_version1.0_#0": holder}))
    big = extract(
        message({}, below={"__attach_version1.0_#0": attached("big.bin", bytes(50))}),
        Limits(attachment_bytes=49),
    )
    assert [warning.code for warning in deep.warnings] == ["ATTACHMENTS_LEFT_OUT"]
    assert (big.attachments, big.partial) == ([], True)
    assert "'big.bin'" in big.warnings[0].message


@pytest.mark.parametrize(
    ("kind", "code", "partial"),
    [("IPM.Note.SMIME", "ENCRYPTED", True), ("IPM.Note.SMIME.MultipartSigned", "SIGNED", False)],
)
def test_a_sealed_message_says_so(kind: str, code: str, partial: bool) -> None:  # noqa: FBT001
    """Encrypted or signed, by its class."""
    extracted = extract(message(HEADS | {0x001A: kind}))
    assert [warning.code for warning in extracted.warnings] == [code]
    assert extracted.partial == partial


def test_a_damaged_container_is_damaged() -> None:
    """And damage within it costs only what lies there."""
    with pytest.raises(ExtractionError) as caught:
        msg.extract(ole(message(HEADS))[:600], Options(), Limits())
    assert caught.value.reason is Reason.DAMAGED
    tree = message(HEADS) | {"__properties_version1.0": struct.pack("<40s", b"\xff" * 40)}
    tree["__substg1.0_1000001F"] = {"a storage": b"where a stream belongs"}
    assert extract(tree).pages[0].name == "Grüße"
