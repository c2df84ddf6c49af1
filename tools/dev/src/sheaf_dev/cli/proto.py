"""`./sheaf proto`: generates the code of the contracts."""

import sys

from sheaf_dev import protos


def proto() -> None:
    """Generate messages, stubs and their types from proto/ into proto/src, in place."""
    folder = protos.committed_dir()
    made = protos.generate(folder)
    for orphan in set(protos.generated_files(folder)) - protos.expected_files():
        (folder / orphan).unlink()
    print(f"{len(made)} files in {folder}", file=sys.stderr)
