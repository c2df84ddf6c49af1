"""The shares of documents as they are written on the command line."""

from dataclasses import fields, replace

from sheaf_dev.bench.load.plan import Mix


def parse_mix(text: str) -> Mix:
    """The mix of `office=0.1,images=0.05,scans=0.02`; what is left out is 0.

    Raises:
        ValueError: a kind is unknown or stands there twice, a share is none, or they are over 1.
    """
    mix = Mix()
    kinds = [field.name for field in fields(Mix)]
    seen: set[str] = set()
    for term in text.split(","):
        kind, _, share = (part.strip() for part in term.partition("="))
        if kind not in kinds:
            raise ValueError(f"{kind!r} is no kind of document; known are {', '.join(kinds)}")
        if kind in seen:
            raise ValueError(f"{kind} stands there twice")
        seen.add(kind)
        mix = replace(mix, **{kind: _share(kind, share)})
    if (total := sum(getattr(mix, kind) for kind in kinds)) > 1:
        raise ValueError(f"the shares are {total:g} together, more than 1")
    return mix


def _share(kind: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no share of {kind}") from error
    if not 0 <= share <= 1:
        raise ValueError(f"the share of {kind} is from 0 to 1, not {text}")
    return share
