"""mTLS: peers that the same authority vouches for meet without a token; others do not."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_common.errors import Unavailable
from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.grpc.health import is_serving
from sheaf_common.grpc.server import grpc_server
from sheaf_common.grpc.settings import GrpcSettings


def settings_of(authority: trustme.CA, folder: Path) -> GrpcSettings:
    """Settings of a peer with a certificate of that authority, and no token."""
    folder.mkdir()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return GrpcSettings.model_construct(
        token=None,
        tls_cert_file=folder / "cert.pem",
        tls_key_file=folder / "key.pem",
        tls_ca_file=folder / "ca.pem",
    )


async def test_peers_of_one_authority_meet(tmp_path: Path) -> None:
    """Each shows its certificate; no token is needed."""
    authority = trustme.CA()
    server_side = settings_of(authority, tmp_path / "server")
    client_side = settings_of(authority, tmp_path / "client")
    async with (
        grpc_server("127.0.0.1", 0, server_side) as server,
        grpc_peer("peer", f"127.0.0.1:{server.port}", client_side) as peer,
    ):
        assert await is_serving(peer, timeout_s=5)


@pytest.mark.parametrize("stranger", ["another authority", "no certificate"])
async def test_a_stranger_does_not_get_in(tmp_path: Path, stranger: str) -> None:
    """A certificate of somebody else, or none at all, ends in the handshake."""
    server_side = settings_of(trustme.CA(), tmp_path / "server")
    if stranger == "no certificate":
        client_side = GrpcSettings.model_construct(token=None)
    else:
        client_side = settings_of(trustme.CA(), tmp_path / "client")
    async with (
        grpc_server("127.0.0.1", 0, server_side) as server,
        grpc_peer("peer", f"127.0.0.1:{server.port}", client_side) as peer,
    ):
        stub: Any = orchestrator_pb2_grpc.OrchestratorServiceStub(peer.channel)
        with pytest.raises(Unavailable):
            await peer.unary(stub.GetBacklog, orchestrator_pb2.GetBacklogRequest(), timeout_s=2.0)


def test_some_trust_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service without a token and without certificates does not start."""
    for name in ("GRPC_TOKEN", "GRPC_TLS_CERT_FILE", "GRPC_TLS_KEY_FILE", "GRPC_TLS_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="GRPC_TOKEN"):
        GrpcSettings()
