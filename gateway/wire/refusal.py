"""Answers of the server itself, for what never becomes a request."""

from __future__ import annotations

from gateway.core.reason import Reason


def refusal(status: str, reason: Reason, text: str) -> bytes:
    """Head and body: plain, with its reason, and the last of its connection."""
    body = text.encode() + b"\n"
    return (
        f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"cache-control: private, no-store\r\npaywall-reason: {reason}\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body
