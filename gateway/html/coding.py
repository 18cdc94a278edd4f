"""Undo gzip, let a page be changed, and redo gzip, in steps of limited size.

Gzip is the one coding that is read, because the application can be asked for it: whoever can take another coding can
take this one, and it needs no library but Python's own. Asking for no coding at all would be simpler still, but makes
pages on the client's side of the gateway four to six times as large.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gateway.html.page import Page

STEP = 64 * 1024
"""Bytes that are decoded at a time, whatever they were compressed to."""
_LEVEL = 4
"""Everybody else waits meanwhile: half the time of the usual level, for a tenth more bytes."""
_GZIP = 16 + zlib.MAX_WBITS


class BadCoding(Exception):
    """What says that it is gzip is none."""


class GzipPage:
    """A page in gzip. It is used as `Page` is, step by step: whoever asks for a step has dealt with the one before."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._encoder = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        # Gzip is one member or several, one behind the other (RFC 1952 section 2.2).
        self._decoder = zlib.decompressobj(_GZIP)
        self._first, self._fresh, self._over = True, True, False

    def take(self, data: bytes) -> Iterator[bytes]:
        """See `Page`. Raises `BadCoding`."""
        for plain in self._decoded(data):
            for changed in self._page.take(plain):
                yield self._encoder.compress(changed)
        # What the application has sent by now is to be seen by now.
        yield self._encoder.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> Iterator[bytes]:
        """See `Page`. One that breaks off is shown by browsers as far as it came, and so it is here."""
        for changed in self._page.end():
            yield self._encoder.compress(changed)
        yield self._encoder.flush()

    def _decoded(self, data: bytes) -> Iterator[bytes]:
        more = True
        while more and not self._over:
            try:
                plain = self._decoder.decompress(data, STEP)
            except zlib.error as error:
                if self._first or not self._fresh:
                    raise BadCoding(str(error)) from error
                self._over = True  # what stands behind the last member and is none: nobody reads it
                return
            self._fresh = self._fresh and not plain
            data = self._decoder.unconsumed_tail
            more = bool(data) or len(plain) == STEP
            if self._decoder.eof:
                data = self._decoder.unused_data
                more = bool(data)
                self._decoder = zlib.decompressobj(_GZIP)
                self._first, self._fresh = False, True
            yield plain
