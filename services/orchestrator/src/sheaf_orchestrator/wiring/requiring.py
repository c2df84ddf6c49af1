"""What a role's health asks of a peer."""

from sheaf_common.errors import Unavailable
from sheaf_common.grpc.channel import Peer
from sheaf_common.grpc.health import is_serving


async def require(peer: Peer) -> None:
    """Asks whether the peer serves.

    Raises:
        Unavailable: `PEER_UNAVAILABLE`: it does not, or did not answer.
    """
    if not await is_serving(peer):
        raise Unavailable("PEER_UNAVAILABLE", f"{peer.name} is not serving")
