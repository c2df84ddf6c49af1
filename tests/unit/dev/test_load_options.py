"""What may be asked of `./sheaf bench` together: a mistake is told before anything is started."""

import pytest

from sheaf_dev import cli
from sheaf_dev.cli import load


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("--tries 3", "the load test has no --tries: that is of cancel"),
        (
            "--scenario cancel --files 3",
            "cancel has no --files: that is of the load test and fairness and workers",
        ),
        ("--scenario cancel --rps 3", "--scenario cancel has no --rps: that is of the load test"),
        ("--scenario fairness --ramp", "--scenario fairness has no --ramp"),
        ("--rps 0", "--rps"),
        ("--rps 10 10", "--rps: a rate stands there twice"),
        ("--rps 1001", "--rps"),
        ("--duration 0", "--duration"),
        ("--files 1001", "--files: an upload has at most 1000 files, not 1001"),
        ("--mix faxes=1", "--mix: 'faxes' is no kind of document; known are office, images, scans"),
        ("--corpus /nowhere", "--corpus: /nowhere is no folder"),
        ("--corpus / --mix scans=1", "--corpus replaces"),
        ("--arrivals random", "--arrivals"),
        ("--ramp --compare default,s3", "--ramp and --compare cannot be had in one run"),
        ("--ramp --rps 10 20", "--ramp begins with one rate"),
        ("--ramp --rps 0.5", "--ramp begins at 1 or above, not at 0.5"),
        ("--compare default,tuned", "known are default, baseline, temporal, s3, db, redis, upload"),
        ("--compare default", "--compare: from 2 to 12 variants"),
        ("--compare default,s3 --target http://x --api-key k", "it cannot have a --target"),
        ("--rounds 3", "--rounds is of --compare and of the scenario scan-flood"),
        ("--target http://x", "--target needs a key: give --api-key, or set SHEAF_API_KEY"),
        ("--target x:80 --api-key k", "--target: x:80 is no http:// or https:// address"),
        ("--api-key k", "--api-key is for a --target"),
        ("--json /nowhere/report.json", "/nowhere is no folder to write report.json to"),
        ("--html /nowhere/report.html", "/nowhere is no folder to write report.html to"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At once, naming the option and what is wrong, with exit code 2."""
    monkeypatch.delenv("SHEAF_API_KEY", raising=False)

    assert cli.run(["bench", *arguments.split()]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--api-key", "sk_1"), ("--api-key=sk_1",)])
def test_a_report_does_not_tell_the_key(arguments: tuple[str, ...]) -> None:
    """The command that it repeats has a mask instead."""
    command = load._command(["bench", "--target", "http://x", *arguments, "--rps", "10"])

    assert "sk_1" not in command
    assert command.startswith("./sheaf bench --target http://x --api-key")
    assert command.endswith("--rps 10")
