"""`./sheaf proto`: generates the code of the contracts, and the schema of results."""

import sys

from sheaf_dev import protos, schemas
from sheaf_dev.monitoring import generated


def proto() -> None:
    """Generate messages, stubs and their types from proto/ into proto/src, in place.

    The JSON Schema of results and the page about it are made anew, too, and so are the rules of
    the targets and the dashboards.
    """
    folder = protos.committed_dir()
    made = protos.generate(folder)
    for orphan in set(protos.generated_files(folder)) - protos.expected_files():
        (folder / orphan).unlink()
    print(f"{len(made)} files in {folder}", file=sys.stderr)
    for path in (*schemas.write(), *generated.write()):
        print(path, file=sys.stderr)
