"""What a server answers that is not the answer, sorted by what is to be done about it."""

from __future__ import annotations

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from gateway.ports.state import StoreUnavailable

_KINDS: dict[str, type[Exception]] = {
    "NOSCRIPT": NoScriptError,
    "LOADING": BusyLoadingError,
    "BUSY": BusyLoadingError,
    "READONLY": ReadOnlyError,
    "NOAUTH": AuthenticationError,
    "MOVED": MovedError,
    "ASK": AskError,
    "TRYAGAIN": TryAgainError,
    "CLUSTERDOWN": ClusterDownError,
    "MASTERDOWN": MasterDownError,
}
"""By their first word; the classes are redis-py's, whose own connections raise them, too."""
_LESS_THE_WORD = (AskError, ClusterDownError)


class Redirected(StoreUnavailable):
    """Another node has the key, or will have it in a moment; nothing was done. Only within the store's room."""

    def __init__(self, says: str, answer: ResponseError) -> None:
        super().__init__(says)
        self.answer = answer


def exception_of(text: str) -> Exception:
    """The exception for an error that a server answered."""
    word, _, rest = text.partition(" ")
    kind = _KINDS.get(word, ResponseError)
    if "non local key" in text:  # a script looked at a key that is on its way to another node
        return TryAgainError(text)
    try:
        return kind(rest if issubclass(kind, _LESS_THE_WORD) else text)
    except ValueError:  # a redirection without an address
        return ResponseError(text)


def is_redirection(error: object) -> bool:
    """Whether another node is to be asked, or the same one in a moment."""
    return isinstance(error, MovedError | AskError | TryAgainError) or "non local key" in str(error)


def is_elsewhere(error: object) -> bool:
    """Whether another connection, opened anew, may lead to a server that can."""
    return isinstance(error, ReadOnlyError | AuthenticationError | ClusterDownError)


def takes_nothing(error: ResponseError) -> bool:
    """Whether the server refuses every write for the moment: a verb begins with reading, so it has done nothing."""
    return str(error).partition(" ")[0] in ("NOREPLICAS", "MISCONF", "OOM")


def is_used_up(error: Exception) -> bool:
    """Whether all connections of a pool stayed lent: that says nothing of the server."""
    return str(error) == "No connection available."
