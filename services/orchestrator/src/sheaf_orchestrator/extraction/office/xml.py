"""XML of a stranger: no document types, no entities, no network, bounded memory.

A part is read whole, as a tree, when it is small by nature; a part that may be large is a
``Stream``: elements are handed out as they end, and given back by ``drop``.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from lxml import etree
from lxml.etree import _Element as Element

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import MIB
from sheaf_orchestrator.extraction.office.package import Member, Package
from sheaf_orchestrator.extraction.reasons import Reason

__all__ = ["TREE_BYTES", "Element", "Stream", "local", "parse", "parse_bytes", "translated"]

TREE_BYTES: Final = 12 * MIB
"""Most XML that is held as a tree; of the worst kind it takes 30 times that."""
_CHUNK_BYTES: Final = 64 * 1024
_STRICT: Final = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_TRANSITIONAL: Final = rb"http://schemas.openxmlformats.org/\1/2006/"


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def local(element: Element) -> str:
    """The element's name without its namespace; empty for what is no element."""
    tag = element.tag
    return _local(tag) if isinstance(tag, str) else ""


def translated(data: bytes) -> bytes:
    """The namespaces of ISO 29500 Strict as those of Transitional, which readers here know."""
    return _STRICT.sub(_TRANSITIONAL, data) if b"purl.oclc.org/ooxml" in data else data


def parse(package: Package, name: str) -> Element:
    """A part as a tree.

    Raises KeyError if there is none, ExtractionError: DAMAGED, MEMORY_LIMIT, ARCHIVE_LIMIT.
    """
    return parse_bytes(package.read(name, TREE_BYTES))


def parse_bytes(data: bytes) -> Element:
    """A small XML text as a tree. Raises ExtractionError: DAMAGED."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(translated(data), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _damaged(error) from error
    _check_doctype(root)
    return root


class Stream:
    """The elements of some names in a large part, at their start and at their end.

    Whoever iterates calls ``drop`` for each element that is done, so that memory holds one
    block at a time; a block that never ends is refused.
    """

    def __init__(self, member: Member, tags: tuple[str, ...]) -> None:
        self._member, self._tags = member, tags
        self._since_drop = 0
        self._first = True

    def read(self, size: int) -> bytes:
        """What the parser takes next."""
        data = self._member.read(min(size, _CHUNK_BYTES))
        self._since_drop += len(data)
        if self._since_drop > TREE_BYTES:
            message = f"One block of the document has over {TREE_BYTES // MIB} MiB."
            raise ExtractionError(Reason.MEMORY_LIMIT, message)
        if self._first:
            self._first = False
            data = translated(data)
        return data

    def __iter__(self) -> Iterator[tuple[str, Element]]:
        """Raises ExtractionError: DAMAGED, MEMORY_LIMIT, ARCHIVE_LIMIT."""
        events = etree.iterparse(
            self,
            events=("start", "end"),
            tag=self._tags,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )
        checked = False
        try:
            for event, element in events:
                if not checked:
                    checked = True
                    _check_doctype(element)
                yield event, element
        except (etree.XMLSyntaxError, ValueError) as error:
            raise _damaged(error) from error

    def drop(self, element: Element) -> None:
        """Forget the element's content and all that came before it."""
        self._since_drop = 0
        element.clear(keep_tail=False)
        while (parent := element.getparent()) is not None:
            while element.getprevious() is not None:
                del parent[0]
            element = parent


def _check_doctype(element: Element) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        message = "The document is damaged: its XML declares a document type."
        raise ExtractionError(Reason.DAMAGED, message)


def _damaged(error: Exception) -> ExtractionError:
    if "Excessive depth" in str(error):
        message = "The document is damaged: its XML is nested too deep."
    else:
        message = "The document is damaged: its XML is not well-formed."
    return ExtractionError(Reason.DAMAGED, message)
