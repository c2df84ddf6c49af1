"""`./sheaf test`: the whole test suite."""

import subprocess
import sys
from typing import Annotated

from cyclopts import Parameter

from sheaf_dev import checkout


def test(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Run the tests against real servers; arguments go to pytest.

    Args:
        *arguments: What pytest is called with, in the workspace root.
    """
    command = [sys.executable, "-m", "pytest", *arguments]
    with subprocess.Popen(command, cwd=checkout.root()) as pytest:
        while True:
            try:
                return pytest.wait()
            except KeyboardInterrupt:  # pytest has got it too, and ends in its own time
                continue
