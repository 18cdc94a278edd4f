"""The gateway's secret: by reference from the config, or made once and kept beside the embedded store."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gateway.settings.schema import GatewaySettings

FILE_NAME = "secret"


class SecretError(Exception):
    """The secret can't be had. `str()` says why and what to do."""


def find_secret(settings: GatewaySettings) -> bytes:
    """The secret of this config. Raises `SecretError`."""
    if settings.secret is not None:
        try:
            return settings.secret.reveal()
        except ValueError as error:
            raise SecretError(f"secret: {error}") from None
    return _kept_secret(settings.data)


def _kept_secret(folder: Path) -> bytes:
    path = folder / FILE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_EXCL: of two gateways that start at once, one makes the secret and the other reads it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise SecretError(
            f"the secret can't be kept in {path}: {error.strerror}; set `data` to a folder of yours"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        secret = secrets.token_urlsafe(48).encode("ascii")
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    return secret


def _read(path: Path) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SecretError(f"the secret {path} can't be read: {error.strerror}") from None
    if not secret:
        raise SecretError(
            f"the secret {path} is empty: restore it from a backup, or delete it to have a new one made "
            "(visitors then begin anew and held results can't be opened)"
        )
    return secret
