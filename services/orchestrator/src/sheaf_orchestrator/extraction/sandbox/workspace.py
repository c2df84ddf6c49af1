"""Private temporary folders of subprocesses, gone with them even if the parent was killed."""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

_PREFIX = "sheaf-extraction-"
_LOCK = ".lock"
_SETTLED_S = 60.0


class Workspace:
    """A pool's folder, which holds one folder for each subprocess.

    A lock that the kernel drops with this process marks it as alive: opening a workspace
    removes those whose owner is gone. Blocking, but only for a few small file operations.
    """

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = os.open(self.root / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for other in self.root.parent.glob(f"{_PREFIX}*"):
            if other != self.root:
                _remove_if_abandoned(other)

    def folder(self) -> Path:
        """A new empty folder that only this user can enter."""
        return Path(tempfile.mkdtemp(dir=self.root))

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)
        os.close(self._lock)


def _remove_if_abandoned(root: Path) -> None:
    try:
        about = root.lstat()
        if about.st_uid != os.getuid() or time.time() - about.st_mtime < _SETTLED_S:
            return  # somebody else's, or perhaps just made and not locked yet
        lock = os.open(root / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(root, ignore_errors=True)
    except OSError:
        pass  # its owner lives
    finally:
        os.close(lock)
