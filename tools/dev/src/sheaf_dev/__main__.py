"""`python -m sheaf_dev`: what `./sheaf` runs."""

import os
import sys

# The tool starts children while it speaks gRPC; its fork handlers would only complain.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from sheaf_dev import cli


def main() -> None:
    """Runs the command that the arguments name."""
    sys.exit(cli.run(sys.argv[1:]))


if __name__ == "__main__":
    main()
