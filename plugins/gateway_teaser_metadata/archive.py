"""What an archive holds, by name."""

from __future__ import annotations

import io
import zipfile

_SIZE_LIMIT = 4 * 1024 * 1024
"""The directory alone is read, but all of it becomes objects, some ten times its size."""


def member_names(body: bytes) -> list[str] | None:
    """Names of the files in a zip archive, in its order; None when it can't be read."""
    if len(body) > _SIZE_LIMIT:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return [member.filename for member in archive.infolist() if not member.is_dir()]
    except Exception:  # a directory of lies makes the library raise far more than its own error
        return None
