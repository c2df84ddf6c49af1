"""The use cases of storage: put, get, describe, delete, list, and tidy up."""

from sheaf_storage.service.blobs import BlobService
from sheaf_storage.service.putting import PutLimits, Putting
from sheaf_storage.service.reading import Reading
from sheaf_storage.service.writes import Writes

__all__ = ["BlobService", "PutLimits", "Putting", "Reading", "Writes"]
