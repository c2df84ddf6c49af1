"""`./sheaf proto`: generates the code of the contracts, the schema of results, pages of docs."""

import sys

from sheaf_dev import metrics_page, protos, schemas
from sheaf_dev.monitoring import generated


def proto() -> None:
    """Generate messages, stubs and their types from proto/ into proto/src, in place.

        The JSON Schema of results, the page about it, that of all metrics, the rules of the targets
    and the dashboards are made anew, too.
    """
    folder = protos.committed_dir()
    made = protos.generate(folder)
    for orphan in set(protos.generated_files(folder)) - protos.expected_files():
        (folder / orphan).unlink()
    print(f"{len(made)} files in {folder}", file=sys.stderr)
    for path in (*schemas.write(), *metrics_page.write(), *generated.write()):
        print(path, file=sys.stderr)
