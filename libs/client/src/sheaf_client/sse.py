"""Server-sent events, parsed as they arrive (https://html.spec.whatwg.org/ 9.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sheaf_client.errors import AnswerInvalid

MAX_LINE_BYTES: Final = 64 * 1024
MAX_DATA_BYTES: Final = 256 * 1024
_CR, _LF = 0x0D, 0x0A


@dataclass(frozen=True, slots=True)
class Message:
    """One event. `data` is its lines joined by newlines."""

    name: str
    data: str


class SseParser:
    """Parses one stream, however it is cut. Memory is bounded: see the two limits.

    `last_id` is what to go on after, None before the server names one; `retry_s` is how long
    it asks to wait before connecting again, None if it does not.
    """

    def __init__(self) -> None:
        self.last_id: str | None = None
        self.retry_s: float | None = None
        self._line = bytearray()
        self._after_cr = False
        self._is_first = True
        self._name = ""
        self._id: str | None = None
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole now. Raises AnswerInvalid if one is above a limit."""
        for line in self._lines(data):
            if (message := self._take(line)) is not None:
                yield message

    def _lines(self, data: bytes) -> Iterator[str]:
        """A line ends with CR, LF or both, which may be cut apart."""
        for piece in data.splitlines(keepends=True):
            if self._after_cr and piece == b"\n" and not self._line:
                self._after_cr = False
                continue
            self._after_cr = piece.endswith(b"\r")
            self._line += piece
            if len(self._line) > MAX_LINE_BYTES:
                raise AnswerInvalid(f"a line of the stream is over {MAX_LINE_BYTES} bytes")
            if piece[-1] in {_CR, _LF}:
                line = self._line.rstrip(b"\r\n").decode(errors="replace")
                self._line.clear()
                yield line.removeprefix("\ufeff") if self._is_first else line
                self._is_first = False

    def _take(self, line: str) -> Message | None:
        if not line:
            return self._dispatched()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._size += len(value)
            if self._size > MAX_DATA_BYTES:
                raise AnswerInvalid(f"an event is over {MAX_DATA_BYTES} characters")
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_s = int(value) / 1000
        return None

    def _dispatched(self) -> Message | None:
        if self._id is not None:
            self.last_id = self._id
        message = Message(self._name or "message", "\n".join(self._data)) if self._data else None
        self._reset()
        return message

    def _reset(self) -> None:
        self._name = ""
        self._id = None
        self._data = []
        self._size = 0
