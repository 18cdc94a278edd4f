"""Ask the identity providers, in the order of the config, who a request is from."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from gateway.core.header import Headers
from gateway.core.subject import Subject, SubjectKind
from gateway.ports.identity import Credentials, Identified, IdentityProvider, Rejected


class _Failed(Exception):
    def __init__(self, provider: str, why: str) -> None:
        super().__init__(why)
        self.provider, self.why = provider, why


_salts = itertools.count(1)


class IdentityChain:
    """The identity providers of one config; the first that answers wins, and a proof wins over a mere saying."""

    def __init__(self, providers: tuple[IdentityProvider, ...], log: Callable[[str], None]) -> None:
        self._providers = providers
        self._log = log
        self.vary = ", ".join(dict.fromkeys(name for provider in providers for name in provider.vary))
        """What the answer of the gateway depends on, as the value of `Vary`."""
        self._names = frozenset(name.encode("ascii") for provider in providers for name in provider.vary)
        self._salt = next(_salts)

    def trace(self, headers: Headers) -> int:
        """A number for whatever a request says of who it is from: another config, another number. 0 when it says
        nothing.

        Good for remembering within this process that somebody was met, and for nothing that must not be wrong: Python
        hashes bytes with a key of its own, to 64 bits.
        """
        names = self._names
        said = [value for name, value in headers if name in names]
        return hash((self._salt, *said)) if said else 0

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        """Who it is. A proof that does not hold ends the search: it must not turn into a fresh visitor."""
        try:
            return await self._ask(credentials)
        except _Failed as failure:  # a plugin's fault must neither end the request nor make a stranger of anybody
            self._log(f"{failure.provider} failed to identify: {failure.why}")
            return Rejected("can't be checked at the moment", temporary=True)

    def identify_at_once(self, credentials: Credentials) -> Identified | None:
        """Who it is, where nobody has to wait for the answer; None where somebody has to, or it is nobody known.

        Takes the first step of the search and no other: a search that waits for something is given up, and begun anew
        by whoever can wait.
        """
        search = self._ask(credentials)
        try:
            search.send(None)
        except StopIteration as found:
            answer = found.value
            return answer if isinstance(answer, Identified) and not answer.set_cookie else None
        except _Failed:
            return None
        search.close()
        return None

    @property
    def may_join(self) -> bool:
        """Whether a request may be proven to be from somebody, and carry the cookie of a visitor besides."""
        return len({provider.proven for provider in self._providers}) > 1

    async def visitor_and_person(self, credentials: Credentials) -> tuple[Subject, Subject] | None:
        """A visitor who is known again by this request, and whom it is proven to be from; None without one of them."""
        proven, visitor = None, None
        try:
            for provider in self._providers:
                if provider.proven and proven is None:
                    proven = await provider.identify(credentials)
            for provider in self._providers:
                if isinstance(proven, Identified) and not provider.proven and visitor is None:
                    visitor = _visitor(await provider.identify(credentials), is_fresh=False)
        except Exception:  # told when it is asked who the request is from
            return None
        return (visitor.subject, proven.subject) if visitor and isinstance(proven, Identified) else None

    async def fresh_visitor(self, credentials: Credentials) -> Identified | None:
        """A new visitor in place of the one that the request comes with, with the cookie to set."""
        without = [(name, value) for name, value in credentials.headers if name != b"cookie"]
        for provider in self._providers:
            if not provider.proven:
                answer = await provider.identify(Credentials(without, credentials.peer_trusted))
                if found := _visitor(answer, is_fresh=True):
                    return found
        return None

    async def _ask(self, credentials: Credentials) -> Identified | Rejected | None:
        said: Identified | Rejected | None = None
        for provider in self._providers:
            if said is not None and not provider.proven:
                continue
            try:
                answer = await provider.identify(credentials)
            except Exception as error:
                raise _Failed(type(provider).__module__, f"{type(error).__name__}: {error}") from error
            if answer is None:
                continue
            if provider.proven:
                return answer
            said = answer
        return said


def _visitor(answer: Identified | Rejected | None, is_fresh: bool) -> Identified | None:
    is_one = isinstance(answer, Identified) and answer.subject.kind is SubjectKind.VISITOR
    return answer if isinstance(answer, Identified) and is_one and bool(answer.set_cookie) is is_fresh else None
