"""How gRPC peers find and trust each other; the same variables for every service."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import SecretStr, model_validator

from sheaf_common.settings import SettingsGroup, variable


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """What mTLS needs, each in PEM."""

    certificate: bytes
    private_key: bytes
    ca: bytes


class GrpcSettings(SettingsGroup):
    """Trust and bounds of gRPC, for servers and callers alike.

    Callers authenticate by a client certificate (mTLS, when the three files are given), by
    the shared token, or by both.
    """

    token: SecretStr | None = variable("GRPC_TOKEN", None, "shared token of all services")
    tls_cert_file: Path | None = variable("GRPC_TLS_CERT_FILE", None, "own certificate, PEM")
    tls_key_file: Path | None = variable("GRPC_TLS_KEY_FILE", None, "own private key, PEM")
    tls_ca_file: Path | None = variable("GRPC_TLS_CA_FILE", None, "CA of all peers, PEM")
    max_message_bytes: int = variable(
        "GRPC_MAX_MESSAGE_BYTES", 8 * 2**20, "largest message", ge=2**20, le=64 * 2**20
    )
    max_concurrent_calls: int = variable(
        "GRPC_MAX_CONCURRENT_CALLS", 2000, "calls that a server handles at once", ge=1, le=100_000
    )
    max_call_s: float = variable(
        "GRPC_MAX_CALL_S", 300.0, "the longest that a call may take, in seconds", gt=0, le=3600
    )

    def tls_material(self) -> TlsMaterial | None:
        """The three files' contents; None where peers do not meet by mTLS.

        Raises:
            OSError: a file cannot be read.
        """
        if not (self.tls_cert_file and self.tls_key_file and self.tls_ca_file):
            return None
        return TlsMaterial(
            certificate=self.tls_cert_file.read_bytes(),
            private_key=self.tls_key_file.read_bytes(),
            ca=self.tls_ca_file.read_bytes(),
        )

    @model_validator(mode="after")
    def _some_trust(self) -> Self:
        files = (self.tls_cert_file, self.tls_key_file, self.tls_ca_file)
        if any(files) and not all(files):
            raise ValueError(
                "GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE and GRPC_TLS_CA_FILE go together"
            )
        missing = [str(path) for path in files if path is not None and not path.is_file()]
        if missing:
            raise ValueError(f"no such file: {', '.join(missing)}")
        if self.token is None and not any(files):
            raise ValueError("callers must be authenticated: set GRPC_TOKEN or the GRPC_TLS_ files")
        return self
