"""Who a request is for."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

ID_BYTES_LIMIT = 512


class SubjectKind(StrEnum):
    """What sort of identity stands behind a request."""

    PERSON = "person"
    ACCOUNT = "account"
    KEY = "key"
    VISITOR = "visitor"


_KINDS = frozenset(kind.value for kind in SubjectKind)


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, an account, an API key or an anonymous visitor, named as its identity source names it.

    Two subjects are the same when kind and id are equal: a person known by a token and the same person known by a
    trusted header share one trial.
    """

    kind: SubjectKind
    id: str

    def __post_init__(self) -> None:
        size = len(self.id.encode("utf-8", "surrogatepass"))
        if not 0 < size <= ID_BYTES_LIMIT:
            raise ValueError(f"a subject's id has 1 to {ID_BYTES_LIMIT} bytes, this one has {size}")

    @property
    def key(self) -> str:
        """22 characters that stand for the subject in the store: all its keys share them as cluster hash tag.

        Not keyed with the secret on purpose: rotating a secret must not orphan every subject. Where subjects leave
        the store (logs, events) a keyed hash is used instead.
        """
        return _key(self.kind, self.id)

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read `kind:id`, as `str()` writes it; without a known kind the whole text is a person's id."""
        kind, separator, rest = text.partition(":")
        if separator and rest and kind in _KINDS:
            return cls(SubjectKind(kind), rest)
        return cls(SubjectKind.PERSON, text)

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@lru_cache(4096)
def _key(kind: SubjectKind, name: str) -> str:
    digest = hashlib.blake2b(f"{kind}:{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
