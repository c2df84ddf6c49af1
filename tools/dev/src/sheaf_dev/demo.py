"""The demo: every sample goes in, and what comes out is compared with what must."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sheaf_client import (
    AsyncClient,
    DocumentStatus,
    Duplicates,
    InvalidRequestError,
    SheafClientError,
    WaitTimeout,
)
from sheaf_dev.connection import Connection
from sheaf_dev.outcomes import milliseconds
from sheaf_dev.samples import Sample

_UPLOADS_AT_ONCE: Final = 4
_DEADLINE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What became of a sample. `faults` says what is not as expected; empty if all is."""

    sample: Sample
    status: str
    reason: str | None = None
    pages: int | None = None
    characters: int | None = None
    accept_s: float | None = None
    result_s: float | None = None
    faults: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Its entry in the output of `demo --json`."""
        return {
            "filename": self.sample.filename,
            "status": self.status,
            "expected_status": self.sample.expected_status,
            "reason": self.reason,
            "pages": self.pages,
            "characters": self.characters,
            "accept_ms": milliseconds(self.accept_s),
            "result_ms": milliseconds(self.result_s),
        }


async def run_demo(
    connection: Connection, samples: Sequence[Sample], on_result: Callable[[DemoResult], None]
) -> list[DemoResult]:
    """Sends every sample, each as an upload of its own, and waits for what comes of it."""
    at_once = asyncio.Semaphore(_UPLOADS_AT_ONCE)
    async with AsyncClient(connection.url, connection.api_key) as sheaf:

        async def follow(sample: Sample) -> DemoResult:
            result = await _result(sheaf, sample, at_once)
            on_result(result)
            return result

        return list(await asyncio.gather(*(follow(sample) for sample in samples)))


async def _result(sheaf: AsyncClient, sample: Sample, at_once: asyncio.Semaphore) -> DemoResult:
    try:
        return await _outcome(sheaf, sample, at_once)
    except InvalidRequestError as error:
        faults = _differences(sample, "rejected", error.code, None)
        return DemoResult(sample, "rejected", error.code, faults=faults)
    except WaitTimeout as error:
        return DemoResult(sample, "unfinished", faults=(str(error),))
    except SheafClientError as error:
        return DemoResult(sample, "error", faults=(str(error),))


async def _outcome(sheaf: AsyncClient, sample: Sample, at_once: asyncio.Semaphore) -> DemoResult:
    async with at_once:
        began = time.monotonic()
        upload = await sheaf.upload(
            (sample.filename, sample.content), duplicates=Duplicates.PROCESS
        )
        accept_s = time.monotonic() - began
    (file,) = upload.accepted
    document = await sheaf.wait_for_document(str(file.id), timeout_s=_DEADLINE_S)
    result_s = time.monotonic() - began
    faults = _differences(sample, document.status.value, document.reason, document.pages)
    if document.status is DocumentStatus.COMPLETED:
        missing = sample.missing_phrases(await sheaf.text(document.id))
        faults += tuple(f"the text lacks {phrase!r}" for phrase in missing)
    return DemoResult(
        sample,
        document.status.value,
        document.reason,
        document.pages,
        document.characters,
        accept_s,
        result_s,
        faults,
    )


def _differences(
    sample: Sample, status: str, reason: str | None, pages: int | None
) -> tuple[str, ...]:
    compared = {
        "status": (status, sample.expected_status),
        "reason": (reason, sample.expected_reason),
        "pages": (pages, sample.expected_pages),
    }
    return tuple(
        f"{name} is {actual}, not {expected}"
        for name, (actual, expected) in compared.items()
        if actual != expected
    )
