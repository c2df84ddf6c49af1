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

A group may have a *roll-back switch*: one variable that puts a component back as it was
before it was tuned. Thrown, it wins over every variable that it covers, set or not, so that
it works in an incident without touching anything else.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self, TypeVar, get_type_hints
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
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


@dataclasses.dataclass(frozen=True, slots=True)
class Rollback:
    """A roll-back switch: while `field` has `value`, the fields in `puts` have theirs."""

    field: str
    value: str
    puts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class SettingsGroup(BaseSettings):
    """Variables that belong together. Immutable once read."""

    model_config = SettingsConfigDict(
        frozen=True, case_sensitive=True, extra="ignore", env_ignore_empty=True
    )

    rollback: ClassVar[Rollback | None] = None

    @property
    def is_rolled_back(self) -> bool:
        """Whether the group's switch is thrown."""
        switch = self.rollback
        return switch is not None and getattr(self, switch.field) == switch.value

    @model_validator(mode="after")
    def _roll_back(self) -> Self:
        """Runs before the validators of the groups themselves: these see what is in force."""
        if self.rollback is not None and self.is_rolled_back:
            self.__dict__.update(self.rollback.puts)
        return self


Origin = Literal["default", "environment", "roll-back"]


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One variable as it is in force; `value` is masked if it is a secret.

    `origin` says where the value comes from; `environment` also where it was set to what is
    the default.
    """

    name: str
    value: Any
    default: Any
    origin: Origin
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
                origin=_origin(group, attribute, name, is_default=value == default),
                description=info.description or "",
            )


def _origin(group: SettingsGroup, attribute: str, name: str, *, is_default: bool) -> Origin:
    if group.rollback is not None and group.is_rolled_back and attribute in group.rollback.puts:
        return "roll-back"
    return "default" if is_default and name not in os.environ else "environment"


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
