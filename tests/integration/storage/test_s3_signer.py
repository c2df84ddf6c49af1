"""S3 keeps the promises of what is signed for it, whoever sends it."""

from support.presign_contract import RequestSignerContract


class TestS3Signer(RequestSignerContract):
    """The contract over a real server, with httpx as the client."""
