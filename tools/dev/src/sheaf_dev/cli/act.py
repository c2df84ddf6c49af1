"""`./sheaf cancel`, `reprocess` and `delete`: what becomes of documents."""

import sys
from typing import Annotated

from cyclopts import CycloptsError, Parameter

from sheaf_client import Client, Document, OcrMode, ReprocessOptions
from sheaf_dev.asking import AsJson, asking, for_each, print_json, shown
from sheaf_dev.connection import say

_REFUSED = 1
Identifiers = Annotated[str, Parameter(name="ID")]
Flag = Annotated[bool, Parameter(negative=())]


def cancel(*identifiers: Identifiers, json_: AsJson = False) -> int:
    """Cancel documents: what waits or is worked on ends within seconds.

    One that has ended stays as it is. Exits with 1 if one was refused.

    Args:
        identifiers: Documents.
        json_: Print each as it is then, one JSON object a line.
    """
    _some(identifiers)
    with asking() as sheaf:
        refused = for_each(identifiers, lambda each: _tell(sheaf.cancel(each), as_json=json_))
    return _REFUSED if refused else 0


def reprocess(
    *identifiers: Identifiers,
    words: bool | None = None,
    ocr: OcrMode | None = None,
    ocr_language: Annotated[tuple[str, ...] | None, Parameter(negative=())] = None,
    pages: str | None = None,
    password: str | None = None,
    after_attempt: int | None = None,
    json_: AsJson = False,
) -> int:
    """Read documents that have ended again; what is not given stays as it was asked before.

    Exits with 1 if one was refused.

    Args:
        identifiers: Documents.
        words: Have the words with their boxes in the result, or not.
        ocr: When pages are recognised: auto, always or never.
        ocr_language: A language to recognise, as ISO 639-3 has it; may be repeated.
        pages: Only these, such as 1-3,7,10-.
        password: Opens an encrypted one.
        after_attempt: Only if this attempt was the last.
        json_: Print each as it is then, one JSON object a line.
    """
    _some(identifiers)
    asked = ReprocessOptions(
        words=words,
        ocr=ocr,
        ocr_languages=ocr_language,
        pages=pages,
        password=password,
        after_attempt=after_attempt,
    )
    with asking() as sheaf:
        refused = for_each(
            identifiers, lambda each: _tell(sheaf.reprocess(each, **asked), as_json=json_)
        )
    return _REFUSED if refused else 0


def delete(
    *identifiers: Identifiers, batch: Flag = False, yes: Flag = False, json_: AsJson = False
) -> int:
    """Delete documents and all that was found in them, for good; work on them is stopped.

    Asks before. Exits with 1 if one was refused.

    Args:
        identifiers: Documents.
        batch: They are batches: each goes with all its documents.
        yes: Do not ask.
        json_: Print the id of each, one JSON object a line.
    """
    _some(identifiers)
    if not yes and not _confirmed(len(identifiers), "batch" if batch else "document"):
        say("nothing was deleted")
        return _REFUSED

    def act(sheaf: Client, identifier: str) -> None:
        (sheaf.delete_batch if batch else sheaf.delete_document)(identifier)
        if json_:
            print_json({"id": identifier, "deleted": True})
        else:
            print(f"{identifier}  deleted", flush=True)

    with asking() as sheaf:
        refused = for_each(identifiers, lambda each: act(sheaf, each))
    return _REFUSED if refused else 0


def _some(identifiers: tuple[str, ...]) -> None:
    if not identifiers:
        raise CycloptsError("which ones? At least one ID is needed")


def _confirmed(count: int, noun: str) -> bool:
    if not sys.stdin.isatty():
        raise CycloptsError("nobody can be asked here: --yes deletes without asking")
    plural = {"batch": "batches"}.get(noun, f"{noun}s")
    print(f"Delete {count} {noun if count == 1 else plural} for good? [y/N] ", end="",
          file=sys.stderr, flush=True)  # fmt: skip
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _tell(document: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        print(f"{document.id}  {document.status}  {shown(document.filename)}", flush=True)
