"""What is read of messages of the internet."""

import time
from email.message import EmailMessage

import pytest

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason
from sheaf_orchestrator.extraction.mail import eml
from sheaf_orchestrator.extraction.result import Extracted

HEADS = b"From: Ann <a@e.org>\nTo: b@e.org\nDate: Fri, 10 May 2024 18:45:00 +0200\nSubject: Hello\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def extract(content: bytes | EmailMessage, limits: Limits | None = None) -> Extracted:
    """What is in the message."""
    whole = content if isinstance(content, bytes) else bytes(content)
    return eml.extract(whole, Options(), limits or Limits())


def message(body: str = "the body") -> EmailMessage:
    """A message to add to."""
    made = EmailMessage()
    made["From"] = "Ann <a@e.org>"
    made["Subject"] = "Grüße"
    made.set_content(body)
    return made


def files(extracted: Extracted) -> list[tuple[str, bytes]]:
    """Names and contents of what is attached."""
    return [(each.filename, each.content) for each in extracted.attachments]


def codes(extracted: Extracted) -> list[str]:
    """Of its warnings."""
    return [warning.code for warning in extracted.warnings]


def test_headers_and_body_are_one_part() -> None:
    """The part is named by the subject; metadata has subject, sender and date."""
    extracted = extract(HEADS + b"MIME-Version: 1.0\n\nHi,\n\nall.\n")
    (page,) = extracted.pages
    assert page.text == (
        "From: Ann <a@e.org>\nTo: b@e.org\nDate: Fri, 10 May 2024 18:45:00 +0200\n"
        "Subject: Hello\nHi,\n\nall."
    )
    assert (page.name, extracted.unit) == ("Hello", "part")
    metadata = extracted.metadata
    assert (metadata.title, metadata.author) == ("Hello", "Ann <a@e.org>")
    assert metadata.created_at == "2024-05-10T16:45:00Z"
    assert extracted.markdown[0].startswith("**From:** Ann \\<a@e.org>\\\n**To:** b@e.org")


def test_the_plain_body_is_preferred() -> None:
    """HTML is read where there is nothing else, its structure kept."""
    both = message("plain words")
    both.add_alternative("<p>rich words", subtype="html")
    rich = EmailMessage()
    rich.set_content("<h1>Rich</h1><p>words", subtype="html")
    assert extract(both).pages[0].text.endswith("\nplain words")
    assert "rich" not in extract(both).pages[0].text
    assert extract(rich).markdown == ["# Rich\n\nwords"]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (b"=?utf-8?b?R3LDvMOfZQ==?= =?iso-8859-1?q?aus_K=F6ln?=", "Grüßeaus Köln"),
        ("Grüße".encode(), "Grüße"),
        (b"=?nonsense?q?x?=", "=?nonsense?q?x?="),
        (b"a\n folded line", "a folded line"),
    ],
)
def test_headers_are_decoded(subject: bytes, expected: str) -> None:
    """Encoded words, bytes that should have been, and what nobody can decode."""
    assert extract(b"Subject: " + subject + b"\nMime-Version: 1.0\n\nx").pages[0].name == expected


@pytest.mark.parametrize(
    ("charset", "body", "expected"),
    [
        (b"iso-8859-1", "Größe".encode("latin-1"), "Größe"),
        (b"utf-8", "Größe".encode("cp1252"), "Größe"),
        (b"no-such", "Größe".encode(), "Größe"),
    ],
)
def test_a_wrong_charset_does_not_spoil_the_body(
    charset: bytes, body: bytes, expected: str
) -> None:
    """What is declared is tried; else the text itself tells."""
    head = b"From: a\nMIME-Version: 1.0\nContent-Type: text/plain; charset=" + charset
    assert extract(head + b"\n\n" + body).pages[0].text == f"From: a\n{expected}"


def test_attached_files_come_along() -> None:
    """By their decoded names without folders; a message as ``.eml``; small pictures do not."""
    whole = message()
    whole.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Größe.pdf")
    whole.add_attachment(b"x", maintype="text", subtype="plain", filename="../../etc/a b.txt")
    whole.add_attachment(b"y", maintype="application", subtype="pdf")
    whole.add_attachment(PNG, maintype="image", subtype="png", filename="logo.png", cid="<l>")
    whole.add_attachment(PNG, maintype="image", subtype="png", filename="photo.png")
    whole.add_attachment(message("within"))
    extracted = extract(whole)
    assert files(extracted)[:4] == [
        ("Größe.pdf", b"%PDF"), ("a b.txt", b"x"), ("attachment-3.pdf", b"y"), ("photo.png", PNG),
    ]  # fmt: skip
    assert extracted.attachments[4].filename == "Grüße.eml"
    assert b"within" in extracted.attachments[4].content
    assert [each.content_type for each in extracted.attachments][::4] == [
        "application/pdf",
        "message/rfc822",
    ]
    assert "within" not in extracted.pages[0].text


def test_attachments_are_bounded() -> None:
    """In number and bytes; those left out are named, and the result is partial."""
    whole = message()
    for number in range(4):
        whole.add_attachment(b"x" * 10, maintype="a", subtype="b", filename=f"{number}.x")
    few = extract(whole, Limits(attachments=2))
    small = extract(whole, Limits(attachment_bytes=35))
    assert ([name for name, _ in files(few)], few.partial) == (["0.x", "1.x"], True)
    assert [name for name, _ in files(small)] == ["0.x", "1.x", "2.x"]
    assert codes(few) == ["ATTACHMENTS_LEFT_OUT"]
    assert "'2.x', '3.x'" in few.warnings[0].message


@pytest.mark.parametrize(
    ("kind", "code", "encrypted"),
    [
        (b"multipart/encrypted; boundary=x", "ENCRYPTED", True),
        (b"application/pkcs7-mime; smime-type=enveloped-data", "ENCRYPTED", True),
        (b"application/pkcs7-mime; smime-type=signed-data", "SIGNED", False),
    ],
)
def test_a_sealed_message_says_so(kind: bytes, code: str, encrypted: bool) -> None:  # noqa: FBT001
    """Its headers are read; the body is missing, with the reason."""
    sealed = HEADS + b"MIME-Version: 1.0\nContent-Type: " + kind + b"\n\n--x\n\nAAAA\n--x--\n"
    extracted = extract(sealed)
    assert (codes(extracted), extracted.partial) == ([code], True)
    assert extracted.metadata.encrypted == encrypted
    assert extracted.pages[0].text.endswith("Subject: Hello")


def test_a_signature_is_no_attachment() -> None:
    """The signed body is read, and that nobody checked it is said."""
    content = (
        HEADS + b"MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=x\n\n--x\n\nbody\n"
        b"--x\nContent-Type: application/pgp-signature; name=s.asc\n\nAAAA\n--x--\n"
    )
    extracted = extract(content)
    assert (codes(extracted), files(extracted), extracted.partial) == (["SIGNED"], [], False)
    assert extracted.pages[0].text.endswith("\nbody")


NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number)
    for number in range(1_050)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        (HEADS + b"MIME-Version: 1.0\n" + NESTED, Reason.ARCHIVE_LIMIT),
        (HEADS + b"Content-Type: message/rfc822\n\n" * 1_050, Reason.ARCHIVE_LIMIT),
        (HEADS + b"\n--\n" * 50_001, Reason.ARCHIVE_LIMIT),
        (HEADS + b"\n" * 2_000_001, Reason.TOO_LARGE),
        (HEADS + b"X: boundary=\n" * 100 + b"\n" * 500_001, Reason.ARCHIVE_LIMIT),
    ],
    ids=["nothing", "nested parts", "nested messages", "parts", "lines", "lines in parts"],
)
def test_what_no_parser_should_see_is_refused(content: bytes, reason: Reason) -> None:
    """With its reason, before it costs much."""
    with pytest.raises(ExtractionError) as caught:
        extract(content)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/plain; " + b"a=b; " * 100_000,
        b"Content-Type: text/plain; " + b"".join(b"charset*%d=b; " % n for n in range(50_000)),
        b"To: " + b"=?utf-8?q?a?= " * 100_000,
        b"To: " + b"(" * 500_000,
    ],
    ids=["parameters", "continuations", "encoded words", "comments"],
)
def test_long_headers_cost_little(head: bytes) -> None:
    """They are cut before anything parses them."""
    began_s = time.process_time()
    assert extract(HEADS + head + b"\nMIME-Version: 1.0\n\nbody").pages[0].text.endswith("body")
    assert time.process_time() - began_s < 2
