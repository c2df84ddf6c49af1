"""Claims about locks."""

from pathlib import Path

from sheaf_dev.files import FileLock


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    """The second is refused until the first lets go."""
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


def test_a_lock_leaves_no_file(tmp_path: Path) -> None:
    """Once it is let go."""
    lock = FileLock(tmp_path / "lock")
    lock.try_acquire()
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_was_removed_guards_nothing(tmp_path: Path) -> None:
    """Who comes next locks the file that is there."""
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.try_acquire()
    (tmp_path / "lock").unlink()
    assert second.try_acquire()
    assert (tmp_path / "lock").exists()
    second.release()
