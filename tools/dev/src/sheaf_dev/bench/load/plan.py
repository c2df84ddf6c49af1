"""What a load test offers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

DEFAULT_RATES: Final = (10.0, 25.0, 30.0, 50.0)
"""Baseline, the old problem point, target, stretch. Source: requirements.md, "Targets"."""

Duplicates = Literal["process", "reuse"]
"""Whether documents whose content was sent before are processed, or may reuse its result."""

Arrivals = Literal["poisson", "even"]
"""poisson: as from many who know nothing of each other, some close together and some far apart."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the built-in documents, from 0 to 1; the rest is text PDFs of 1-10 pages."""

    office: float = 0.0
    images: float = 0.0
    scans: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What is offered at every rate.

    A rate is in upload requests a second; each request carries `files` files and is followed by
    `status_reads` reads of a status. `corpus` replaces the built-in documents. The same seed
    offers the same documents at the same times.
    """

    duration_s: float = 30.0
    warm_up_s: float = 3.0
    files: int = 1
    status_reads: int = 1
    mix: Mix = field(default_factory=Mix)
    corpus: Path | None = None
    seed: int = 1
    arrivals: Arrivals = "poisson"
    duplicates: Duplicates = "process"
