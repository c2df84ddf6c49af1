"""Claims about the choice of ports."""

from pathlib import Path

import pytest

from sheaf_dev import ports
from sheaf_dev.ports import PortBook

WANTED = {"grpc": 50051, "metrics": 9461}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Ports on which a stranger listens."""
    in_use: set[int] = set()
    monkeypatch.setattr(ports, "is_free", lambda port: port not in in_use)
    return in_use


def book(folder: Path, **options: bool) -> PortBook:
    """The ports of the checkout in `folder`; all folders share the locks of one machine."""
    return PortBook(folder / "ports.json", locks=folder.parent / "locks", **options)


def test_default_ports_are_taken_if_free(tmp_path: Path, taken: set[int]) -> None:
    """A stack alone on its machine gets the documented ports."""
    assert book(tmp_path / "a").choose("storage", WANTED) == WANTED


def test_a_taken_default_is_replaced_alone(tmp_path: Path, taken: set[int]) -> None:
    """Only the port that is in use moves."""
    taken.add(50051)
    chosen = book(tmp_path / "a").choose("storage", WANTED)
    assert chosen["grpc"] != 50051
    assert chosen["metrics"] == 9461


def test_two_stacks_that_start_at_once_share_no_port(tmp_path: Path, taken: set[int]) -> None:
    """A port that is chosen and not yet listened on is left alone by another stack."""
    first, second = book(tmp_path / "a"), book(tmp_path / "b")
    one, other = first.choose("storage", WANTED), second.choose("storage", WANTED)
    assert set(one.values()).isdisjoint(other.values())


def test_ports_stay_the_same_at_the_next_start(tmp_path: Path, taken: set[int]) -> None:
    """A stack that had to avoid the defaults keeps its ports when they become free."""
    taken.update(WANTED.values())
    first = book(tmp_path / "a")
    before = first.choose("storage", WANTED)
    first.close()
    taken.clear()
    assert book(tmp_path / "a").choose("storage", WANTED) == before


def test_a_closed_book_gives_its_ports_up(tmp_path: Path, taken: set[int]) -> None:
    """The next stack can have the defaults, and no lock file stays behind."""
    first = book(tmp_path / "a")
    first.choose("storage", WANTED)
    first.close()
    assert list((tmp_path / "locks").iterdir()) == []
    assert book(tmp_path / "b").choose("storage", WANTED) == WANTED


def test_the_same_owner_is_answered_the_same(tmp_path: Path, taken: set[int]) -> None:
    """Choosing twice is asking twice."""
    chooser = book(tmp_path / "a")
    assert chooser.choose("storage", WANTED) == chooser.choose("storage", WANTED)


def test_only_a_lost_port_is_chosen_again(tmp_path: Path, taken: set[int]) -> None:
    """A stranger that was faster costs one port."""
    chooser = book(tmp_path / "a")
    chooser.choose("storage", WANTED)
    taken.add(9461)
    again = chooser.choose_again("storage")
    assert again["grpc"] == 50051
    assert again["metrics"] != 9461


def test_a_damaged_memory_is_forgotten(tmp_path: Path, taken: set[int]) -> None:
    """Half a file is as good as none."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "ports.json").write_text('{"storage": {"grp')
    assert book(tmp_path / "a").choose("storage", WANTED) == WANTED


def test_a_test_stack_leaves_the_defaults_to_others(tmp_path: Path, taken: set[int]) -> None:
    """Without preference for defaults none of them is used."""
    chosen = book(tmp_path / "a", prefer_defaults=False).choose("storage", WANTED)
    assert set(chosen.values()).isdisjoint(WANTED.values())
