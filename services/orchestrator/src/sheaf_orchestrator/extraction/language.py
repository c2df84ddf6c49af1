"""The language of a text whose document does not name it, by py3langid.

Its model costs about a second of CPU and 100 MiB once it is loaded, so it is loaded for the
first text that needs it: a subprocess whose documents say their language pays nothing.
"""

import os
from functools import cache
from typing import Any, Final

import msgspec

from sheaf_orchestrator.extraction.result import Extracted

_MIN_LETTERS: Final = 40
_MIN_CONFIDENCE: Final = 0.6
_SAMPLE_CHARACTERS: Final = 2_000
_NONE: Final = frozenset({"und", "zxx", "ia", "ie", "io", "vo"})
"""Undetermined; no language at all (numbers, codes); and constructed ones, for which tables of
names and numbers are taken."""


def with_language(extracted: Extracted) -> Extracted:
    """The same with ``metadata.language`` (ISO 639) where the text tells it beyond doubt."""
    if extracted.metadata.language is None:
        language = detect_language(_sample(extracted))
        if language is not None:
            extracted.metadata = msgspec.structs.replace(extracted.metadata, language=language)
    return extracted


def load() -> None:
    """Load the model now, so that no document waits for it."""
    _identifier()


def detect_language(text: str) -> str | None:
    """The language, or None for a text too short or of no one language."""
    if sum(map(str.isalpha, text)) < _MIN_LETTERS:
        return None
    language, confidence = _identifier().classify(text)
    return str(language) if confidence >= _MIN_CONFIDENCE and language not in _NONE else None


def _sample(extracted: Extracted) -> str:
    """The beginning of the text, over as many pages as it takes."""
    pieces: list[str] = []
    left = _SAMPLE_CHARACTERS
    for page in extracted.pages:
        if left <= 0:
            break
        pieces.append(page.text[:left])
        left -= len(pieces[-1])
    return "\n".join(pieces)


@cache
def _identifier() -> Any:
    """The model, once a process."""
    # The sandbox forbids threads, and a product of a few thousand numbers needs none.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from py3langid.langid import (  # type: ignore[import-untyped] # noqa: PLC0415
        MODEL_FILE,
        LanguageIdentifier,
    )

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
