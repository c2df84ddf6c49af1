"""Parts of the page, each out of the JSON of a run (docs/load-test.md)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

from sheaf_dev.bench.load.judging import HOLDING
from sheaf_dev.bench.load.page.markup import Child, element, facts, table
from sheaf_dev.bench.load.page.plots import Bar, Line, bar_plot, colours_of, line_plot

Json = Mapping[str, Any]

_LATENCIES: Final = ("accept_ms", "status_ms", "result_ms", "activity_ms")
_QUANTILES: Final = ("p50", "p95", "p99", "p999")
_NAMES: Final = {
    "accept_ms": "accept",
    "status_ms": "status",
    "result_ms": "result",
    "activity_ms": "group activity",
}


def header(document: Json) -> Sequence[Element]:
    """The verdict, and under which circumstances it was found."""
    verdict = document["verdict"]
    word, kind = "every promise is kept", "good"
    if not verdict["ok"]:
        word, kind = "a promise is not kept", "bad"
    if verdict["void"]:
        word, kind = "VOID: the generator did not keep its schedule", "bad"
    lines = [
        *verdict["void"],
        *(f"missed: {each}" for each in verdict["missed"]),
        *(f"unknown: {each}" for each in verdict["unknown"]),
    ]
    plan = dict(document["plan"])
    mix = ", ".join(f"{name} {share}" for name, share in plan.pop("mix").items())
    return [
        element("h1", "Sheaf load test"),
        element("p", word, class_=f"verdict {kind}"),
        element("ul", *(element("li", line) for line in lines)),
        facts(
            (
                ("command", element("code", document["command"])),
                ("started", document["started_at"]),
                ("system", document["target"] or "a fresh stack of its own"),
                ("machine", listed(document["machine"])),
                ("versions", listed(document["versions"])),
                ("offered", f"{listed(plan)}; mix: {mix}; the rest is text PDFs"),
                ("generator's lag", f"P99 {document['schedule_lag_p99_ms']} ms at worst"),
            )
        ),
    ]


def targets(rates: Sequence[Json]) -> Sequence[Element]:
    """Every target at every rate; what is a promise stands in bold."""
    columns = ["target", "limit", *(f"{rate['rps']:g} requests/s" for rate in rates)]
    rows: list[list[Child]] = []
    for index, kpi in enumerate(rates[0]["kpis"] if rates else ()):
        cells = [_verdict(rate["kpis"][index]) for rate in rates]
        limit = f"below {kpi['threshold']} {kpi['unit']}"
        rows.append([element("span", kpi["name"], title=kpi["text"]), limit, *cells])
    return [
        element("h2", "Targets"),
        table(columns, rows),
        element("p", "Bold: promised at this rate. Otherwise told as a stretch.", class_="note"),
    ]


def latencies_over_rates(rates: Sequence[Json]) -> Sequence[Element]:
    """Quantiles over the rates, on a logarithmic scale."""
    lines = [
        Line(f"{_NAMES[name]} {quantile}", [(r["rps"], r[name][quantile]) for r in by_rate])
        for by_rate in [sorted(rates, key=lambda rate: float(rate["rps"]))]
        for name in ("accept_ms", "status_ms", "result_ms")
        for quantile in ("p50", "p99")
    ]
    return [
        element("h2", "Latency over rates"),
        line_plot("latency, ms", lines, x_title="requests/s", log=True),
    ]


def cpu_over_rates(rates: Sequence[Json], colours: Mapping[str, str]) -> Sequence[Element]:
    """CPU of a document by process, rate by rate."""
    bars = [cpu_bar(f"{rate['rps']:g} requests/s", rate) for rate in rates]
    return [bar_plot("CPU per document, ms", bars, unit="ms", colours=colours)]


def one_rate(rate: Json, colours: Mapping[str, str]) -> Sequence[Element]:
    """Everything of one rate."""
    title = f"{rate['rps']:g} requests/s{', VOID' if rate['void'] else ''}"
    return [
        element("h2", title),
        facts(
            (
                ("seconds", rate["duration_s"]),
                ("documents offered", rate["offered"]),
                ("documents completed", rate["completed"]),
                ("documents whose content was sent before", rate["repeated"]),
                ("error rate", rate["error_rate"]),
                ("errors", listed(rate["errors"]) or "none"),
                ("backlog at most", rate["backlog_max"]),
                ("oldest queued at most, s", rate["oldest_queued_s_max"]),
                ("pending workflows at most", rate["pending_workflows_max"]),
                ("documents per workflow", rate["documents_per_workflow"]),
                ("generator's lag P99, ms", rate["schedule_lag_p99_ms"]),
                ("generator's CPU per document, ms", rate["cpu_ms_per_document"]["generator"]),
                ("all targets met", "yes" if rate["ok"] else "no"),
            )
        ),
        table(
            ("ms", "p50", "p95", "p99", "p99.9"),
            [(_NAMES[name], *(rate[name].get(each) for each in _QUANTILES)) for name in _LATENCIES],
        ),
        _waiting(rate),
        *_processes(rate, colours),
        *_pools(rate),
    ]


def ramp(document: Json) -> Sequence[Element]:
    """The search for the highest rate held, with the limit of accept P99."""
    found = document["ramp"]
    rates = sorted(document["rates"], key=lambda rate: float(rate["rps"]))
    kpis = [kpi for rate in rates for kpi in rate["kpis"] if kpi["name"] == "accept_p99_ms"]
    limit = ("limit", kpis[0]["threshold"]) if kpis else None
    line = Line("accept p99", [(rate["rps"], rate["accept_ms"]["p99"]) for rate in rates])
    return [
        element("h2", "Highest rate held"),
        facts(
            (
                ("highest rate held, requests/s", found["highest_held_rps"]),
                ("lowest rate missed, requests/s", found["lowest_missed_rps"]),
                ("because", ", ".join(found["limited_by"])),
                ("must be held, requests/s", found["must_hold_rps"]),
            )
        ),
        line_plot(
            "accept P99, ms", [line], x_title="requests/s", log=True, limit=limit
        ),
        table(
            ("step", "requests/s", "held", "why not"),
            [
                (number, step["rps"], "yes" if step["held"] else "no", ", ".join(step["why_not"]))
                for number, step in enumerate(found["steps"], 1)
            ],
        ),
        element("p", f"Held: {' and '.join(sorted(HOLDING))} within their limits, the schedule"
            " kept.", class_="note"),
    ]  # fmt: skip


def colours_of_processes(reports: Iterable[Json]) -> Mapping[str, str]:
    """One colour for each process, the same in all plots."""
    names = {
        name
        for report in reports
        for rate in report["rates"]
        for name in (*rate["cpu_ms_per_document"]["by_process"], *rate["rss_mib"])
    }
    return colours_of(sorted(names))


def _waiting(rate: Json) -> Element:
    timeline = rate["timeline"]
    names = {
        "backlog": "backlog, documents",
        "pending_workflows": "pending workflows",
        "in_flight": "workflows in flight",
    }
    lines = [
        Line(shown, [(sample["at_s"], sample[name]) for sample in timeline])
        for name, shown in names.items()
    ]
    return line_plot("what waited", lines, x_title="seconds")


def _processes(rate: Json, colours: Mapping[str, str]) -> Sequence[Element]:
    cpu, memory = rate["cpu_ms_per_document"], rate["rss_mib"]
    if not cpu["by_process"] and not memory:
        return [element("p", "CPU and memory are not known of a system elsewhere.", class_="note")]
    rows: list[tuple[Child, ...]] = [
        (name, cpu["by_process"].get(name), memory.get(name))
        for name in sorted({*cpu["by_process"], *memory})
    ]
    highest = [Bar(name, {name: mib}, f"{mib} MiB") for name, mib in memory.items()]
    return [
        table(
            ("process", "CPU per document, ms", "memory at most, MiB"),
            [*rows, ("total", cpu["total"], None)],
        ),
        bar_plot("memory at most, MiB", highest, unit="MiB", colours=colours),
    ]


def _pools(rate: Json) -> Sequence[Element]:
    used = rate["pool_used_max"]
    if not used:
        return [element("p", "The use of pools is not known.", class_="note")]
    bars = [Bar(name, {name: share}, str(share)) for name, share in used.items()]
    return [
        table(("pool", "share in use at most"), list(used.items())),
        bar_plot("pools, share in use at most (limit 0.8)", bars, unit="of 1", reach=1.0),
    ]


def cpu_bar(name: str, rate: Json, note: str = "") -> Bar:
    """CPU of a document, by process."""
    cpu = rate["cpu_ms_per_document"]
    return Bar(name, cpu["by_process"], f"{cpu['total']} ms{note}")


def _verdict(kpi: Json) -> Element:
    value = "?" if kpi["value"] is None else kpi["value"]
    word = {True: "met", False: "missed", None: "unknown"}[kpi["ok"]]
    kind = {True: "good", False: "bad", None: "unknown"}[kpi["ok"]]
    promised = "promised" if kpi["promised"] else "stretch"
    return element("span", f"{value} {word}", class_=f"{kind} {promised}")


def listed(named: Mapping[str, Any], between: str = " ") -> str:
    """Names with their values, in one line."""
    return ", ".join(f"{name}{between}{value}" for name, value in named.items())
