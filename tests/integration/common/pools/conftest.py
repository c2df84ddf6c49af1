"""Pools over real servers, each built from its variables as a service builds it."""

from collections.abc import Callable

import pytest

from sheaf_common.pools.database import DatabaseSettings
from sheaf_common.pools.redis import RedisSettings
from sheaf_common.pools.s3 import S3Settings
from sheaf_dev.stack import Stack

DatabaseVariables = Callable[..., DatabaseSettings]
RedisVariables = Callable[..., RedisSettings]
S3Variables = Callable[..., S3Settings]


@pytest.fixture
def database(database_servers: Stack) -> DatabaseVariables:
    """Settings of the database pool, with variables of the test's own."""

    def settings(**variables: object) -> DatabaseSettings:
        url = {"DATABASE_URL": database_servers.env["DATABASE_URL"]}
        return DatabaseSettings.model_validate(url | variables)

    return settings


@pytest.fixture
def redis(database_servers: Stack) -> RedisVariables:
    """Settings of the Redis client, with variables of the test's own."""

    def settings(**variables: object) -> RedisSettings:
        url = {"REDIS_URL": database_servers.env["REDIS_URL"]}
        return RedisSettings.model_validate(url | variables)

    return settings


@pytest.fixture
def s3(seaweedfs: Stack) -> S3Variables:
    """Settings of the S3 clients, with variables of the test's own."""

    def settings(**variables: object) -> S3Settings:
        where = {name: value for name, value in seaweedfs.env.items() if name.startswith("S3_")}
        return S3Settings.model_validate(where | variables)

    return settings
