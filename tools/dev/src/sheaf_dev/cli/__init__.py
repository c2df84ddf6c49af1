"""The commands of `./sheaf`, one module each, loaded when they are called."""

import os
import sys

from cyclopts import App, CycloptsError

from sheaf_dev.errors import DevError

USAGE_ERROR = 2
_FAILED = 1
_INTERRUPTED = 130

app = App(
    name="./sheaf",
    help="Run, look at and check this checkout of Sheaf.",
    result_action="return_value",
    version_flags=[],
)
app.command("sheaf_dev.cli.demo:demo")
app.command("sheaf_dev.cli.process:process")
app.command("sheaf_dev.cli.up:up")
app.command("sheaf_dev.cli.up:supervise", show=False)
app.command("sheaf_dev.cli.down:down")
app.command("sheaf_dev.cli.status:status")
app.command("sheaf_dev.cli.config:config")
app.command("sheaf_dev.cli.test:test")
app.command("sheaf_dev.cli.check:check")
app.command("sheaf_dev.cli.proto:proto")


def run(arguments: list[str]) -> int:
    """Runs one command; returns its exit code. Expected errors are one line on stderr."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print(f"sheaf: {error}", file=sys.stderr)
        return USAGE_ERROR
    except DevError as error:
        print(f"sheaf: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return code if isinstance(code, int) else 0
