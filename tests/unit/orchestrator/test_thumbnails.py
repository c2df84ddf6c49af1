"""Pictures of pages: drawn within bounds, and kept."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256

import pytest

from sheaf_common.errors import DataLoss, DeadlineExceeded, InvalidInput, OverCapacity
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.service.thumbnails import Thumbnailer, ThumbnailRequest
from support.orchestrator_fakes import FakeObjects
from support.waiting import until

ASKED = ThumbnailRequest(
    document_id="d",
    object_key="documents/d/original",
    content_type="application/pdf",
    size_bytes=3,
    sha256=sha256(b"pdf").hexdigest(),
    page=2,
    width_px=256,
)


@dataclass
class FakeDrawer:
    """Draws numbers; `gate` holds it back."""

    gate: asyncio.Event | None = None
    running: int = 0
    drawn: int = 0
    cancelled: list[int] = field(default_factory=list)

    async def thumbnail(
        self, document_id: str, content_type: str, content: bytes, *, page: int, width_px: int
    ) -> bytes:
        """See the class."""
        self.running += 1
        self.drawn += 1
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(page)
            raise
        finally:
            self.running -= 1
        return f"{document_id} {content_type} {content.decode()} {page} {width_px}".encode()


def thumbnailer(
    drawer: FakeDrawer, *, waiting: int = 1, deadline_s: float = 5.0
) -> tuple[Thumbnailer, FakeObjects]:
    """One that draws a page at a time."""
    objects = FakeObjects({ASKED.object_key: b"pdf"})
    budget = ByteBudget(2**20, wait_s=5.0)
    threads = ThreadPoolExecutor(1)
    return Thumbnailer(objects, drawer, budget, threads, 1, waiting, deadline_s), objects


async def test_a_picture_is_drawn_and_kept() -> None:
    """Beside the document, under a name that says page and width; again is the same."""
    drawing, objects = thumbnailer(FakeDrawer())

    picture, key = await drawing.draw(ASKED)
    again = await drawing.draw(ASKED)

    assert (
        (picture, key) == again == (b"d application/pdf pdf 2 256", "documents/d/thumb-2-256.webp")
    )
    assert objects.stored[key] == picture


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (replace(ASKED, width_px=300), "WIDTH_INVALID"),
        (replace(ASKED, page=0), "PAGE_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_asked_is_refused(asked: ThumbnailRequest, reason: str) -> None:
    """A width of the set only, so that few pictures are kept; pages from 1."""
    drawing, _ = thumbnailer(FakeDrawer())

    with pytest.raises(InvalidInput) as caught:
        await drawing.draw(asked)
    assert caught.value.reason == reason


async def test_damage_in_the_store_is_not_drawn() -> None:
    """Bytes that are not the uploaded ones are named so."""
    drawing, objects = thumbnailer(FakeDrawer())
    objects.stored[ASKED.object_key] = b"pdx"

    with pytest.raises(DataLoss):
        await drawing.draw(ASKED)


async def test_few_are_drawn_at_once_and_few_may_wait() -> None:
    """One draws, one waits, the third is told to come back."""
    drawer = FakeDrawer(gate=asyncio.Event())
    drawing, _ = thumbnailer(drawer)
    pages = [replace(ASKED, page=number) for number in (1, 2, 3)]
    first, second = (asyncio.create_task(drawing.draw(page)) for page in pages[:2])
    await until(lambda: drawer.running == 1)

    with pytest.raises(OverCapacity) as caught:
        await drawing.draw(pages[2])
    assert caught.value.reason == "SANDBOX_BUSY"
    assert drawer.running == 1
    assert drawer.gate is not None
    drawer.gate.set()
    assert (await first)[1] != (await second)[1]


async def test_one_picture_is_drawn_once_for_all_who_ask() -> None:
    """Whoever asked first may leave; when all have left it is given up."""
    drawer = FakeDrawer(gate=asyncio.Event())
    drawing, _ = thumbnailer(drawer)
    first, *others = (asyncio.create_task(drawing.draw(ASKED)) for _ in range(50))
    await until(lambda: drawer.running == 1)
    first.cancel()
    await asyncio.wait([first])
    assert (drawer.running, drawer.drawn) == (1, 1)
    assert drawer.gate is not None
    drawer.gate.set()
    assert len({await other for other in others}) == drawer.drawn == 1

    drawer.gate.clear()
    last = asyncio.create_task(drawing.draw(ASKED))
    await until(lambda: drawer.running == 1)
    last.cancel()
    await until(lambda: drawer.cancelled == [2])


async def test_all_who_ask_are_told_of_a_failure() -> None:
    """And whoever asks after it has it tried again."""
    drawing, objects = thumbnailer(FakeDrawer())
    objects.stored[ASKED.object_key] = b"pdx"
    outcomes = await asyncio.gather(
        *(drawing.draw(ASKED) for _ in range(2)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [DataLoss, DataLoss]
    objects.stored[ASKED.object_key] = b"pdf"
    assert (await drawing.draw(ASKED))[0]


async def test_one_that_takes_too_long_is_stopped() -> None:
    """Its subprocess is given up with it."""
    drawer = FakeDrawer(gate=asyncio.Event())
    drawing, _ = thumbnailer(drawer, deadline_s=0.05)

    with pytest.raises(DeadlineExceeded):
        await drawing.draw(ASKED)
    assert drawer.cancelled == [2]
