"""Which engine reads a document: the configured one, unless the other alone has its languages."""

from collections.abc import Callable, Sequence
from importlib import import_module

import msgspec

from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.ocr.engine import Engine
from sheaf_orchestrator.extraction.result import ResultWarning

_HOMES = {
    "paddle": ("sheaf_orchestrator.extraction.ocr.paddle", "PaddleEngine"),
    "tesseract": ("sheaf_orchestrator.extraction.ocr.tesseract", "TesseractEngine"),
}


class Choice(msgspec.Struct, frozen=True):
    """An engine, and what its pages have to warn of."""

    engine: Engine
    warning: ResultWarning | None = None


_engines: dict[str, Engine] = {}


def load(name: str) -> Engine:
    """The engine of this name, loaded once in a process."""
    if name not in _engines:
        room, kind = _HOMES[name]
        _engines[name] = getattr(import_module(room), kind)()
    return _engines[name]


def loaded() -> dict[str, str]:
    """The engines that this process has, with their versions."""
    return {name: engine.name for name, engine in _engines.items()}


def choose(languages: Sequence[str], limits: Limits) -> Choice:
    """The engine for ``languages``; if none reads them all, the best there is, with a warning."""
    first = limits.ocr_engine
    second = next(name for name in _HOMES if name != first)
    return pick(load(first), lambda: load(second), languages)


def pick(first: Engine, other: Callable[[], Engine], languages: Sequence[str]) -> Choice:
    """``first`` if it reads ``languages``, else ``other`` if that does; else with a warning."""
    if first.reads(languages):
        return Choice(first)
    second = other()
    if second.reads(languages):
        return Choice(second)
    missing = [each for each in languages if not (first.reads([each]) or second.reads([each]))]
    names = ", ".join(missing or languages) or "the default language"
    warning = ResultWarning(
        code="OCR_LANGUAGE_UNAVAILABLE",
        message=f"No engine here reads {names[:200]}; the text may be wrong.",
    )
    return Choice(first if first.reads(()) else second, warning)
