"""The other services: pictures, health, what waits, what is measured."""

import asyncio
from collections.abc import (
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field

from sheaf_common.errors import (
    SheafError,
)
from sheaf_common.telemetry.measured import Recent
from sheaf_gateway.backlog import LaneQueue
from sheaf_gateway.domain.documents import Document
from sheaf_gateway.ports.health import Serving
from sheaf_gateway.ports.measurements import Backlog, MeasuredService
from support.gateway_fakes.common import Hook, do_nothing


@dataclass
class FakeRenderer:
    """The PageRenderer port: a picture says what it is of. `error` is raised instead."""

    error: SheafError | None = None
    after_draw: Hook = do_nothing
    drawn: list[tuple[str, int, int]] = field(default_factory=list)

    async def thumbnail(self, document: Document, page: int, width_px: int) -> bytes:
        """Draws."""
        self.drawn.append((document.object_key, page, width_px))
        if self.error is not None:
            raise self.error
        await self.after_draw()
        return f"RIFF WEBP {page} {width_px}".encode()


@dataclass
class FakeProbe:
    """The HealthProbe port: everything is well unless said otherwise."""

    said: dict[str, Serving] = field(
        default_factory=lambda: dict.fromkeys(
            ("storage", "s3", "metadata", "mysql", "redis", "orchestrator", "temporal"),
            Serving.YES,
        )
    )
    asked: int = 0

    async def ask(self) -> Mapping[str, Serving]:
        """What was said."""
        self.asked += 1
        await asyncio.sleep(0)
        return dict(self.said)


@dataclass
class FakeQueue:
    """The IntakeQueue port: the text lane as it is set, or an error."""

    queued_documents: int = 0
    oldest_age_s: float = 0.0
    drained_per_second: float = 0.0
    lane: str = "text"
    error: SheafError | None = None

    async def lanes(self, *, timeout_s: float) -> Sequence[LaneQueue]:
        """One lane."""
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return [
            LaneQueue(self.lane, self.queued_documents, self.oldest_age_s, self.drained_per_second)
        ]


@dataclass
class FakeMeasurements:
    """The Measurements port, and what the gateway itself measured.

    A part that has an error in `errors` raises it; `hold`, where it is set, is waited for.
    """

    measured: dict[str, Recent] = field(default_factory=dict)
    waiting: Backlog = field(default_factory=lambda: Backlog(0, 64, 0))
    errors: dict[str, SheafError] = field(default_factory=dict)
    hold: asyncio.Event | None = None
    asked: list[tuple[str, float]] = field(default_factory=list)

    def own(self, window_s: float) -> Recent:
        """Of the gateway."""
        self.asked.append(("gateway", window_s))
        return self.measured.get("gateway", Recent(window_s))

    async def recent(
        self, service: MeasuredService, window_s: float, *, timeout_s: float
    ) -> Recent:
        """Of a service."""
        self.asked.append((service, window_s))
        await self._answering(service)
        return self.measured.get(service, Recent(window_s))

    async def backlog(self, *, timeout_s: float) -> Backlog:
        """What waits."""
        await self._answering("backlog")
        return self.waiting

    async def _answering(self, part: str) -> None:
        await asyncio.sleep(0)
        if self.hold is not None:
            await self.hold.wait()
        if part in self.errors:
            raise self.errors[part]
