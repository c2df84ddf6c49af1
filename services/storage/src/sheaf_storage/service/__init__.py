"""The use cases of storage: put, get, describe, delete, list, tidy up; presign and confirm."""

from sheaf_storage.service.blobs import BlobService
from sheaf_storage.service.confirming import Confirming
from sheaf_storage.service.presign_rules import Declaration
from sheaf_storage.service.presigning import PresignedUpload, Presigning
from sheaf_storage.service.putting import PutLimits, Putting
from sheaf_storage.service.reading import Reading
from sheaf_storage.service.recent import RecentObjects
from sheaf_storage.service.writes import Writes

__all__ = [
    "BlobService",
    "Confirming",
    "Declaration",
    "PresignedUpload",
    "Presigning",
    "PutLimits",
    "Putting",
    "Reading",
    "RecentObjects",
    "Writes",
]
