"""Ask the identity providers, in the order of the config, who a request is from."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.header import Headers
from gateway.ports.identity import Credentials, Identified, IdentityProvider, Rejected


class IdentityChain:
    """The identity providers of one config; the first that answers wins, and a proof wins over a mere saying."""

    def __init__(self, providers: tuple[IdentityProvider, ...], log: Callable[[str], None]) -> None:
        self._providers = providers
        self._log = log
        self.vary = ", ".join(dict.fromkeys(name for provider in providers for name in provider.vary))
        """What the answer of the gateway depends on, as the value of `Vary`."""
        self._names = frozenset(name.encode("ascii") for provider in providers for name in provider.vary)

    def may_know(self, headers: Headers) -> bool:
        """Whether a request says anything at all of who it is from."""
        return any(name in self._names for name, _ in headers)

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        """Who it is. A proof that does not hold ends the search: it must not turn into a fresh visitor."""
        said: Identified | Rejected | None = None
        for provider in self._providers:
            if said is not None and not provider.proven:
                continue
            try:
                answer = await provider.identify(credentials)
            except Exception as error:  # a plugin's fault must neither end the request nor make a stranger of anybody
                self._log(f"{type(provider).__module__} failed to identify: {type(error).__name__}: {error}")
                return Rejected("can't be checked at the moment", temporary=True)
            if answer is None:
                continue
            if provider.proven:
                return answer
            said = answer
        return said
