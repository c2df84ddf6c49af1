"""The clients of a load test: they upload when it is due, follow what they sent, read beside it.

An open loop: what is due begins, however slow what began before it. Nothing is tried again, and
every call has a deadline; what comes to nothing is an error, by kind: `http_STATUS`,
`timeout_CALL`, `connection`, `bad_answer`, `rejected_CODE`, `ended_STATUS_REASON`.
"""

import asyncio
import itertools
import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any, Final

import aiohttp
from yarl import URL

from sheaf_dev.bench.load.job import Findings, Job
from sheaf_dev.bench.load.schedule import Schedule, when_due

UPLOAD_S: Final = 30.0
READ_S: Final = 30.0
RESULT_S: Final = 120.0
"""After the last upload was due."""
_WAIT_S: Final = 20.0
_GRACE_S: Final = 10.0
"""What a long poll may take beyond its wait."""
_PAUSE_S: Final = 0.5
"""Before a document is asked for again that the server would not wait for."""
_RECENT: Final = 1000
_PRIME_TRIES: Final = 20
PRIME_S: Final = 60.0
WARM_UP_DRAIN_S: Final = 60.0
_TERMINAL: Final = frozenset({"completed", "failed", "quarantined", "cancelled"})
_FILE_REFUSED: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers that are about a file; for one of a corpus, an end like another."""


class TargetRefuses(Exception):
    """The system takes no document: there is nothing to measure."""


class _Failed(Exception):
    """A call came to nothing; the text is the kind of error."""


@dataclass(slots=True)
class Tally:
    """What the clients saw so far; latencies in seconds from due times."""

    offered: int = 0
    completed: int = 0
    repeated: int = 0
    requests: int = 0
    ended: int = 0
    accept_s: list[float] = field(default_factory=list)
    status_s: list[float] = field(default_factory=list)
    result_s: list[float] = field(default_factory=list)
    lag_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def findings(self, cpu_s: float, elapsed_s: float) -> Findings:
        """In milliseconds."""
        return Findings(
            offered=self.offered,
            completed=self.completed,
            repeated=self.repeated,
            requests=self.requests,
            accept_ms=_milliseconds(self.accept_s),
            status_ms=_milliseconds(self.status_s),
            result_ms=_milliseconds(self.result_s),
            lag_ms=_milliseconds(self.lag_s),
            errors=dict(self.errors),
            cpu_s=cpu_s,
            elapsed_s=elapsed_s,
        )


class Clients:
    """All clients of one generator. `session` stays the caller's."""

    def __init__(self, session: aiohttp.ClientSession, job: Job) -> None:
        self._session = session
        self._job = job
        self._is_corpus = job.plan.corpus is not None
        self._numbers = itertools.count()
        self._boundary = f"sheaf-load-{job.run:08x}"
        self._asked = (
            f"--{self._boundary}\r\n"
            'Content-Disposition: form-data; name="duplicates"\r\n\r\n'
            f"{job.plan.duplicates}\r\n"
        ).encode()
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._random = Random(f"reads/{job.plan.seed}")  # noqa: S311 # which to read: no secret
        self._documents_url = f"{job.url.rstrip('/')}/v1/documents"
        self._upload_headers = {"Content-Type": f"multipart/form-data; boundary={self._boundary}"}

    async def prime(self) -> None:
        """Sends a document and waits for its end: there is one to read from now on.

        Raises:
            TargetRefuses: none of the first documents is accepted.
        """
        reason = ""
        for _ in range(_PRIME_TRIES):
            try:
                status, answer = await self._call("POST", UPLOAD_S, "upload", body=self._form(1)[0])
            except _Failed as failed:
                reason = str(failed)
                continue
            accepted = _accepted(answer)
            if accepted:
                self._recent.extend(accepted)
                now = asyncio.get_running_loop().time()
                await self._follow(accepted[0], now, now + PRIME_S, Tally())
                return
            reason = f"{status} {answer.get('code', '')} {answer.get('detail', '')}".strip()
            if not self._is_corpus:
                break
        raise TargetRefuses(f"the system at {self._job.url} accepts no document: {reason}")

    async def offer(self, schedule: Schedule, tally: Tally, drain_s: float = RESULT_S) -> None:
        """Does everything when it is due; returns when all has ended, or was given up.

        `drain_s` after the last upload was due every document that has not ended is given up.
        `tally` takes up what comes of it, as it comes.
        """
        loop = asyncio.get_running_loop()
        start = loop.time()
        give_up_s = start + schedule.uploads_s[-1] + drain_s
        uploads = ((due_s, True) for due_s in schedule.uploads_s)
        reads = ((due_s, False) for due_s in schedule.reads_s)
        calls = sorted((*uploads, *reads))
        async with asyncio.TaskGroup() as group:
            async for number, due in when_due([due_s for due_s, _ in calls], start):
                _, is_upload = calls[number]
                if is_upload:
                    group.create_task(self._upload(due, give_up_s, tally))
                else:
                    group.create_task(self._read(due, tally))

    async def _upload(self, due: float, give_up_s: float, tally: Tally) -> None:
        loop = asyncio.get_running_loop()
        tally.lag_s.append(max(0.0, loop.time() - due))
        tally.offered += self._job.plan.files
        tally.requests += 1
        body, repeated = self._form(self._job.plan.files)
        tally.repeated += repeated
        try:
            status, answer = await self._call("POST", UPLOAD_S, "upload", body=body)
        except _Failed as failed:
            tally.errors[str(failed)] += 1
            return
        if status != HTTPStatus.ACCEPTED:
            if not (self._is_corpus and status in _FILE_REFUSED):
                tally.errors[f"http_{status}"] += 1
            return
        tally.accept_s.append(loop.time() - due)
        accepted = _accepted(answer)
        self._recent.extend(accepted)
        if not self._is_corpus:
            tally.errors.update(_rejected(answer))
        async with asyncio.TaskGroup() as group:
            for document_id in accepted:
                group.create_task(self._follow(document_id, due, give_up_s, tally))

    async def _follow(self, document_id: str, due: float, give_up_s: float, tally: Tally) -> None:
        """Waits for a document's end. Only what needed no recognition counts in `result`."""
        loop = asyncio.get_running_loop()
        while (left_s := give_up_s - loop.time()) > 0:
            wait_s = min(_WAIT_S, left_s)
            asked = loop.time()
            tally.requests += 1
            path = f"/{document_id}?wait={wait_s:.3f}&fields=status,reason,progress"
            try:
                document = await self._document(path, wait_s + _GRACE_S, "poll")
            except _Failed as failed:
                tally.errors[str(failed)] += 1
                return
            if document.get("status") in _TERMINAL:
                self._ended(document, loop.time() - due, tally)
                return
            if loop.time() - asked < wait_s / 2:
                await asyncio.sleep(_PAUSE_S)
        tally.errors["timeout_result"] += 1

    def _ended(self, document: dict[str, Any], latency_s: float, tally: Tally) -> None:
        tally.ended += 1
        status, reason = document["status"], document.get("reason")
        is_completed = status == "completed"
        if is_completed:
            tally.completed += 1
        elif not (self._is_corpus and reason):
            tally.errors[f"ended_{status}_{reason}"] += 1
            return
        if not document.get("progress"):
            tally.result_s.append(latency_s)

    async def _read(self, due: float, tally: Tally) -> None:
        """A status at a random moment, of a document that was sent lately."""
        loop = asyncio.get_running_loop()
        tally.lag_s.append(max(0.0, loop.time() - due))
        tally.requests += 1
        path = f"/{self._random.choice(self._recent)}?fields=status"
        try:
            await self._document(path, READ_S, "read")
        except _Failed as failed:
            tally.errors[str(failed)] += 1
        else:
            tally.status_s.append(loop.time() - due)

    async def _document(self, path: str, deadline_s: float, call: str) -> dict[str, Any]:
        status, document = await self._call("GET", deadline_s, call, path=path)
        if status != HTTPStatus.OK:
            raise _Failed(f"http_{status}")
        return document

    async def _call(
        self, method: str, deadline_s: float, call: str, *, path: str = "", body: bytes = b""
    ) -> tuple[int, dict[str, Any]]:
        url = URL(self._documents_url + path, encoded=True)
        headers = self._upload_headers if body else None
        try:
            async with (
                asyncio.timeout(deadline_s),
                self._session.request(method, url, data=body or None, headers=headers) as answer,
            ):
                content = await answer.read()
        except TimeoutError as error:
            raise _Failed(f"timeout_{call}") from error
        except aiohttp.ClientError as error:
            raise _Failed("connection") from error
        return answer.status, _object_of(content, answer.status)

    def _form(self, files: int) -> tuple[bytes, int]:
        """The body of an upload, and how many of its files were sent before as they are."""
        pieces = [self._asked]
        repeated = 0
        for number in itertools.islice(self._numbers, files):
            contents = self._job.contents
            content = contents[number % len(contents)]
            repeated += number >= len(contents) and not content.stamped
            stamp = f"{self._job.run:08x}{number:024x}".encode()
            pieces += (self._part_head(content.filename), content.bytes_with(stamp), b"\r\n")
        pieces.append(f"--{self._boundary}--\r\n".encode())
        return b"".join(pieces), repeated

    def _part_head(self, filename: str) -> bytes:
        """With the name escaped as browsers do."""
        escaped = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        return (
            f"--{self._boundary}\r\n"
            f'Content-Disposition: form-data; name="files"; filename="{escaped}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()


def _object_of(content: bytes, status: int) -> dict[str, Any]:
    """The answer as JSON; nothing of an error's, which need not come from the API itself."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if status < HTTPStatus.BAD_REQUEST:
        raise _Failed("bad_answer")
    return {}


def _accepted(answer: dict[str, Any]) -> Sequence[str]:
    return [each["id"] for each in answer.get("documents", ()) if each["status"] != "rejected"]


def _rejected(answer: dict[str, Any]) -> Sequence[str]:
    documents = answer["documents"]
    return [
        f"rejected_{each['problem']['code']}" for each in documents if each["status"] == "rejected"
    ]


def _milliseconds(values_s: Sequence[float]) -> Sequence[float]:
    return [round(value * 1000, 3) for value in values_s]
