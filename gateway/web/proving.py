"""Give whoever has paid a proof of it along with a result (`gateway.access.proof`)."""

from __future__ import annotations

from gateway.core.header import Headers, first
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.web.runtime import Runtime


def proof_for(runtime: Runtime, subject: Subject, state: SubjectState, asked: Headers, onward: Headers) -> bytes:
    """The `set-cookie` value for the answer to a request with the headers `asked`, which goes to the application with
    those `onward`; empty where none is due."""
    secure = first(onward, b"x-forwarded-proto") == b"https"
    return runtime.proofs.renewed(subject, state, asked, secure=secure, now=runtime.now())
