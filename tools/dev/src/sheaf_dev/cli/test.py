"""`./sheaf test`: the whole test suite."""

import subprocess
import sys
from typing import Annotated, Final

from cyclopts import Parameter

from sheaf_dev import checkout

_WHOLE_SUITE: Final = ("--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Much of it waits: for leases, deadlines, processes. Two halves side by side take little more
than half the time, and each still has a core. tests/support/scheduling.py says who takes what."""


def test(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Run the tests against real servers; arguments go to pytest.

    Args:
        *arguments: What pytest is called with, in the workspace root. Without any, the whole
            suite runs, in two processes.
    """
    command = [sys.executable, "-m", "pytest", *(arguments or _WHOLE_SUITE)]
    with subprocess.Popen(command, cwd=checkout.root()) as pytest:
        while True:
            try:
                return pytest.wait()
            except KeyboardInterrupt:  # pytest has got it too, and ends in its own time
                continue
