"""The load test's HTML page: one file that says what the JSON says."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from sheaf_dev.bench.load.comparing import Comparison
from sheaf_dev.bench.load.measured import (
    Circumstances,
    CompareRun,
    RampRun,
    RatesRun,
    Run,
    document,
)
from sheaf_dev.bench.load.page import render
from sheaf_dev.bench.load.page.axes import linear, logarithmic
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.bench.load.ramp import Ramp, Step
from sheaf_dev.bench.load.report import LoadReport, Quantiles
from sheaf_dev.bench.load.variants import parse_variants
from support.load_reports import quantiles, rate_report

_VOID_TAGS = {"meta"}
HERE = Circumstances(
    command="./sheaf bench --corpus '<b>&\"mine\"\x00'",
    started_at="2026-11-29T22:00:00+00:00",
    plan=LoadPlan(),
    machine={"cores": 2, "cpu": "</script><i>Xeon"},
    versions={"temporalio": "1.35.0"},
)
RATES = LoadReport([rate_report(10.0), rate_report(50.0, accept=quantiles(123.4))])


def compared() -> CompareRun:
    """Two rounds of two variants."""
    variants = parse_variants("default,<&>:S3_POOL_SIZE=1")
    rounds = [
        {"default": RATES, "<&>": LoadReport([rate_report(10.0), rate_report(50.0, rss_mib={})])}
        for _ in range(2)
    ]
    return CompareRun(Comparison(variants, rounds))


RUNS: dict[str, Run] = {
    "rates": RatesRun(RATES),
    "ramp": RampRun(
        Ramp([Step(rate_report(57.3), ()), Step(rate_report(60.2), ["accept_p99_ms is 3456.7"])])
    ),
    "compare": compared(),
    "elsewhere": RatesRun(
        LoadReport(
            [
                rate_report(
                    timeline=[],
                    cpu_ms_per_document={},
                    rss_mib={},
                    pool_used_max={},
                    accept=Quantiles(),
                    kpis={"pool_db_used": None},
                )
            ]
        )
    ),
}


class Page(HTMLParser):
    """What stands in a page: its tags in order, its text without drawings and the JSON."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.text = ""
        self.json = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every tag but the few that have no end is closed."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """In the order in which they were opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        if "pre" in self.open:
            self.json += data
        elif not {"style", "svg"} & set(self.open):
            self.text += data + " "


def figures(value: Any, *, leave_out: tuple[str, ...] = ("timeline", "rounds")) -> Iterator[float]:
    """Every number of a JSON but those of what only plots and the JSON itself show."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in leave_out:
                yield from figures(each, leave_out=leave_out)
    elif isinstance(value, list):
        for each in value:
            yield from figures(each, leave_out=leave_out)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


@pytest.mark.parametrize("kind", RUNS)
def test_the_page_has_every_figure_of_the_json(kind: str) -> None:
    """In its tables and texts; and the JSON itself, to be taken out again."""
    written = json.loads(json.dumps(document(RUNS[kind], HERE)))
    page = Page(render(written))

    assert page.open == []
    shown = {float(word) for word in re.findall(r"(?<![\w.])[-+]?\d+(?:\.\d+)?", page.text)}
    assert not set(figures(written)) - shown
    assert json.loads(page.json) == written


@pytest.mark.parametrize("kind", RUNS)
def test_the_page_needs_nothing_from_anywhere(kind: str) -> None:
    """No script, no address, nothing that is loaded; every drawing is well-formed by itself."""
    html = render(document(RUNS[kind], HERE))
    page = Page(html)

    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(page.tags)
    assert not {"src", "href", "srcset", "xlink:href", "data"} & {
        name for name, _ in page.attributes
    }
    assert not re.search(r"https?://|url\(|@import", html)
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) >= 3
    for drawing in drawings:
        root = ET.fromstring(drawing)  # noqa: S314 - our own
        assert root.get("aria-label")
        assert not re.search(
            r"nan|inf",
            " ".join(
                value
                for each in root.iter()
                for value in each.attrib.values()
                if value != root.get("aria-label")
            ),
        )


def test_what_others_named_is_text() -> None:
    """A command, a variant, a machine: never markup, and never what no document may hold."""
    html = render(document(RUNS["compare"], HERE))
    page = Page(html)

    assert not {"b", "i", "script"} & set(page.tags)
    assert '<b>&"mine"\ufffd' in page.text
    assert "</script><i>Xeon" in page.text
    assert "Variant <&>" in page.text
    assert "\x00" not in html


def test_the_page_says_first_what_the_run_is_worth() -> None:
    """Void before anything else; then what was missed."""
    void = LoadReport([rate_report(schedule_lag_p99_ms=27.5, kpis={"error_rate": 0.5})])
    page = Page(render(document(RatesRun(void), HERE)))
    words = page.text[: page.text.index("command")]

    assert words.index("VOID") < words.index("lag P99 27.5 ms") < words.index("missed: 30 requests")
    assert "every promise is kept" in Page(render(document(RUNS["rates"], HERE))).text


def test_plots_show_what_waited_and_the_limit_of_the_ramp() -> None:
    """A point for each sample; bars stacked by process; the ramp's limit as a line of its own."""
    html = render(document(RUNS["rates"], HERE))
    titles = re.findall(r"<title>(.*?)</title>", html)

    assert titles.count("backlog, documents: 17 at 0.25") == 2
    assert titles.count("10 requests/s, metadata: 10.72 ms") == 1
    ramp = render(document(RUNS["ramp"], HERE))
    assert (ramp.count("stroke-dasharray"), html.count("stroke-dasharray")) == (1, 0)


def test_a_process_has_the_same_colour_in_all_plots() -> None:
    """However many of them a plot shows."""
    html = render(document(RUNS["compare"], HERE))
    marks = re.findall(r'<rect fill="(#\w+)"[^>]*><title>[^:]*?, ?metadata:', html)
    marks += re.findall(r'<rect fill="(#\w+)"[^>]*><title>metadata, metadata:', html)

    assert len(marks) > 4
    assert len(set(marks)) == 1


@pytest.mark.parametrize("values", [[], [0.0], [3.0], [0.001, 0.0034], [999.0, 1e6], [7e-5]])
def test_axes_have_room_for_every_value(values: list[float]) -> None:
    """From 0, or in whole decades; larger values stand farther along."""
    for axis in (linear(values, 10.0, 110.0), logarithmic(values, 10.0, 110.0)):
        assert axis.low < axis.high
        assert 2 <= len(axis.ticks) <= 16
        assert axis.ticks[-1] == axis.high >= max(values, default=0.0)
        places = [axis.place(value) for value in sorted(values)]
        assert places == sorted(places)
        assert all(10.0 <= place <= 110.0 for place in places)


def test_a_stretch_that_is_missed_is_told_without_failing() -> None:
    """Above 30 requests a second."""
    missed = replace(RATES, rates=[rate_report(50.0, kpis={"result_p99_ms": 9876.5})])
    page = Page(render(document(RatesRun(missed), HERE)))

    assert "every promise is kept" in page.text
    assert "9876.5 missed" in page.text
