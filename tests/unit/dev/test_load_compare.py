"""Variants against each other: which there are, in which order they run, what is made of it."""

import re

import pytest

from sheaf_dev.bench.load.comparing import Comparison, compare, over_rounds
from sheaf_dev.bench.load.measured import CompareRun
from sheaf_dev.bench.load.report import LoadReport
from sheaf_dev.bench.load.showing import show
from sheaf_dev.bench.load.variants import SWITCHES, UnknownVariant, Variant, parse_variants
from support.load_reports import quantiles, rate_report

DEFAULT, BASELINE = parse_variants("default,baseline")


async def compared(rounds: int, *variants: Variant) -> tuple[Comparison, list[str]]:
    """A comparison in which `default` takes 10 ms more each round and all others three times it."""
    order: list[str] = []

    async def run(variant: Variant) -> LoadReport:
        order.append(variant.name)
        p50 = 10.0 * order.count(variant.name) * (1 if variant.name == "default" else 3)
        return LoadReport([rate_report(10.0, accept=quantiles(p50))], variant.name)

    return await compare(variants, rounds, run, lambda _: None), order


async def test_variants_alternate_and_every_other_round_goes_backwards() -> None:
    """So that none is always first, nor always after the same."""
    _, order = await compared(3, *parse_variants("default,s3,db"))

    assert order == ["default", "s3", "db", "db", "s3", "default", "default", "s3", "db"]


async def test_ratios_are_of_the_medians_over_the_rounds_to_the_first() -> None:
    """With each round's own beside them, which say what the ratio is worth."""
    comparison, _ = await compared(3, DEFAULT, BASELINE)
    first, other = comparison.reports
    ratio = comparison.ratios()["baseline"]["10"]["accept_p50_ms"]

    assert (first.rates[0].accept.p50, other.rates[0].accept.p50) == (20.0, 60.0)
    assert (ratio.value, ratio.by_round) == (3.0, [3.0, 3.0, 3.0])
    assert comparison.ratios()["baseline"]["10"]["cpu_ms_per_document"].value == 1.0


def test_rounds_become_one_report() -> None:
    """Latencies, CPU and memory are medians, documents and errors sums, peaks the worst."""
    rounds = [
        rate_report(rss_mib={"gateway": 90.0}, kpis={"pool_db_used": 0.2, "accept_p99_ms": 10.0}),
        rate_report(
            accept=quantiles(100.0),
            errors={"timeout": 300},
            timeline=[],
            pool_used_max={"db": 0.9},
            rss_mib={"gateway": 110.0},
            schedule_lag_p99_ms=30.0,
            kpis={"pool_db_used": 0.9, "accept_p99_ms": 20.0, "oldest_queued_s": None},
        ),
    ]
    one = over_rounds(rounds)
    kpis = {kpi.target.name: kpi.value for kpi in one.kpis}

    assert (one.accept.p50, one.rss_mib["gateway"]) == (70.5, 100.0)
    assert (one.offered, one.requests, one.repeated) == (1800, 5400, 10)
    assert one.errors == {"http_429": 2, "timeout": 301}
    assert (one.pool_used_max["db"], one.pool_used_max["s3"]) == (0.9, 0.151)
    assert [sample.backlog for sample in one.timeline] == [0, 17]
    assert one.void
    assert (kpis["pool_db_used"], kpis["accept_p99_ms"], kpis["oldest_queued_s"]) == (0.9, 15, None)
    assert kpis["error_rate"] == 303 / 5400


async def test_the_promises_are_the_first_variant_s_and_void_is_any_s() -> None:
    """A baseline that misses a target is what was to be shown; one that was void shows nothing."""
    good = LoadReport([rate_report()], "default")
    missing = LoadReport([rate_report(kpis={"result_p99_ms": 1e4})], "baseline")
    void = LoadReport([rate_report(schedule_lag_p99_ms=21.0)], "baseline")

    def verdict(first: LoadReport, second: LoadReport) -> bool:
        rounds = [{"default": first, "baseline": second}]
        return CompareRun(Comparison([DEFAULT, BASELINE], rounds)).verdict.ok

    assert verdict(good, missing)
    assert not verdict(good, void)
    assert not verdict(missing, good)


async def test_a_comparison_is_shown_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Side by side with ratios, and as one of the contract's objects for each variant."""
    comparison, _ = await compared(2, DEFAULT, BASELINE)
    run = CompareRun(comparison)
    show(run)
    shown = capsys.readouterr().out
    written = run.as_json({"cores": 2})

    assert "3.00 (3.00-3.00)" in shown
    assert "baseline (TEMPORAL_WORKER_PROFILE=baseline S3_CLIENT_MODE=per_call" in shown
    assert [each["name"] for each in written["compare"]] == ["default", "baseline"]
    assert written["compare"][0]["machine"]["cores"] == 2
    assert written["ratios"]["baseline"]["10"]["accept_p99_ms"] == {
        "ratio": 3.0,
        "by_round": [3.0, 3.0],
    }
    assert [list(each) for each in written["rounds"]] == [["default", "baseline"]] * 2


def test_baseline_throws_all_five_switches_and_each_can_be_thrown_alone() -> None:
    """Those of requirements.md; what is not thrown is said to be the default."""
    names = ["default", "temporal", "s3", "db", "redis", "upload", "baseline"]
    variants = {each.name: each for each in parse_variants(",".join(names))}

    assert list(variants) == names
    assert variants["default"].settings == {}
    assert variants["baseline"].settings == {
        "TEMPORAL_WORKER_PROFILE": "baseline",
        "S3_CLIENT_MODE": "per_call",
        "DB_POOL_MODE": "baseline",
        "REDIS_CLIENT_MODE": "per_call",
        "UPLOAD_CONCURRENCY_MODE": "fixed",
    }
    assert variants["db"].overrides({})["metadata"] == {
        "DB_POOL_MODE": "baseline",
        "REDIS_CLIENT_MODE": "pooled",
    }
    assert all(len(variants[name].settings) == 1 for name in SWITCHES)


def test_any_variable_can_be_compared() -> None:
    """Under a label or not, several at once, with switches; for the services that read it."""
    group, both, plain, url = parse_variants(
        "group:DISPATCH_GROUP_MAX_DOCUMENTS=1,both:s3+db+DB_POOL_SIZE=7,LEASE_TTL_S=9,A_URL=x:y+z"
    )

    assert (group.name, group.settings) == ("group", {"DISPATCH_GROUP_MAX_DOCUMENTS": "1"})
    assert (both.name, both.thrown, both.variables) == (
        *("both", ("s3", "db")),
        {"DB_POOL_SIZE": "7"},
    )
    assert (plain.name, url.variables) == ("LEASE_TTL_S=9", {"A_URL": "x:y+z"})
    given = both.overrides({"DB_POOL_SIZE": ["metadata"]})
    assert given["metadata"]["DB_POOL_SIZE"] == "7"
    assert "DB_POOL_SIZE" not in given["storage"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("default,tuned", "'tuned' is no variant; known are default, baseline, temporal, s3, db"),
        ("default,", "is empty"),
        ("default,x:", "is empty"),
        ("s3,s3", "stands there twice"),
        ("default,s3+S3_CLIENT_MODE=pooled", "sets S3_CLIENT_MODE twice"),
    ],
)
def test_an_unknown_variant_is_refused_with_those_that_are_known(text: str, why: str) -> None:
    """Before anything is started."""
    with pytest.raises(UnknownVariant, match=re.escape(why)):
        parse_variants(text)


@pytest.mark.parametrize("text", ["default", ",".join(f"v{n}:DB_POOL_SIZE={n}" for n in range(13))])
def test_from_two_to_twelve_can_be_compared(text: str) -> None:
    """Each takes a fresh stack a round."""
    with pytest.raises(ValueError, match="from 2 to 12 variants"):
        parse_variants(text)
