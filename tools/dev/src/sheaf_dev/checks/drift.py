"""`python -m sheaf_dev.checks.drift`: fails if generated code differs from its sources."""

import sys

from sheaf_dev import metrics_page, protos, schemas
from sheaf_dev.errors import DevError
from sheaf_dev.monitoring import generated


def main() -> int:
    """Prints each difference; 0 if there is none."""
    try:
        differences = protos.drift() + schemas.drift() + metrics_page.drift() + generated.drift()
    except DevError as error:
        differences = [str(error)]
    for difference in differences:
        print(difference)
    if differences:
        print("run `./sheaf proto` and commit what it makes")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
