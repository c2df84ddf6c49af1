"""The page."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any
from xml.etree.ElementTree import Element

from sheaf_dev.bench.load.page import sections
from sheaf_dev.bench.load.page.compared import comparison
from sheaf_dev.bench.load.page.markup import as_html, element


def render(document: Mapping[str, Any]) -> str:
    """The HTML of a run's JSON: one file, without scripts, that loads nothing from anywhere."""
    style = resources.files(__package__).joinpath("style.css").read_text("utf-8")
    written = json.dumps(document, indent=2)
    body = [
        *sections.header(document),
        *_figures(document),
        element(
            "details", element("summary", "Everything, as JSON"), element("pre", written)
        ),
    ]  # fmt: skip
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", "Sheaf load test"),
        element("style", style),
    )
    main = element("main", *body)
    return as_html(element("html", head, element("body", main), lang="en"))


def _figures(document: Mapping[str, Any]) -> Sequence[Element]:
    if "compare" in document:
        reports = document["compare"]
        colours = sections.colours_of_processes(reports)
        parts = [*comparison(document, colours)]
        for report in reports:
            parts.append(element("h1", f"Variant {report['name']}"))
            parts += _rates(report["rates"], colours)
        return parts
    colours = sections.colours_of_processes([document])
    first = sections.ramp(document) if "ramp" in document else ()
    return [*first, *_rates(document["rates"], colours)]


def _rates(rates: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> Sequence[Element]:
    parts = [*sections.targets(rates), *sections.latencies_over_rates(rates)]
    parts += sections.cpu_over_rates(rates, colours)
    for rate in rates:
        parts += sections.one_rate(rate, colours)
    return parts
