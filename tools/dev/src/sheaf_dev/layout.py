"""What lies where in the state folder of a stack."""

import dataclasses
import shutil
from pathlib import Path

from sheaf_dev.embedded import SERVERS


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """The files of the stack in `state_dir`."""

    state_dir: Path

    @property
    def env(self) -> Path:
        """Every variable of the stack, while it is up."""
        return self.state_dir / "env"

    @property
    def credentials(self) -> Path:
        """The generated secrets."""
        return self.state_dir / "credentials.json"

    @property
    def ports(self) -> Path:
        """The ports chosen last."""
        return self.state_dir / "ports.json"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this stack."""
        return self.state_dir / "run" / "lock"

    @property
    def state(self) -> Path:
        """The supervisor's record of its processes."""
        return self.state_dir / "run" / "state.json"

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self.state_dir / "log" / f"{name}.log"

    def purge(self) -> None:
        """Removes all that a stack writes; other things in the folder stay.

        Call it holding the lock, and only when no process of the stack is left.
        """
        for name in SERVERS:
            for path in self.state_dir.glob(f"{name}*"):
                _remove(path)
        for path in (self.env, self.credentials, self.ports, self.log("x").parent):
            _remove(path)
        _remove(self.state.parent)
        if self.state_dir.is_dir() and not any(self.state_dir.iterdir()):
            self.state_dir.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
