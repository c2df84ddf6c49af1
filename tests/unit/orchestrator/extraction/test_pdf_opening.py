"""How the PDF extractor opens what is locked or broken."""

import pytest
from unit.orchestrator.extraction import pdfs

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason, pdf
from sheaf_orchestrator.extraction.pdf.opening import open_document


def test_the_password_opens() -> None:
    """With its password a locked PDF is read, and says that it is encrypted."""
    extracted = pdf.extract(pdfs.encrypted("sécret"), Options(password="sécret".encode()), Limits())
    assert (extracted.pages[0].text, extracted.metadata.encrypted) == ("behind the lock", True)


@pytest.mark.parametrize(
    ("password", "words"), [(None, "needs a password"), (b"wrong", "does not open it")]
)
def test_the_refusal_tells_a_wrong_password_from_none(password: bytes | None, words: str) -> None:
    """ENCRYPTED either way; the message says which, and never the password."""
    with pytest.raises(ExtractionError, match=words) as caught:
        pdf.extract(pdfs.encrypted("secret"), Options(password=password), Limits())
    assert caught.value.reason is Reason.ENCRYPTED
    assert "wrong" not in caught.value.message


def test_a_password_that_is_not_needed_does_no_harm() -> None:
    """A document that is not encrypted opens with any."""
    extracted = pdf.extract(pdfs.written("open"), Options(password=b"x"), Limits())
    assert extracted.pages[0].text == "open"


@pytest.mark.parametrize("kept", [b"trailer", b"startxref"])
def test_a_broken_document_is_repaired(kept: bytes) -> None:
    """A PDF cut off before its trailer is read, with a warning."""
    whole = pdfs.one_page()
    extracted = pdf.extract(whole[: whole.rindex(kept) - 10], Options(), Limits())
    assert [page.text for page in extracted.pages] == ["text"]
    assert [warning.code for warning in extracted.warnings] == ["REPAIRED"]


def test_an_open_document_says_whether_it_was_repaired() -> None:
    """So that drawing, which opens it as well, need not ask again."""
    whole = pdfs.one_page()
    with open_document(whole) as document:
        assert (document.repaired, document.page_count) == (False, 1)
    with open_document(whole[: whole.rindex(b"trailer")]) as document:
        assert (document.repaired, document.page_count) == (True, 1)
