"""The part of the page that sets variants side by side, out of the JSON of a comparison."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from sheaf_dev.bench.load.page.markup import Child, element, table
from sheaf_dev.bench.load.page.plots import Bar, bar_plot
from sheaf_dev.bench.load.page.sections import Json, cpu_bar, listed


def comparison(document: Json, colours: Mapping[str, str]) -> Sequence[Element]:
    """The variants side by side, rate by rate, with ratios to the first."""
    reports = document["compare"]
    parts: list[Element] = [
        element("h2", "Compared"),
        table(
            ("variant", "differs by", "promises"),
            [
                (
                    report["name"],
                    listed(report["settings"], "=") or "nothing",
                    "kept" if report["verdict"]["ok"] else "not kept",
                )
                for report in reports
            ],
        ),
    ]
    for index, first in enumerate(reports[0]["rates"]):
        parts += _compared_rate(document, index, f"{first['rps']:g}", colours)
    return parts


def _compared_rate(
    document: Json, index: int, rps: str, colours: Mapping[str, str]
) -> Sequence[Element]:
    reports, ratios = document["compare"], document["ratios"]
    rates = {report["name"]: report["rates"][index] for report in reports}

    def ratio(name: str, figure: str) -> str:
        of = ratios.get(name, {}).get(rps, {}).get(figure, {}).get("ratio")
        return "" if of is None else f" ({of}x)"

    def side_by_side(title: str, latency: str, quantile: str) -> Element:
        bars = [
            Bar(
                name,
                {title: value or 0.0},
                f"{'-' if value is None else value}{ratio(name, f'{latency}_{quantile}_ms')}",
            )
            for name, rate in rates.items()
            for value in [rate[f"{latency}_ms"][quantile]]
        ]
        return bar_plot(title, bars, unit="ms")

    cpu = [cpu_bar(name, rate, ratio(name, "cpu_ms_per_document")) for name, rate in rates.items()]
    figures = list(next((by_rate[rps] for by_rate in ratios.values()), {}))
    return [
        element("h3", f"{rps} requests/s"),
        side_by_side("accept P99, ms", "accept", "p99"),
        side_by_side("time to result P50, ms", "result", "p50"),
        side_by_side("time to result P99, ms", "result", "p99"),
        bar_plot("CPU per document, ms", cpu, unit="ms", colours=colours),
        table(
            (f"times {reports[0]['name']} (each round)", *ratios),
            [
                (figure, *(_ratio_cell(by_rate[rps][figure]) for by_rate in ratios.values()))
                for figure in figures
            ],
        ),
    ]


def _ratio_cell(ratio: Json) -> Child:
    if ratio["ratio"] is None:
        return None
    return f"{ratio['ratio']} ({', '.join(str(each) for each in ratio['by_round'])})"
