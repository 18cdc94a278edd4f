"""That the fuzzer sees what is read otherwise than it is written, though it is read alike each time."""

from __future__ import annotations

import pytest

from gateway.settings import document
from gateway.settings.document import Document
from gateway.upstream.parsing import AnswerParser
from tests.fuzz.test_fuzz import found


def test_a_coding_that_is_not_chunked_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(self: AnswerParser, value: bytes, version: str) -> None:
        self._chunked = b"chunked" in value.lower()

    monkeypatch.setattr(AnswerParser, "_take_transfer_coding", lenient)
    assert found("answers")


def test_a_key_that_stands_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(self: document._Reading, node: object, path: object, message: str) -> None:
        """Tell nobody."""

    monkeypatch.setattr(document._Reading, "_complain", silent)
    assert found("configs")


def test_a_value_that_is_read_as_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.settings.load.read_document", _freer)
    assert found("configs")


def _freer(where: str, text: str) -> Document:
    return document.read_document(where, text.replace("class: result", "class: action"))
