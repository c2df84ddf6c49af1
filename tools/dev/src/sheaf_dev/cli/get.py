"""`./sheaf get`: one document, or what is in it."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cyclopts import CycloptsError, Parameter

from sheaf_client import Batch, Client, Document, NotFoundError
from sheaf_dev.asking import AsJson, asking, print_json, shown
from sheaf_dev.cli.list_ import show_documents
from sheaf_dev.connection import say
from sheaf_dev.outcomes import show_table

Flag = Annotated[bool, Parameter(negative=())]
_STDOUT: Final = Path("-")


def get(
    identifier: Annotated[str, Parameter(name="ID")],
    /,
    *,
    json_: AsJson = False,
    text: Flag = False,
    markdown: Flag = False,
    result: Flag = False,
    original: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    thumbnail: Path | None = None,
    page: int = 1,
) -> int:
    """Show a document, or a batch with its documents; or print what was found in a document.

    Args:
        identifier: A document or a batch.
        json_: Print it as JSON.
        text: Print its text.
        markdown: Print it as Markdown.
        result: Print its result, JSON with all that was found.
        original: Write the file as it was uploaded here, whole and checked; - prints it.
        thumbnail: Write the picture of a page here, as WebP.
        page: Which page's.
    """
    wanted = {
        "--json": json_, "--text": text, "--markdown": markdown, "--result": result,
        "--original": original is not None, "--thumbnail": thumbnail is not None,
    }  # fmt: skip
    asked = [name for name, is_wanted in wanted.items() if is_wanted]
    if len(asked) > 1:
        raise CycloptsError(f"{asked[0]} and {asked[1]} cannot be had at once")
    with asking() as sheaf:
        if text:
            _print(sheaf.text(identifier))
        elif markdown:
            _print(sheaf.markdown(identifier))
        elif result:
            print_json(sheaf.result(identifier))
        elif original is not None:
            _write_original(sheaf, identifier, original)
        elif thumbnail is not None:
            thumbnail.write_bytes(sheaf.thumbnail(identifier, page=page))
            say(f"written to {thumbnail}")
        else:
            found = _document_or_batch(sheaf, identifier)
            print_json(found) if json_ else _show(found)
    return 0


def _document_or_batch(sheaf: Client, identifier: str) -> Document | Batch:
    try:
        return sheaf.get_document(identifier)
    except NotFoundError as not_a_document:
        try:
            return sheaf.get_batch(identifier)
        except NotFoundError:
            raise not_a_document from None


def _write_original(sheaf: Client, identifier: str, target: Path) -> None:
    if target != _STDOUT:
        say(f"written to {sheaf.download(identifier, target)}")
        return
    with ExitStack() as stack:
        for piece in stack.enter_context(sheaf.content(identifier)):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _print(text: str) -> None:
    """As it is: it may go to a file. A terminal is spared what is not to be printed."""
    if sys.stdout.isatty():
        text = "\n".join(map(shown, text.replace("\f", "\n").split("\n")))
    sys.stdout.buffer.write(text.encode())
    if not text.endswith("\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def _show(found: Document | Batch) -> None:
    if isinstance(found, Document):
        show_table(("field", "value"), _rows(msgspec.to_builtins(found)))
        return
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.counts.items()))
    ended = "has ended" if found.finished_at else "goes on"
    print(f"batch {found.id} {ended}: {counts or 'no documents'}")
    show_documents(list(found.documents))


def _rows(fields: dict[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for name, value in fields.items():
        if isinstance(value, dict) and name != "metadata":
            rows += _rows(value, f"{prefix}{name}.")
        elif value is not None and value != ():
            text = value if isinstance(value, str | int) else msgspec.json.encode(value).decode()
            rows.append((f"{prefix}{name}", shown(str(text))))
    return rows
