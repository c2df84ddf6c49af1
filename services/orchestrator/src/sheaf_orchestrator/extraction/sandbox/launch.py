"""How a subprocess is started: a short command line and an environment with nothing in it."""

import os
import sys
from pathlib import Path

import msgspec

from sheaf_orchestrator.extraction.limits import Limits

DEFAULT_REGISTRY = "sheaf_orchestrator.extraction.registry"
OCR_REGISTRY = "sheaf_orchestrator.extraction.ocr.registry"
_WORKER = "sheaf_orchestrator.extraction.sandbox.worker"


def command(registry: str, limits: Limits) -> list[str]:
    """The command line. No site module, no user site, no current folder on the path."""
    return [
        sys.executable,
        *("-S", "-s", "-P", "-B"),
        *("-X", "frozen_modules=on", "-X", "utf8", "-X", "faulthandler"),
        *("-m", _WORKER),
        *(registry, str(os.getpid()), msgspec.json.encode(limits).decode()),
    ]


def environment(folder: Path) -> dict[str, str]:
    """The whole environment of a subprocess: none of the parent's variables.

    The module path is the parent's own, so that ``-S`` finds what the parent finds.
    """
    return {
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "MALLOC_ARENA_MAX": "1",
        # Numbers are crunched in one thread: the pool's size is what loads the cores.
        "OMP_NUM_THREADS": "1",
        "OMP_THREAD_LIMIT": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry),
        "TMPDIR": str(folder),
    }
