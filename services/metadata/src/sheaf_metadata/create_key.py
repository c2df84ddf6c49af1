"""`sheaf-metadata-key`: records an API key straight in the database, the first one above all.

    sheaf-metadata-key --user ann --scopes documents:read,documents:write,keys

Prints the key, which nothing shows again. Takes the service's own environment variables. Exit
codes: 0 when it is recorded, 1 if it could not be, 2 for a configuration or a command line that
cannot be used.
"""

import argparse
import asyncio
import hashlib
import secrets
import sys
from collections.abc import Sequence
from typing import Final

from sheaf_common.errors import SheafError
from sheaf_common.ids import new_id
from sheaf_common.process import EXIT_USAGE
from sheaf_common.settings import SettingsInvalid, load
from sheaf_metadata.domain.api_keys import ApiKey
from sheaf_metadata.settings import MetadataSettings
from sheaf_metadata.wiring import record_key

_PROGRAM: Final = "sheaf-metadata-key"
_SCOPES: Final = "documents:read,documents:write,keys"
_RANDOM_BYTES: Final = 32
_SHOWN_CHARACTERS: Final = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    parser = argparse.ArgumentParser(prog=_PROGRAM, description="Records an API key.")
    parser.add_argument("--user", required=True, help="whose key it is, 1 to 64 characters")
    parser.add_argument("--name", default="first key", help="a name for people")
    parser.add_argument("--scopes", default=_SCOPES, help=f"with commas between; {_SCOPES}")
    parser.add_argument(
        "--rate-limit-per-s", type=int, default=0, help="0 means the gateway's default"
    )
    arguments = parser.parse_args(argv)
    key = f"sk_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    wanted = ApiKey(
        new_id(),
        arguments.user,
        arguments.name,
        key[:_SHOWN_CHARACTERS],
        hashlib.sha256(key.encode("ascii")).digest(),
        tuple(arguments.scopes.split(",")),
        None,
        arguments.rate_limit_per_s,
    )
    try:
        asyncio.run(record_key(load(MetadataSettings), wanted))
    except SettingsInvalid as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)  # noqa: T201 - a command line's output
        return EXIT_USAGE
    except SheafError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)  # noqa: T201 - a command line's output
        return 1
    print(key)  # noqa: T201 - the command's output
    return 0
