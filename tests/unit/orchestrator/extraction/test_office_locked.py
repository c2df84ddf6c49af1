"""How Office files are opened that a password locks."""

import os
import struct
import time
from array import array

import pytest
from unit.orchestrator.extraction import lockedfiles, officefiles, pdfs
from unit.orchestrator.extraction.officefiles import paragraph

from sheaf_orchestrator.extraction import (
    Extracted,
    ExtractionError,
    Limits,
    Options,
    Reason,
    registry,
    types,
)
from sheaf_orchestrator.extraction.office import legacy_locks
from sheaf_orchestrator.extraction.ole import open_ole, read_stream

SECRET = "sécret"
DOCX = officefiles.docx(paragraph("behind the lock"), word__media__a_bin=os.urandom(5_000))
LOCKED: dict[str, tuple[bytes | bytearray, str]] = {
    "agile": (lockedfiles.agile(DOCX, SECRET), types.DOCX),
    "agile 2010": (lockedfiles.agile_2010(DOCX, SECRET), types.DOCX),
    "standard": (lockedfiles.standard(DOCX, SECRET), types.DOCX),
    "xlsx": (
        lockedfiles.agile_2010(
            officefiles.xlsx('<row><c t="inlineStr"><is><t>behind the lock</t></is></c></row>'),
            SECRET,
        ),
        types.XLSX,
    ),
    "pptx": (
        lockedfiles.standard(officefiles.pptx(officefiles.shape("behind the lock", 0, 0)), SECRET),
        types.PPTX,
    ),
    "doc": (lockedfiles.doc("behind the lock\r", SECRET), types.DOC),
    "xls": (lockedfiles.xls("behind the lock", SECRET), types.XLS),
    "ppt": (lockedfiles.ppt("behind", "the lock", SECRET), types.PPT),
}


def read(
    content: bytes | bytearray, password: str | None = SECRET, limits: Limits | None = None
) -> tuple[Extracted, str]:
    """What the registry makes of it, as the sandbox asks for it, and its type."""
    content = bytearray(content)
    detected = registry.detect(content, types.OLE)
    extractor = registry.find_extractor(detected)
    assert extractor is not None
    options = Options(password=None if password is None else password.encode())
    extracted = extractor(content, options, limits or Limits())
    return extracted, extracted.content_type or detected


def refused(
    content: bytes | bytearray, password: str | None = SECRET, limits: Limits | None = None
) -> ExtractionError:
    """The error with which it ends."""
    with pytest.raises(ExtractionError) as caught:
        read(content, password, limits)
    return caught.value


@pytest.mark.parametrize("kind", LOCKED)
def test_the_password_opens(kind: str) -> None:
    """With it a locked file is read as what is inside, says that it is encrypted, and no more."""
    content, content_type = LOCKED[kind]
    extracted, found = read(content)
    assert " ".join(extracted.pages[0].text.split()) == "behind the lock"
    assert (found, extracted.metadata.encrypted) == (content_type, True)
    assert extracted.warnings == []


@pytest.mark.parametrize("kind", LOCKED)
@pytest.mark.parametrize(
    ("password", "words"),
    [(None, "needs a password"), ("", "needs a password"), ("wrong", "does not open it")],
)
def test_the_refusal_tells_a_wrong_password_from_none(
    kind: str, password: str | None, words: str
) -> None:
    """ENCRYPTED either way, in the words that are used for PDFs, and never the password."""
    error = refused(LOCKED[kind][0], password)
    assert (error.reason, words in error.message) == (Reason.ENCRYPTED, True)
    assert "wrong" not in error.message


@pytest.mark.parametrize("rounds", [1_000_001, 10_000_000, 2**32])
def test_a_file_cannot_ask_for_endless_hashing(rounds: int) -> None:
    """More rounds than the limit are told at once, and none of them is done."""
    began = time.process_time()
    error = refused(lockedfiles.agile_2010(DOCX, SECRET, rounds))
    assert (error.reason, str(rounds) in error.message) == (Reason.TIME_LIMIT, True)
    assert time.process_time() - began < 0.2


def test_the_limit_of_rounds_is_the_one_that_is_set() -> None:
    """As many as it says are done."""
    content = lockedfiles.agile(DOCX, SECRET, rounds=20)
    assert read(content, limits=Limits(password_rounds=20))[1] == types.DOCX
    assert refused(content, limits=Limits(password_rounds=19)).reason is Reason.TIME_LIMIT


def test_a_workbook_cannot_have_endless_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs time, and four bytes are one."""
    monkeypatch.setattr(legacy_locks, "_MAX_RECORDS", 10)
    assert refused(LOCKED["xls"][0]).reason is Reason.TIME_LIMIT


def test_a_change_after_the_lock_is_told() -> None:
    """The seal of an agile package does not match: a warning, and what can be read is read."""
    stored = officefiles.zipped(
        {"word/document.xml": officefiles.word("document", f"<w:body>{paragraph('a')}</w:body>")},
        deflated=False,
    )
    locked = lockedfiles.agile_2010(bytes(stored) + bytes(16), SECRET)
    extracted, _ = read(locked)
    assert extracted.warnings == []
    streams = lockedfiles.streams(bytearray(locked))
    package = bytearray(streams["EncryptedPackage"])
    package[0] -= 8
    unsealed = streams["EncryptionInfo"].replace(b"dataIntegrity", b"dataUntouched")
    for info, body in (
        (streams["EncryptionInfo"], bytes(package)),
        (unsealed, streams["EncryptedPackage"]),
    ):
        extracted, _ = read(lockedfiles.container(info, body))
        assert [warning.code for warning in extracted.warnings] == ["CHANGED"]


def test_what_is_inside_is_held_to_the_limits() -> None:
    """A zip bomb behind the lock is one, and a document that is none of Office's is damaged."""
    bomb = officefiles.zipped({"word/document.xml": bytes(2**21)})
    assert refused(lockedfiles.standard(bomb, SECRET)).reason is Reason.ARCHIVE_LIMIT
    assert refused(lockedfiles.standard(pdfs.one_page(), SECRET)).reason is Reason.DAMAGED
    nested = lockedfiles.agile(LOCKED["agile"][0], SECRET)
    assert refused(nested).reason is Reason.DAMAGED


@pytest.mark.parametrize(
    ("info", "reason", "words"),
    [
        (b"", Reason.DAMAGED, "damaged"),
        (struct.pack("<HHI", 4, 4, 64) + b"<encryption", Reason.DAMAGED, "damaged"),
        (struct.pack("<HHI", 4, 4, 64) + b"<encryption/>", Reason.ENCRYPTED, "not supported"),
        (struct.pack("<HHI", 4, 3, 64), Reason.ENCRYPTED, "not supported"),
        (struct.pack("<HHI", 4, 2, 64), Reason.DAMAGED, "damaged"),
        (
            struct.pack("<HHII8I", 4, 2, 4, 32, 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + bytes(99),
            Reason.ENCRYPTED,
            "not supported",
        ),
    ],
)
def test_a_broken_lock_has_a_reason(info: bytes, reason: Reason, words: str) -> None:
    """Damaged where it cannot be read, ENCRYPTED where the method is none that is read."""
    error = refused(lockedfiles.container(info, bytes(64)))
    assert (error.reason, words in error.message) == (reason, True)


def test_a_large_stream_is_read_as_olefile_reads_it() -> None:
    """Sector by sector; what leads out of the file, or in a circle, comes to an end."""
    content, name = bytes(LOCKED["agile"][0]), "EncryptedPackage"
    with open_ole(content) as container:
        assert read_stream(container, content, name) == container.openstream(name).read()
        container.fat = array("I", [0] * len(container.fat))
        assert len(read_stream(container, content, name)) == container.get_size(name)
        for broken in (container.fat[:1], array("I", [0xFFFFFFFE] * 999), array("I", [998] * 999)):
            container.fat = broken
            with pytest.raises(ExtractionError, match="not whole"):
                read_stream(container, content, name)
        with pytest.raises(ExtractionError, match="not whole"):
            read_stream(container, content, "another")


@pytest.mark.parametrize("kind", ["agile 2010", "standard", "doc", "xls", "ppt"])
def test_no_damage_is_unforeseen(kind: str) -> None:
    """Bytes changed anywhere: a result or an ExtractionError, nothing else."""
    content = LOCKED[kind][0]
    for at in range(0, len(content), max(len(content) // 25, 1)):
        broken = bytearray(content)
        broken[at : at + 3] = bytes(each ^ 0x5A for each in broken[at : at + 3])
        try:
            read(broken)
        except ExtractionError as error:
            assert error.reason is not Reason.EXTRACTOR_ERROR  # noqa: PT017 # or a result
