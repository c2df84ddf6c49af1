"""Waits and claims that the tests of the sandbox share."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from sheaf_orchestrator.extraction import Extraction, Request, decode_result

MISBEHAVING = "integration.orchestrator.extraction.misbehaving"
_NOT_OF_THE_SANDBOX = ("socket:", "anon_inode:[eventpoll]", "anon_inode:[eventfd]")


def request(content_type: str) -> Request:
    """A request for a document of the type."""
    return Request(document_id="0190c6c0", attempt=1, content_type=content_type)


def said(extraction: Extraction) -> str:
    """The text of the first page."""
    return decode_result(extraction.result).pages[0].text


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


@contextlib.contextmanager
def quicker_than(seconds: float) -> Iterator[None]:
    """Claims that the block takes less."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def descriptors() -> dict[str, str]:
    """What this process has open of the kinds that the sandbox opens: number to target.

    Those are pipes, process descriptors and files. Sockets, epoll and event descriptors belong
    to what else the tests have open (servers, channels), which opens them whenever it likes.
    """
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            target = str(path.readlink())
            if not target.startswith(_NOT_OF_THE_SANDBOX):
                found[path.name] = target
    return found


def folders(temporary: Path) -> list[Path]:
    """The folders of pools."""
    return list(temporary.glob("sheaf-extraction-*"))
