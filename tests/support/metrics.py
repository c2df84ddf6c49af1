"""What processes serve to Prometheus, as tests read it."""

import math
import re
from dataclasses import dataclass
from typing import Self

import httpx

from support.system import System


class Metrics:
    """What one process serves to Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name with those labels; NaN if there are none."""
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(self._url)).text
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        values = [
            float(number)
            for found, number in re.findall(rf"^{name}(\{{.*\}}|) (\S+)$", text, re.MULTILINE)
            if wanted <= set(re.findall(r'\w+="[^"]*"', found))
        ]
        return sum(values) if values else math.nan


def address(system: System, process: str) -> str:
    """Where a process serves its metrics."""
    if process == "gateway":
        return f"{system.http.base_url}/metrics"
    port = system.stack.port(process, f"{process.upper()}_METRICS_PORT")
    return f"http://127.0.0.1:{port}/metrics"


def temporal_address(system: System) -> str:
    """Where the Temporal SDK serves its own."""
    return f"http://127.0.0.1:{system.stack.port('orchestrator', 'TEMPORAL_METRICS_PORT')}/metrics"


@dataclass(frozen=True)
class Exposition:
    """All that one process serves: by name, each metric's type, text, and its labels' values."""

    types: dict[str, str]
    texts: dict[str, str]
    labels: dict[str, dict[str, set[str]]]

    @classmethod
    async def of(cls, url: str) -> Self:
        """Reads it. Nothing may be said twice."""
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(url)).text
        types = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
        assert len(dict(types)) == len(types) > 0
        labels: dict[str, dict[str, set[str]]] = {name: {} for name, _ in types}
        for found, pairs in re.findall(r"^(\w+)\{(.*)\} \S+$", text, re.MULTILINE):
            name = re.sub(r"_(bucket|sum|count)$", "", found) if found not in labels else found
            for label, value in re.findall(r'(\w+)="([^"]*)"', pairs):
                if label != "le":
                    labels[name].setdefault(label, set()).add(value)
        return cls(
            dict(types), dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE)), labels
        )


async def pool(system: System, process: str, gauge: str, name: str) -> float:
    """One figure of a pool."""
    metrics = Metrics(address(system, process))
    return await metrics.value(f"sheaf_pool_{gauge}", pool=name)
