"""The ways in which a stack is set up to be compared: by the name or by the variables of each.

A variant is `TERM[+TERM…]`, with `LABEL:` before it if it is to be called otherwise. A term is a
known name or `NAME=VALUE`. Every variant states all five roll-back switches, so that `default`
is the default also where the environment has thrown one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Switch:
    """One of the five roll-backs of requirements.md: a variable, of which service."""

    service: str
    variable: str
    default: str
    thrown: str


SWITCHES: Final[Mapping[str, Switch]] = {
    "temporal": Switch("orchestrator", "TEMPORAL_WORKER_PROFILE", "tuned", "baseline"),
    "s3": Switch("storage", "S3_CLIENT_MODE", "pooled", "per_call"),
    "db": Switch("metadata", "DB_POOL_MODE", "pooled", "baseline"),
    "redis": Switch("metadata", "REDIS_CLIENT_MODE", "pooled", "per_call"),
    "upload": Switch("gateway", "UPLOAD_CONCURRENCY_MODE", "adaptive", "fixed"),
}
"""In the order in which they are rolled back."""

_KNOWN: Final[Mapping[str, Sequence[str]]] = {
    "default": (),
    "baseline": tuple(SWITCHES),
    **{name: (name,) for name in SWITCHES},
}
_MOST: Final = 12
_VARIABLE: Final = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_BETWEEN_TERMS: Final = re.compile(rf"\+(?=[A-Z][A-Z0-9_]*=|(?:{'|'.join(_KNOWN)})(?:\+|$))")


class UnknownVariant(ValueError):
    """A name that is no variant, or a text that cannot be one."""

    def __init__(self, text: str, why: str) -> None:
        self.text = text
        super().__init__(
            f"{text!r} {why}; known are {', '.join(_KNOWN)}, and variables as"
            " [LABEL:]NAME=VALUE[+NAME=VALUE…]"
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """One way. `thrown` are the switches by name, `variables` others that are set besides."""

    name: str
    thrown: Sequence[str]
    variables: Mapping[str, str]

    @property
    def settings(self) -> dict[str, str]:
        """The variables that differ from the defaults."""
        return {
            **{SWITCHES[name].variable: SWITCHES[name].thrown for name in self.thrown},
            **self.variables,
        }

    def overrides(self, owners: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        """What each service is given, by its name; `owners` says whose each variable is."""
        given: dict[str, dict[str, str]] = {}
        for name, switch in SWITCHES.items():
            value = switch.thrown if name in self.thrown else switch.default
            given.setdefault(switch.service, {})[switch.variable] = value
        for variable, value in self.variables.items():
            for service in owners[variable]:
                given.setdefault(service, {})[variable] = value
        return given


def parse_variants(text: str) -> Sequence[Variant]:
    """The variants of a list with commas, in its order.

    Raises:
        UnknownVariant: one is not known, or has the name of another.
        ValueError: fewer than two, or more than twelve.
    """
    variants = [_parse(each.strip()) for each in text.split(",")]
    if not 2 <= len(variants) <= _MOST:  # noqa: PLR2004 - two are what a comparison is of
        raise ValueError(f"from 2 to {_MOST} variants can be compared, not {text!r}")
    names = [variant.name for variant in variants]
    for name in names:
        if names.count(name) > 1:
            raise UnknownVariant(name, "stands there twice: give each a LABEL of its own")
    return variants


def _parse(text: str) -> Variant:
    label, colon, terms = text.partition(":")
    if not colon or "=" in label:  # a colon of a value, not of a label
        label, terms = text, text
    if not label or not terms:
        raise UnknownVariant(text, "is empty")
    thrown: list[str] = []
    variables: dict[str, str] = {}
    for term in _BETWEEN_TERMS.split(terms):
        if assignment := _VARIABLE.fullmatch(term):
            variables[assignment[1]] = assignment[2]
        elif term in _KNOWN:
            thrown += (name for name in _KNOWN[term] if name not in thrown)
        else:
            raise UnknownVariant(term, "is no variant")
    for name in _both(thrown, variables):
        raise UnknownVariant(text, f"sets {name} twice")
    return Variant(label, tuple(thrown), variables)


def _both(thrown: Sequence[str], variables: Mapping[str, str]) -> Iterator[str]:
    return (SWITCHES[name].variable for name in thrown if SWITCHES[name].variable in variables)
