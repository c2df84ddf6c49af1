"""Storage over a real S3 server."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

import sheaf_storage.wiring
from sheaf_common.pools.s3 import S3ClientPool, S3Settings, s3_client_pool
from sheaf_dev.stack import Stack
from sheaf_storage.adapters.s3 import S3ObjectStore
from sheaf_storage.adapters.s3_calls import S3Calls
from sheaf_storage.adapters.s3_signer import S3RequestSigner, s3_request_signer
from sheaf_storage.domain import PresignedRequest
from sheaf_storage.settings import StorageSettings
from support.presign_contract import Answer, Send
from support.storage import Service, serving, settings_over


@pytest.fixture(scope="session")
def s3_settings(seaweedfs: Stack) -> S3Settings:
    """How the server is reached."""
    return settings_over(seaweedfs.env).s3


@pytest.fixture(scope="session")
async def s3_pool(s3_settings: S3Settings) -> AsyncIterator[S3ClientPool]:
    """A pool of clients of it."""
    async with s3_client_pool(s3_settings) as pool:
        yield pool


@pytest.fixture(scope="session")
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads for it."""
    with ThreadPoolExecutor(16) as executor:
        yield executor


@pytest.fixture
def store(
    s3_pool: S3ClientPool, threads: ThreadPoolExecutor, s3_settings: S3Settings
) -> S3ObjectStore:
    """The adapter; its listings have pages of two."""
    return S3ObjectStore(S3Calls(s3_pool, threads), s3_settings.bucket, uploads_a_page=2)


@pytest.fixture(scope="session")
async def signer(
    s3_settings: S3Settings, threads: ThreadPoolExecutor
) -> AsyncIterator[S3RequestSigner]:
    """The signer for the server."""
    async with s3_request_signer(s3_settings, None, threads) as signer:
        yield signer


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server that knows nothing of S3."""
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def send(http: httpx.AsyncClient) -> Send:
    """Sends a presigned request with it."""

    async def sending(request: PresignedRequest, content: bytes) -> Answer:
        answer = await http.request(
            request.method, request.url, headers=dict(request.headers), content=content
        )
        return Answer(answer.status_code, answer.content, answer.headers)

    return sending


@pytest.fixture
def prefix() -> str:
    """A place of the test's own."""
    return f"documents/{uuid4()}/"


@pytest.fixture(scope="session")
def settings(seaweedfs: Stack) -> StorageSettings:
    """Storage's settings over the server."""
    return settings_over(seaweedfs.env)


@pytest.fixture(scope="session")
async def service(settings: StorageSettings) -> AsyncIterator[Service]:
    """Storage itself, called over gRPC."""
    async with serving(settings) as running:
        yield running


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> list[S3ClientPool]:
    """The pools of the services that the test starts."""
    made: list[S3ClientPool] = []

    def noting(pool: S3ClientPool, *arguments: Any) -> S3Calls:
        made.append(pool)
        return S3Calls(pool, *arguments)

    monkeypatch.setattr(sheaf_storage.wiring, "S3Calls", noting)
    return made


@pytest.fixture
def environment(seaweedfs: Stack) -> dict[str, str]:
    """What a storage process needs, on free ports."""
    own = {
        "STORAGE_HOST": "127.0.0.1",
        "STORAGE_PORT": "0",
        "STORAGE_METRICS_PORT": "0",
    }
    return seaweedfs.env | own
