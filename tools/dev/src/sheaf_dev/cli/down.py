"""`./sheaf down`: stops the embedded stack."""

import sys
from typing import Annotated

from cyclopts import Parameter

from sheaf_dev import checkout, daemon
from sheaf_dev.layout import Layout


def down(*, purge: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Stop every process of the stack; its data stays.

    Args:
        purge: Remove its data, logs and secrets too.
    """
    was_running = daemon.stop(Layout(checkout.state_dir()), purge=purge)
    print("stopped" if was_running else "nothing was running", file=sys.stderr)
