"""What the bench gives its generator, and what it gets back.

bench                                     generator
job and documents in a folder    ──▶      reads them, connects, warms up, waits for the end
                                 ◀──      {"event": "ready", "priority": …}
begins to measure, "go"          ──▶      offers the rate, waits for the end
                                 ◀──      {"event": "progress", …} each second, {"event": "done"}
reads the findings
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from sheaf_dev.bench.load.content import Content
from sheaf_dev.bench.load.plan import LoadPlan, Mix

GO: Final = b"go\n"
_JOB: Final = "job.json"
_CONTENTS: Final = "contents.bin"
_FINDINGS: Final = "findings.json"


@dataclass(frozen=True, slots=True)
class Job:
    """A rate to offer. `run` is a number that no other run on this system had."""

    url: str
    api_key: str
    plan: LoadPlan
    rate: float
    run: int
    contents: Sequence[Content]

    def write(self, folder: Path) -> None:
        """The key is in it: the folder must be its owner's alone."""
        pieces: list[bytes] = []
        listed: list[tuple[str, int, int, bool]] = []
        for content in self.contents:
            pieces += (content.before, content.after)
            sizes = (len(content.before), len(content.after))
            listed.append((content.filename, *sizes, content.stamped))
        (folder / _CONTENTS).write_bytes(b"".join(pieces))
        plan = asdict(self.plan)
        plan["corpus"] = None if self.plan.corpus is None else str(self.plan.corpus)
        described = {
            "url": self.url,
            "api_key": self.api_key,
            "plan": plan,
            "rate": self.rate,
            "run": self.run,
            "contents": listed,
        }
        (folder / _JOB).write_text(json.dumps(described))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What `write` wrote."""
        described: dict[str, Any] = json.loads((folder / _JOB).read_bytes())
        plan: dict[str, Any] = described["plan"]
        plan["mix"] = Mix(**plan["mix"])
        plan["corpus"] = None if plan["corpus"] is None else Path(plan["corpus"])
        contents: list[Content] = []
        with (folder / _CONTENTS).open("rb") as pieces:
            for filename, before, after, stamped in described["contents"]:
                parts = pieces.read(before), pieces.read(after)
                contents.append(Content(filename, *parts, stamped))
        described |= {"plan": LoadPlan(**plan), "contents": contents}
        return cls(**described)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a generator's clients saw. Latencies and lags are in milliseconds, from due times."""

    offered: int = 0
    """Documents that were to be sent."""
    completed: int = 0
    repeated: int = 0
    """Documents whose content had been sent before."""
    requests: int = 0
    accept_ms: Sequence[float] = ()
    status_ms: Sequence[float] = ()
    result_ms: Sequence[float] = ()
    lag_ms: Sequence[float] = ()
    errors: Mapping[str, int] = field(default_factory=dict)
    cpu_s: float = 0.0
    """Of the generator, from the first due time to the last end."""
    elapsed_s: float = 0.0

    def write(self, folder: Path) -> None:
        """For the bench."""
        (folder / _FINDINGS).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What `write` wrote."""
        return cls(**json.loads((folder / _FINDINGS).read_bytes()))
