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
app.command(
    "sheaf_dev.cli.demo:demo",
    help="Send sample documents through the whole system and show what came out.",
)
app.command(
    "sheaf_dev.cli.process:process",
    help="Send files or folders to the running stack; show what came out.",
)
app.command("sheaf_dev.cli.list_:list_", name="list", help="List documents of the running stack.")
app.command("sheaf_dev.cli.get:get", help="Show a document, or print what was found in it.")
app.command("sheaf_dev.cli.watch:watch", help="Follow documents, batches or everything, live.")
app.command("sheaf_dev.cli.act:cancel", help="Cancel documents.")
app.command("sheaf_dev.cli.act:reprocess", help="Read documents that have ended again.")
app.command("sheaf_dev.cli.act:delete", help="Delete documents or batches, for good.")
app.command("sheaf_dev.cli.keys:keys", name="keys", help="List, make and revoke API keys.")
app.command("sheaf_dev.cli.up:up", help="Start the servers and services; print where they are.")
app.command("sheaf_dev.cli.up:supervise", show=False)
app.command("sheaf_dev.cli.down:down", help="Stop them; the data stays.")
app.command("sheaf_dev.cli.status:status", help="Show each process with its port and health.")
app.command(
    "sheaf_dev.cli.kpis:kpis", help="Show the targets of the running stack, with live values."
)
app.command(
    "sheaf_dev.cli.config:config", help="Print the configuration in force, by variable name."
)
app.command(
    "sheaf_dev.cli.bench:bench",
    name="bench",
    help="Measure: a load test, the pools alone, or a scenario.",
)
app.command(
    "sheaf_dev.cli.quality:quality",
    help="Read a labelled folder; show recall, precision, CPU and failures.",
)
app.command("sheaf_dev.cli.test:test", help="Run the whole test suite, against real servers.")
app.command("sheaf_dev.cli.check:check", help="Format, lint, types, protos, imports.")
app.command("sheaf_dev.cli.proto:proto", help="Generate the code in proto/src again.")


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
