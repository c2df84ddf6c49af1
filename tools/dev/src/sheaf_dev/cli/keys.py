"""`./sheaf keys`: API keys of the user whose key is used."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from sheaf_client import ApiKey
from sheaf_dev.asking import AsJson, asking, for_each, print_json, shown
from sheaf_dev.connection import say
from sheaf_dev.outcomes import show_table

_REFUSED: Final = 1
_COLUMNS: Final = ("id", "name", "begins", "scopes", "created", "last used", "expires", "state")

keys = App(name="keys", result_action="return_value", version_flags=[])


@keys.command(name="list")
def list_(*, json_: AsJson = False) -> int:
    """List API keys: how they begin, what they allow, when they were used.

    Args:
        json_: Print one JSON object a line.
    """
    with asking() as sheaf:
        found = sheaf.keys()
        if json_:
            for key in found:
                print_json(key)
        else:
            show_table(_COLUMNS, map(_row, found))
    return 0


@keys.command
def create(
    name: str,
    /,
    *,
    scope: Annotated[tuple[str, ...], Parameter(negative=())] = ("documents:read",),
    days: Annotated[float | None, Parameter(validator=Number(gt=0, lte=36_500))] = None,
    expires: datetime | None = None,
    rate: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    json_: AsJson = False,
) -> int:
    """Make an API key and print it. It is shown now and never again.

    Args:
        name: What it is for.
        scope: What it allows: documents:read, documents:write, ops or keys; may be repeated.
        days: It expires after so many days.
        expires: It expires then; local time if that names no zone.
        rate: How many requests a second it may make.
        json_: Print one JSON object.
    """
    if days is not None and expires is not None:
        raise CycloptsError("--days and --expires cannot be had at once")
    until = datetime.now(UTC) + timedelta(days=days) if days is not None else expires
    with asking() as sheaf:
        key = sheaf.create_key(
            name,
            scope,
            expires_at=None if until is None else until.astimezone(),
            rate_limit_per_s=rate,
        )
    if json_:
        print_json(key)
    else:
        say(f"key {key.id} ({', '.join(key.scopes)}); it is shown now and never again:")
        print(key.key)
    return 0


@keys.command
def revoke(*identifiers: Annotated[str, Parameter(name="ID")], json_: AsJson = False) -> int:
    """Revoke API keys, at once and for good.

    Exits with 1 if one was refused.

    Args:
        identifiers: Ids of keys, as `list` shows them; not the keys themselves.
        json_: Print the id of each, one JSON object a line.
    """
    if not identifiers:
        raise CycloptsError("which ones? At least one ID is needed")
    if any(each.startswith("sk_") for each in identifiers):
        raise CycloptsError("that is a key: `keys list` shows its id, which is needed here")

    with asking() as sheaf:

        def act(identifier: str) -> None:
            sheaf.revoke_key(identifier)
            if json_:
                print_json({"id": identifier, "revoked": True})
            else:
                print(f"{identifier}  revoked", flush=True)

        refused = for_each(identifiers, act)
    return _REFUSED if refused else 0


def _row(key: ApiKey) -> tuple[object, ...]:
    return (
        key.id,
        shown(key.name),
        f"{key.prefix}…",
        ", ".join(key.scopes),
        _day(key.created_at),
        _day(key.last_used_at),
        _day(key.expires_at),
        _state(key),
    )


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= datetime.now(UTC) else "valid"
