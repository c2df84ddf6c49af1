"""S3 through the adapter keeps the store's promises."""

from support.storage_contract import ObjectStoreContract


class TestS3Store(ObjectStoreContract):
    """The contract over a real server."""
