"""What is sent slowly, and how slowly: each of these takes about three seconds, a tenth of what a drain may take."""

from __future__ import annotations

PIECE = b"0123456789abcdef" * 2048
PIECES, PIECE_SECONDS = 60, 0.05
EVENTS, EVENT_SECONDS = 30, 0.1
WORDS, WORD_SECONDS = 30, 0.1
"""Of a WebSocket."""
