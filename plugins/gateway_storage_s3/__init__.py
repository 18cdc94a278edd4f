"""Large held results in a bucket: Amazon S3, or whatever speaks its protocol (MinIO, Ceph, R2, Garage)."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_storage_s3.provider import S3Settings, S3Storage

__all__ = ["plugin"]

plugin = Plugin(
    summary="Large held results in a bucket of S3 or alike (needs the extra `s3`).",
    settings=S3Settings,
    create=S3Storage,
)
