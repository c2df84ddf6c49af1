"""The secrets of one embedded stack, generated once and readable by their owner only."""

import base64
import dataclasses
import json
import secrets
from pathlib import Path

from sheaf_dev.files import write_atomic


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _key_id() -> str:
    return secrets.token_hex(10)


def _sealing_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _api_key() -> str:
    return f"sk_{secrets.token_urlsafe(32)}"


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """Every secret of the stack. Only characters that need no escaping anywhere."""

    mariadb_password: str = dataclasses.field(default_factory=_secret, repr=False)
    s3_access_key_id: str = dataclasses.field(default_factory=_key_id)
    s3_secret_access_key: str = dataclasses.field(default_factory=_secret, repr=False)
    grpc_token: str = dataclasses.field(default_factory=_secret, repr=False)
    api_key: str = dataclasses.field(default_factory=_api_key, repr=False)
    document_password_keys: str = dataclasses.field(default_factory=_sealing_key, repr=False)


def load(path: Path) -> Credentials:
    """The secrets kept in `path`; those that are missing are generated and kept."""
    names = {field.name for field in dataclasses.fields(Credentials)}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        kept = {}
    known = {name: value for name, value in kept.items() if name in names and value}
    credentials = Credentials(**known)
    if len(known) < len(names):
        write_atomic(path, json.dumps(dataclasses.asdict(credentials), indent=2) + "\n")
    return credentials
