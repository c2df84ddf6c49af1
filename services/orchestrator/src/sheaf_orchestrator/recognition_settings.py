"""The settings of character recognition."""

from typing import Final

from msgspec import structs

from sheaf_common.settings import SettingsGroup, variable
from sheaf_orchestrator.domain import default_processes
from sheaf_orchestrator.extraction import Limits

_OCR_THREADS: Final = 64
"""Of one subprocess: the engine's runtime starts some, whatever it is told."""
_OCR_START_S: Final = 120.0
"""Loading an engine takes a second of CPU, and a loaded machine grants little at this niceness."""
_BASE_PATIENCE: Final = 5


class RecognitionSettings(SettingsGroup):
    """Character recognition on this host."""

    processes: int = variable(
        "OCR_PROCESSES",
        max(1, default_processes() // 2),
        "recognition subprocesses, started when they are needed",
        ge=1,
        le=512,
    )
    max_workflows: int | None = variable(
        "DISPATCH_OCR_MAX_WORKFLOWS",
        None,
        "documents in recognition over all dispatchers; unset means the recognition subprocesses of"
        " all live OCR workers + 1, and OCR_PROCESSES + 1 while they are not known",
        ge=1,
        le=10_000,
    )
    pages_per_chunk: int = variable(
        "OCR_PAGES_PER_CHUNK", 4, "pages of one activity; what a lost worker costs", ge=1, le=100
    )
    page_cpu_limit_s: int = variable(
        "OCR_PAGE_CPU_LIMIT_S", 60, "seconds of CPU that one page may take", ge=1, le=3600
    )
    page_wall_limit_s: float = variable(
        "OCR_PAGE_TIME_LIMIT_S",
        300.0,
        "seconds that one page may take; far above its CPU time, as text goes first",
        gt=0,
        le=7200,
    )
    niceness: int = variable(
        "OCR_NICENESS", 10, "how far recognition gives way to all else: 0 not, 19 most", ge=0, le=19
    )
    share: float = variable(
        "OCR_SHARE",
        0.25,
        "share of the time that recognition keeps while text is worked on in the same process:"
        " the rest of it, it stands still; 1 never holds it",
        ge=0.05,
        le=1,
    )
    memory_limit_bytes: int = variable(
        "OCR_MEMORY_LIMIT_BYTES",
        4 * 2**30,
        "address space of a recognition subprocess; a third of it resident",
        ge=512 * 2**20,
    )
    idle_s: float = variable(
        "OCR_IDLE_S",
        300.0,
        "seconds without work after which its subprocesses end",
        gt=0,
        le=86_400,
    )

    def limits(self, text: Limits) -> Limits:
        """The limits of a recognition subprocess; what they do not name is as for text."""
        return structs.replace(
            text,
            wall_s=self.page_wall_limit_s,
            cpu_s=self.page_cpu_limit_s,
            address_space_bytes=self.memory_limit_bytes,
            rss_bytes=self.memory_limit_bytes // 3,
            recycle_rss_bytes=self.memory_limit_bytes // 5,
            processes=_OCR_THREADS,
            niceness=self.niceness,
            start_s=_OCR_START_S,
            wait_s=_OCR_START_S * 2,
            detect_language=False,
        )

    def base_limits(self, text: Limits) -> Limits:
        """The limits of the subprocess that reads what documents of this lane hold themselves.

        It gives way to text too, though less: it is quick. It has as much CPU but more time.
        """
        return structs.replace(
            text,
            wall_s=text.wall_s * _BASE_PATIENCE,
            soft_s=text.soft_s * _BASE_PATIENCE,
            niceness=(text.niceness + self.niceness) // 2,
            start_s=_OCR_START_S,
            wait_s=_OCR_START_S * 2,
        )
