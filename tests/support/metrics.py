"""What processes serve to Prometheus, as tests read it."""

import math
import re

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


async def pool(system: System, process: str, gauge: str, name: str) -> float:
    """One figure of a pool."""
    port = system.stack.port(process, f"{process.upper()}_METRICS_PORT")
    metrics = Metrics(f"http://127.0.0.1:{port}/metrics")
    return await metrics.value(f"sheaf_pool_{gauge}", pool=name)
