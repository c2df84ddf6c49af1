"""When the number of CPU worker processes changes: a rule over what was seen, no I/O.

A worker is added when the oldest queued text has been too old for a while, and removed when the
queue has been young, and one worker less could carry the load, for a longer while. One at a
time, with a pause after each change. What keeps it from swinging on a load that does not change:

- between too old and young there is a gap (half the age), in which nothing happens;
- one is removed only if the others would stay below `FILL` of their capacity;
- a removal that had to be taken back at once doubles the patience before the next, up to
  `PATIENCE_LIMIT` times: where age does not follow from CPU (a slow store), changes get rare.
"""

from dataclasses import dataclass, replace
from typing import Final

YOUNG_SHARE: Final = 0.5
"""A backlog is young below this share of the age that is too old."""
FILL: Final = 0.7
"""How busy the remaining workers may be after a removal, as a share of their subprocesses."""
PATIENCE_LIMIT: Final = 16


@dataclass(frozen=True, slots=True)
class ScalingRule:
    """Bounds, and for how long what must be seen, in seconds."""

    minimum: int
    maximum: int
    up_age_s: float
    up_after_s: float
    down_after_s: float
    cooldown_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """What was seen at one moment.

    `oldest_age_s` is the age of the oldest queued text, 0 if none waits and None if that is not
    known; `use` is how busy the workers are, as a share of their subprocesses' cores. While one
    is `starting`, neither says what the load will be when it is of use.
    """

    at_s: float
    oldest_age_s: float | None
    use: float
    starting: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """What the rule remembers between two looks; moments on the clock of `Load.at_s`."""

    old_since_s: float | None = None
    calm_since_s: float | None = None
    changed_at_s: float | None = None
    removed_at_s: float | None = None
    patience: int = 1


def decide(rule: ScalingRule, watch: Watch, workers: int, load: Load) -> tuple[Watch, int]:
    """What to remember, and the change: one more, one less, or none.

    `workers` is the number that is wanted now. A number outside the bounds is led back into
    them at once. While a worker starts, or the age is not known, nothing else changes, and
    every while begins anew.
    """
    watch = _seen(rule, watch, workers, load)
    if workers < rule.minimum:
        return _added(rule, watch, load), 1
    if workers > rule.maximum:
        return _removed(watch, load), -1
    if _within(load, watch.changed_at_s, rule.cooldown_s):
        return watch, 0
    if workers < rule.maximum and _lasted(load, watch.old_since_s, rule.up_after_s):
        return _added(rule, watch, load), 1
    patience_s = rule.down_after_s * watch.patience
    if workers > rule.minimum and _lasted(load, watch.calm_since_s, patience_s):
        return _removed(watch, load), -1
    return watch, 0


def _seen(rule: ScalingRule, watch: Watch, workers: int, load: Load) -> Watch:
    """Since when the backlog is too old, and since when one worker less would do."""
    age_s = None if load.starting else load.oldest_age_s
    old = age_s is not None and age_s > rule.up_age_s
    young = age_s is not None and age_s <= rule.up_age_s * YOUNG_SHARE
    calm = young and load.use * workers <= FILL * (workers - 1)
    return replace(
        watch,
        old_since_s=_since(watch.old_since_s, load, holds=old),
        calm_since_s=_since(watch.calm_since_s, load, holds=calm),
    )


def _since(since_s: float | None, load: Load, *, holds: bool) -> float | None:
    if not holds:
        return None
    return load.at_s if since_s is None else since_s


def _lasted(load: Load, since_s: float | None, least_s: float) -> bool:
    return since_s is not None and load.at_s - since_s >= least_s


def _within(load: Load, since_s: float | None, most_s: float) -> bool:
    return since_s is not None and load.at_s - since_s < most_s


def _added(rule: ScalingRule, watch: Watch, load: Load) -> Watch:
    too_soon = _within(load, watch.removed_at_s, rule.down_after_s * watch.patience)
    return replace(
        watch,
        old_since_s=None,
        calm_since_s=None,
        changed_at_s=load.at_s,
        patience=min(2 * watch.patience, PATIENCE_LIMIT) if too_soon else 1,
    )


def _removed(watch: Watch, load: Load) -> Watch:
    return replace(
        watch,
        old_since_s=None,
        calm_since_s=None,
        changed_at_s=load.at_s,
        removed_at_s=load.at_s,
    )
