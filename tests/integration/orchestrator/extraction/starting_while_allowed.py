"""A registry that stops loading once the file that its folder's name leads to is there.

The pool's folders lie in the temporary folder of the test, whose file ``broken`` decides.
"""

from pathlib import Path

from integration.orchestrator.extraction.misbehaving import (
    detect,
    find_extractor,
    finish,
    library_versions,
    prepare,
    warm,
)

__all__ = ["detect", "find_extractor", "finish", "library_versions", "prepare", "warm"]

if (Path.cwd().parent.parent / "broken").exists():
    raise RuntimeError("broken meanwhile")
