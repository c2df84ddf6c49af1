"""`python -m sheaf_dev.effective_settings SERVICE`: its settings in this environment, as JSON.

Run as a process of its own for each service: the dev tool imports no service.
"""

import dataclasses
import importlib
import json
import sys

from sheaf_common import settings


def main() -> int:
    """Prints `{"settings": […]}`, or `{"problems": {…}}` if the settings are not valid."""
    service = sys.argv[1]
    module = importlib.import_module(f"sheaf_{service}.settings")
    try:
        loaded = settings.load(getattr(module, f"{service.capitalize()}Settings"))
    except settings.SettingsInvalid as invalid:
        print(json.dumps({"problems": invalid.problems}))
        return 1
    described = [dataclasses.asdict(setting) for setting in settings.describe(loaded)]
    print(json.dumps({"settings": described}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
