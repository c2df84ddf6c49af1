"""A walk through the tree of a page: what a reader sees, as blocks in order."""

import re
import time
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from resiliparse.parse.html import ElementNode, HTMLTree

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.html.blocks import (
    Block,
    Heading,
    Item,
    Paragraph,
    Preformatted,
    Seen,
)
from sheaf_orchestrator.extraction.html.tables import MAX_COLUMNS, Cell, Frame
from sheaf_orchestrator.extraction.limits import Limits

_UNSEEN: Final = frozenset(
    {
        *("script", "style", "head", "template", "noscript", "svg", "math", "object", "embed"),
        *("audio", "video", "canvas", "datalist", "title", "meta", "link", "input", "#comment"),
    }
)
_BLOCKS: Final = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog"),
        *("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr"),
        *("html", "iframe", "legend", "main", "menu", "nav", "option", "p", "section", "select"),
        *("summary", "textarea", "tbody", "tfoot"),
    }
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "ftp", "ftps"})
_HIDING: Final = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_SPACES: Final = re.compile(r"[ \t\n\r\f\xa0]+")
_SINGLE: Final = re.compile(r"(?<!\n)\n(?!\n)")
_MANY: Final = re.compile(r"\n{3,}")
_WHOLE: Final = re.compile(r"\d{1,6}")
_TABLES_DEEP: Final = 20
_LISTS_DEEP: Final = 20
_MAX_ADDRESS: Final = 4_096
_MAX_LINK_TEXT: Final = 1_000
_MAX_INNER: Final = 100
_LOOK_EVERY: Final = 1_024


class Walk:
    """Walks once; ``seen`` holds what was found. Iterative: a page may nest without end."""

    def __init__(self, limits: Limits, deadline: float, base: str | None) -> None:
        self.seen = Seen()
        self._limits, self._deadline, self._base = limits, deadline, base
        self._cells = limits.table_cells
        self._out: list[Block] = self.seen.blocks
        self._pieces: list[tuple[str, str | None]] = []
        self._address: str | None = None
        self._linked: list[str] = []
        self._heading = self._preformatted = self._quoted = 0
        self._lists: list[int | None] = []
        self._item: tuple[int, int | None] | None = None
        self._frames: list[Frame] = []
        self._inner: list[HTMLTree] = []
        self._starts: dict[str, Callable[[Any], None]] = {
            "a": self._start_link,
            "br": self._break,
            "caption": self._start_caption,
            "img": self._picture,
            "li": self._start_item,
            "ol": self._start_numbered,
            "table": self._start_table,
            "td": self._start_cell,
            "th": self._start_cell,
            "thead": self._start_head,
            "tr": self._start_row,
            "ul": self._start_list,
        }
        self._ends: dict[str, Callable[[], None]] = {
            "a": self._end_link,
            "caption": self._end_caption,
            "li": self._end_item,
            "ol": self._end_list,
            "table": self._end_table,
            "td": self._end_cell,
            "th": self._end_cell,
            "thead": self._end_head,
            "tr": self._flush,
            "ul": self._end_list,
        }

    def run(self, root: Any) -> Seen:
        """Everything below ``root``."""
        opened: list[tuple[Any, str]] = []
        node, steps = root.first_child, 0
        while node is not None:
            steps += 1
            if steps % _LOOK_EVERY == 0 and time.monotonic() > self._deadline:
                self.seen.late = True
                break
            tag = node.tag or ""
            inside = self._enter(node, tag)
            if inside is not None:
                opened.append((node, tag))
                node = inside
                continue
            node = node.next_sibling
            while node is None and opened:
                above, tag = opened.pop()
                self._leave(tag)
                node = above.next_sibling
        while opened:
            self._leave(opened.pop()[1])
        self._flush()
        return self.seen

    def _enter(self, node: Any, tag: str) -> Any:
        """Take what the node itself tells; its first child if its inside is to be seen."""
        if tag == "#text":
            text = node.node_value or ""
            self._pieces.append((text, self._address))
            if self._address:
                self._linked.append(text)
            return None
        if tag in _UNSEEN or not isinstance(node, ElementNode) or self._is_hidden(node):
            return None
        start = self._starts.get(tag)
        if start is not None:
            start(node)
        elif tag in _HEADINGS:
            self._flush()
            self._heading = _HEADINGS[tag]
        elif tag == "pre":
            self._flush()
            self._preformatted += 1
        elif tag in _BLOCKS:
            self._flush()
            self._quoted += tag == "blockquote"
        inside = self._inner_page(node) if tag == "iframe" else node.first_child
        if inside is None:
            self._leave(tag)
        return inside

    def _leave(self, tag: str) -> None:
        end = self._ends.get(tag)
        if end is not None:
            end()
        elif tag in _HEADINGS:
            self._flush()
            self._heading = 0
        elif tag == "pre":
            self._flush()
            self._preformatted = max(0, self._preformatted - 1)
        elif tag in _BLOCKS:
            self._flush()
            self._quoted -= tag == "blockquote"

    @staticmethod
    def _is_hidden(node: Any) -> bool:
        names = node.attrs
        if not names:
            return False
        return "hidden" in names or ("style" in names and bool(_HIDING.search(node["style"])))

    def _inner_page(self, node: Any) -> Any:
        """What a frame shows when the page itself holds it."""
        source = node.getattr("srcdoc")
        if not source or len(self._inner) >= _MAX_INNER:
            return None
        tree = HTMLTree.parse(source)
        self._inner.append(tree)
        return tree.body.first_child if tree.body is not None else None

    # --- text between blocks

    def _flush(self) -> None:
        """Close the block that is open: what was collected since the last."""
        pieces, self._pieces = self._pieces, []
        if not any(not text.isspace() for text, _ in pieces):
            return
        if self._preformatted:
            self._out.append(Preformatted("".join(text for text, _ in pieces).strip("\r\n")))
            return
        text = _tidy("".join(_flat(text) for text, _ in pieces))
        if self._heading:
            self._out.append(Heading(self._heading, text.replace("\n", " ")))
        elif self._item is not None:
            self._out.append(Item(text, *self._item))
            self._item = None
        else:
            self._out.append(Paragraph(text, self._marked(text, pieces)))

    def _marked(self, text: str, pieces: list[tuple[str, str | None]]) -> str | None:
        if self._quoted <= 0 and "\n" not in text and not any(url for _, url in pieces):
            return None
        # A link may be in several pieces, for the markup within it.
        marked = "".join(
            _linked(_flat("".join(text for text, _ in group)), url)
            for url, group in groupby(pieces, key=itemgetter(1))
        )
        marked = _SINGLE.sub("\\\\\n", _tidy(marked))
        if self._quoted > 0:
            marked = "> " + marked.replace("\n", "\n> ")
        return marked

    def _break(self, node: Any) -> None:
        del node
        self._pieces.append(("\n" if self._preformatted else _BREAK, self._address))

    def _picture(self, node: Any) -> None:
        if alt := node.getattr("alt"):
            self._pieces.append((f" {alt} ", self._address))

    def _start_link(self, node: Any) -> None:
        self._address, self._linked = self._resolved(node.getattr("href")), []

    def _end_link(self) -> None:
        if self._address:
            text = _tidy(_flat("".join(self._linked)))[:_MAX_LINK_TEXT]
            self.seen.links.append((self._address, text))
        self._address = None

    def _resolved(self, address: str | None) -> str | None:
        """The address when it leads out of the page, absolute; else None."""
        if not address or len(address) > _MAX_ADDRESS:
            return None
        try:
            whole = urljoin(self._base, address.strip()) if self._base else address.strip()
            return whole if urlsplit(whole).scheme.lower() in _SCHEMES else None
        except ValueError:  # no address at all
            return None

    # --- lists

    def _start_list(self, node: Any) -> None:
        del node
        self._flush()
        self._lists.append(None)

    def _start_numbered(self, node: Any) -> None:
        self._flush()
        self._lists.append(_number(node.getattr("start"), 1) - 1)

    def _end_list(self) -> None:
        self._flush()
        if self._lists:
            self._lists.pop()

    def _start_item(self, node: Any) -> None:
        del node
        self._flush()
        depth = min(max(len(self._lists) - 1, 0), _LISTS_DEEP)
        number = self._lists[-1] if self._lists else None
        if number is not None:
            number = self._lists[-1] = number + 1
        self._item = (depth, number)

    def _end_item(self) -> None:
        self._flush()
        self._item = None

    # --- tables

    def _start_table(self, node: Any) -> None:
        self._flush()
        for frame in self._frames[-1:]:
            frame.layout = True
        role = (node.getattr("role") or "").lower()
        self._frames.append(
            Frame(
                before=self._out,
                lists=self._lists,
                layout=role in {"presentation", "none"} or len(self._frames) >= _TABLES_DEEP,
            )
        )
        self._lists, self._item = [], None
        if len(self._frames) <= _TABLES_DEEP:
            self._out = self._frames[-1].loose

    def _end_table(self) -> None:
        self._flush()
        frame = self._frames.pop()
        self._lists, self._out = frame.lists, frame.before
        if len(self._frames) >= _TABLES_DEEP:
            return  # its blocks went straight to where the table stands
        grid, cut = frame.grid(self._cells)
        self.seen.cut |= cut
        if grid is None:
            self._out += frame.flat()
        else:
            self._cells -= sum(map(len, grid.rows))
            self._out.append(grid)

    @property
    def _frame(self) -> Frame | None:
        """The table whose rows are read; None outside and where tables lie too deep."""
        return self._frames[-1] if 0 < len(self._frames) <= _TABLES_DEEP else None

    def _start_head(self, node: Any) -> None:
        del node
        self._flush()
        if self._frame is not None:
            self._frame.in_head = not self._frame.rows

    def _end_head(self) -> None:
        self._flush()
        if self._frame is not None:
            self._frame.in_head = False

    def _start_row(self, node: Any) -> None:
        del node
        self._flush()
        if (frame := self._frame) is not None:
            frame.rows.append([])
            frame.heads += frame.in_head

    def _start_cell(self, node: Any) -> None:
        self._flush()
        if (frame := self._frame) is None or not frame.rows:
            return
        cell = Cell(
            head=node.tag == "th",
            columns=min(max(_number(node.getattr("colspan"), 1), 1), MAX_COLUMNS),
            rows=_number(node.getattr("rowspan"), 1) or self._limits.table_cells,
        )
        frame.rows[-1].append(cell)
        self._out = cell.blocks

    def _end_cell(self) -> None:
        self._flush()
        if (frame := self._frame) is not None:
            self._out = frame.loose

    def _start_caption(self, node: Any) -> None:
        del node
        self._flush()
        if (frame := self._frame) is not None:
            self._out = frame.caption

    def _end_caption(self) -> None:
        self._end_cell()


_BREAK: Final = "\v"
"""A line break until white space is flattened: no text of a page keeps a vertical tab."""


def _flat(text: str) -> str:
    return _SPACES.sub(" ", text)


def _linked(text: str, url: str | None) -> str:
    """Its Markdown; the spaces around a link stay outside of it."""
    label = text.strip(f" {_BREAK}")
    if not url or not label:
        return markdown.escape(text)
    begin = text.index(label)
    return text[:begin] + markdown.link(label, url) + text[begin + len(label) :]


def _tidy(text: str) -> str:
    """Single spaces, none at the ends of lines, and a line for each break."""
    lines = (_SPACES.sub(" ", line).strip() for line in text.split(_BREAK))
    return _MANY.sub("\n\n", "\n".join(lines)).strip("\n")


def _number(text: str | None, otherwise: int) -> int:
    found = _WHOLE.match((text or "").strip())
    return int(found[0]) if found else otherwise
