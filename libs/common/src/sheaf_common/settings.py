"""Settings: typed, from the environment, checked all at once, printed with secrets masked.

A *group* is a set of variables that belong together (`SettingsGroup`); a service's settings
are a frozen dataclass of groups. Reading them builds nothing and connects to nothing.

    class S3Settings(SettingsGroup):
        pool_size: int = variable("S3_POOL_SIZE", 20, "clients made at start", ge=1, le=200)

    @dataclass(frozen=True, slots=True)
    class StorageSettings:
        s3: S3Settings
        server: StorageServerSettings

    settings = load(StorageSettings)
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

_MASK = "********"
_REQUIRED: Any = ...

SettingsT = TypeVar("SettingsT")


def variable(name: str, default: Any, description: str, **constraints: Any) -> Any:
    """A field that is read from the environment variable `name`.

    `default` is `...` where the variable must be set; `constraints` are pydantic's
    (`ge`, `le`, `pattern`, …). `description` is shown by `config` and in the docs.
    """
    return Field(default, validation_alias=name, description=description, **constraints)


class SettingsGroup(BaseSettings):
    """Variables that belong together. Immutable once read."""

    model_config = SettingsConfigDict(
        frozen=True, case_sensitive=True, extra="ignore", env_ignore_empty=True
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One variable as it is in force; `value` is masked if it is a secret."""

    name: str
    value: Any
    default: Any
    is_default: bool
    description: str


class SettingsInvalid(Exception):
    """Variables that cannot be used; `problems` maps each one's name to what is wrong."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = "\n".join(f"  {name}: {problem}" for name, problem in sorted(problems.items()))
        super().__init__(f"invalid configuration ({len(problems)} problem(s)):\n{lines}")


def load(settings_class: type[SettingsT]) -> SettingsT:
    """Reads every group of `settings_class` from the environment.

    Raises:
        SettingsInvalid: with every variable that is missing or wrong, not only the first.
    """
    groups: dict[str, SettingsGroup] = {}
    problems: dict[str, str] = {}
    for field, group_class in _groups_of(settings_class):
        try:
            groups[field] = group_class()
        except ValidationError as error:
            problems.update(_problems_of(error))
    if problems:
        raise SettingsInvalid(problems)
    return settings_class(**groups)


def describe(settings: object) -> Iterator[Setting]:
    """Every variable of the given settings with the value in force, secrets masked."""
    for field, group_class in _groups_of(type(settings)):
        group = getattr(settings, field)
        for attribute, info in group_class.model_fields.items():
            value = getattr(group, attribute)
            default = None if info.is_required() else info.get_default(call_default_factory=True)
            name = str(info.validation_alias or attribute)
            yield Setting(
                name=name,
                value=_shown(value),
                default=_shown(default),
                is_default=name not in os.environ and value == default,
                description=info.description or "",
            )


def _groups_of(settings_class: type) -> Iterator[tuple[str, type[SettingsGroup]]]:
    for field, annotation in get_type_hints(settings_class).items():
        if isinstance(annotation, type) and issubclass(annotation, SettingsGroup):
            yield field, annotation


def _problems_of(error: ValidationError) -> Iterator[tuple[str, str]]:
    for problem in error.errors(include_url=False, include_context=False):
        name = str(problem["loc"][0]) if problem["loc"] else "configuration"
        if problem["type"] == "missing":
            yield name, "is required and not set"
        else:
            shown = _shown_input(name, problem["input"])
            yield name, f"{problem['msg']}{shown}"


def _shown_input(name: str, value: object) -> str:
    secret = any(word in name for word in ("SECRET", "TOKEN", "KEY", "PASSWORD", "URL"))
    return "" if secret or not isinstance(value, str) else f" (got {value[:64]!r})"


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return _masked(value.get_secret_value())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list | frozenset | set):
        return [_shown(item) for item in value]
    return str(value)


def _masked(secret: str) -> str:
    """A secret's mask; of a URL only the password is secret."""
    url = urlsplit(secret)
    if not (url.scheme and url.hostname):
        return _MASK if secret else ""
    if url.password is None:
        return secret
    return secret.replace(f":{url.password}@", f":{_MASK}@", 1)
