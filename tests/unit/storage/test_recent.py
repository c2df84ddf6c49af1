"""Small objects that are kept in memory for a moment."""

from dataclasses import dataclass, field

from sheaf_storage.domain import CHUNK_BYTES, ObjectInfo
from sheaf_storage.service import RecentObjects


@dataclass
class Clock:
    """Stands still until it is set."""

    now_s: float = field(default=100.0)

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s


def info(key: str) -> ObjectInfo:
    """An object; only its key matters here."""
    return ObjectInfo(key, 0, b"", "text/plain", None)


def kept(recent: RecentObjects, *keys: str) -> list[str]:
    """Those of the keys that are kept."""
    return [key for key in keys if recent.find(key) is not None]


def test_an_object_is_kept_for_its_time() -> None:
    """With its description and its bytes; then it is gone, and so is its memory."""
    clock = Clock()
    recent = RecentObjects(1000, 10.0, clock)
    recent.keep(info("a"), b"content")
    clock.now_s += 9.9
    assert recent.find("a") == (info("a"), b"content")

    clock.now_s += 0.1
    assert recent.find("a") is None
    assert recent.held_bytes == 0


def test_the_oldest_make_room() -> None:
    """There is never more than the limit; what is kept again counts once, and as new."""
    recent = RecentObjects(100, 10.0)
    recent.keep(info("a"), bytes(40))
    recent.keep(info("b"), bytes(40))
    recent.keep(info("a"), bytes(30))
    assert recent.held_bytes == 70

    recent.keep(info("c"), bytes(50))
    assert kept(recent, "a", "b", "c") == ["a", "c"]
    assert recent.held_bytes == 80


def test_what_is_too_large_drops_nothing() -> None:
    """Neither more than a message nor more than the whole limit is kept; 0 keeps nothing."""
    recent, tiny, none = RecentObjects(2**20, 10.0), RecentObjects(10, 10.0), RecentObjects(0, 10.0)
    recent.keep(info("a"), bytes(CHUNK_BYTES))
    recent.keep(info("b"), bytes(CHUNK_BYTES + 1))
    for each in (tiny, none):
        each.keep(info("a"), bytes(11))

    assert kept(recent, "a", "b") == ["a"]
    assert (tiny.held_bytes, none.held_bytes, kept(none, "a")) == (0, 0, [])


def test_what_is_forgotten_gives_its_memory_back() -> None:
    """Also when it was never kept."""
    recent = RecentObjects(100, 10.0)
    recent.keep(info("a"), bytes(40))
    recent.forget(["a", "b"])

    assert (recent.find("a"), recent.held_bytes) == (None, 0)
