"""Which types are read, and what the package costs."""

import subprocess
import sys

import pytest

from sheaf_orchestrator.extraction import (
    Reason,
    html,
    images,
    markup,
    pdf,
    tabular,
    text,
    types,
)
from sheaf_orchestrator.extraction.mail import eml, msg
from sheaf_orchestrator.extraction.registry import find_extractor, library_versions


@pytest.mark.parametrize("content_type", ["text/plain", "TEXT/Plain; charset=x", "text/x"])
def test_the_text_family_is_text(content_type: str) -> None:
    """Every text type without a reader has the plain-text extractor, whatever its parameters."""
    assert find_extractor(content_type) is text.extract


@pytest.mark.parametrize(
    ("content_type", "extractor"),
    [
        ("application/pdf", pdf.extract),
        ("text/html", html.extract),
        ("text/markdown", markup.extract),
        ("text/csv", tabular.extract),
        ("text/tab-separated-values", tabular.extract),
        ("message/rfc822", eml.extract),
        ("application/vnd.ms-outlook", msg.extract),
    ],
)
def test_a_format_has_its_own_extractor(content_type: str, extractor: object) -> None:
    """It is loaded when it is asked for."""
    assert find_extractor(content_type) is extractor


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


def loaded_by(program: str) -> set[str]:
    """The modules that it loads in an interpreter of its own."""
    command = [sys.executable, "-c", f"import sys\n{program}\nprint(*sys.modules)"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_the_worker_imports_only_what_it_needs() -> None:
    """Neither asyncio nor gRPC nor the rest of the service is loaded in a subprocess."""
    loaded = loaded_by(
        "import sheaf_orchestrator.extraction.sandbox.worker\n"
        "import sheaf_orchestrator.extraction.registry as registry\n"
        "[registry.find_extractor(each) for each in registry.types.IMAGES]\n"
        "registry.find_extractor('application/pdf')"
    )
    assert not loaded & {"asyncio", "grpc", "temporalio", "psutil", "sheaf_common", "pypdfium2"}
    assert not loaded & {"faster_paddle", "tesserocr", "sheaf_orchestrator.extraction.ocr"}
    ours = {name for name in loaded if name.startswith("sheaf_")}
    assert {name for name in ours if not name.startswith("sheaf_orchestrator.extraction")} == {
        "sheaf_orchestrator"
    }


def test_texts_need_neither_a_loop_nor_a_thread() -> None:
    """Detecting, reading and naming the language of every kind of text starts none of them."""
    loaded = loaded_by(
        "import threading\n"
        "from sheaf_orchestrator.extraction import Limits, Options\n"
        "from sheaf_orchestrator.extraction.registry import detect, find_extractor, finish\n"
        "words = b'All of these words are English, and there are more than enough of them. '\n"
        "heads = [b'', b'<html><p>', b'From: a\\nMIME-Version: 1.0\\n\\n', b'a,b,c\\n' * 9]\n"
        "for content in [bytearray(head + words) for head in heads]:\n"
        "    read = find_extractor(detect(content, 'text/plain'))\n"
        "    finish(read(content, Options(), Limits()), Limits())\n"
        "assert threading.active_count() == 1"
    )
    assert not loaded & {"asyncio", "grpc", "temporalio", "multiprocessing", "sheaf_common"}
    assert {"resiliparse", "py3langid"} <= loaded
