"""Which language a text is found to have."""

import pytest

from sheaf_orchestrator.extraction import Limits, Metadata
from sheaf_orchestrator.extraction.language import detect_language
from sheaf_orchestrator.extraction.registry import finish
from sheaf_orchestrator.extraction.result import Extracted, Page

GERMAN = "Der Bericht zeigt, dass der Umsatz um zehn Prozent gestiegen ist."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GERMAN, "de"),
        ("The quarterly report shows that revenue increased by ten percent this year.", "en"),
        ("四半期報告書によると、売上高は十パーセント増加し、費用は削減されました。" * 2, "ja"),
        ("Kurz", None),
        ("English: hello world, Arabic: مرحبا بالعالم, Russian: Привет, мир, Thai: สวัสดี", None),
        ("1040 12.50 7 " * 50, None),
        ("qwrt zzzz plm xx qq ww ee rr tt yy aa ss dd kk ll mm nn bb vv cc" * 2, None),
    ],
)
def test_a_language_is_named_only_beyond_doubt(text: str, language: str | None) -> None:
    """Too few letters, numbers and nonsense have none."""
    assert detect_language(text) == language


def test_what_the_document_says_is_kept() -> None:
    """The text is asked only where the document does not say, and not when it is switched off."""

    def document(language: str | None) -> Extracted:
        page = Page(
            number=1, width=None, height=None, rotation=0, text=GERMAN, characters=len(GERMAN)
        )
        return Extracted(page_count=1, pages=[page], metadata=Metadata(language=language))

    off = Limits(detect_language=False)
    assert finish(document("fr-CA"), Limits()).metadata.language == "fr-CA"
    assert finish(document(None), Limits()).metadata.language == "de"
    assert finish(document(None), off).metadata.language is None
