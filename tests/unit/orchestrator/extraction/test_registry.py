"""Which types are read, and what the package costs."""

import subprocess
import sys

import pytest

from sheaf_orchestrator.extraction import Reason, images, pdf, text, types
from sheaf_orchestrator.extraction.registry import find_extractor, library_versions


@pytest.mark.parametrize(
    "content_type", ["text/plain", "text/csv", "text/markdown", "TEXT/Plain; charset=x", "text/x"]
)
def test_the_text_family_is_text(content_type: str) -> None:
    """Every text type has the plain-text extractor, whatever its parameters."""
    assert find_extractor(content_type) is text.extract


def test_pdf_is_pdf() -> None:
    """PDF has its own."""
    assert find_extractor("application/pdf") is pdf.extract


def test_pictures_are_pictures() -> None:
    """Every picture type has the one extractor."""
    assert {find_extractor(content_type) for content_type in types.IMAGES} == {images.extract}


@pytest.mark.parametrize("content_type", ["", "image/heic", "application/octet-stream", "pdf"])
def test_other_types_have_none(content_type: str) -> None:
    """What nobody reads has no extractor."""
    assert find_extractor(content_type) is None


def test_library_versions_are_known() -> None:
    """The record names the build of pdfium."""
    assert library_versions()["pdfium"]


def test_every_reason_has_a_sentence() -> None:
    """No code without words."""
    assert all(reason.sentence.endswith(".") for reason in Reason)


def test_the_worker_imports_only_what_it_needs() -> None:
    """Neither asyncio nor gRPC nor the rest of the service is loaded in a subprocess."""
    program = (
        "import sys, sheaf_orchestrator.extraction.sandbox.worker, "
        "sheaf_orchestrator.extraction.registry as registry;"
        "[registry.find_extractor(each) for each in registry.types.IMAGES];"
        "registry.find_extractor('application/pdf');"
        "print(*sys.modules)"
    )
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout.split()
    )
    assert not loaded & {"asyncio", "grpc", "temporalio", "psutil", "sheaf_common", "pypdfium2"}
    assert not loaded & {"faster_paddle", "tesserocr", "sheaf_orchestrator.extraction.ocr"}
    ours = {name for name in loaded if name.startswith("sheaf_")}
    assert {name for name in ours if not name.startswith("sheaf_orchestrator.extraction")} == {
        "sheaf_orchestrator"
    }
