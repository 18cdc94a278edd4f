"""Addresses in a config: where to listen, what to forward to, where the store is, whom to trust.

Each reads what people write and says in its error what is allowed. None of them ever shows a whole URL in an error,
because a URL may hold a password.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from gateway.settings.written import Written

STORE_SCHEMES = (
    "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster",
)  # fmt: skip

ORIGIN_PATTERN = "^([Hh][Tt][Tt][Pp][Ss]?|[Uu][Nn][Ii][Xx]):"
_STORE_PATTERN = r"^(embedded|(unix|rediss?(\+(sentinel|cluster))?)://.*)$"

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
_PREFIX = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 lets the system choose one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `127.0.0.1:8080` or `[::1]:8080`. Raises `ValueError` with an example for anything else."""
        host, colon, port = text.rpartition(":")
        if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
            raise ValueError(f"{text!r} is not an address to listen on: write HOST:PORT, like 127.0.0.1:8080")
        if not host:
            raise ValueError(f"{text!r} has no host: write 127.0.0.1:{port} for this machine, 0.0.0.0:{port} for all")
        return cls(_listen_host(host, text), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _listen_host(host: str, text: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            raise ValueError(f"{text!r} has no valid IPv6 address in its brackets: write it like [::1]:8080") from None
    if ":" in host and "//" not in host:
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, like [::1]:8080")
    if _HOST.fullmatch(host) is None or not _is_sound_ipv4(host):
        raise ValueError(f"{text!r} is not an address to listen on: write HOST:PORT, like 127.0.0.1:8080")
    return host


def _is_sound_ipv4(host: str) -> bool:
    """False for what looks like an IPv4 address and is none, such as `127.0.0.256`."""
    if re.fullmatch(r"[0-9.]+", host) is None:
        return True
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Origin:
    """The application: `http` or `https` with host and port, or `unix` with the path of a socket."""

    scheme: str
    host: str = ""
    port: int = 0
    socket: str = ""

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read `http://localhost:3000` or `unix:/run/app.sock`. Raises `ValueError` that says what is allowed."""
        allowed = "write it like http://localhost:3000, https://app.internal or unix:/run/app.sock"
        parts = _split(text, allowed)
        if parts.scheme == "unix":
            if parts.netloc or not parts.path.startswith("/") or parts.query or parts.fragment:
                raise ValueError("a unix socket is named by its full path: write it like unix:/run/app.sock")
            return cls("unix", socket=parts.path)
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"the address has no scheme that is known here: {allowed}")
        if parts.username is not None or parts.password is not None:
            raise ValueError("the address must not hold a user or password: let the application check its own users")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(
                "the address must not have a path: it ends after the port, paths are forwarded as they come"
            )
        return cls(parts.scheme, _web_host(parts, allowed), parts.port or _PORTS[parts.scheme])

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def read_public_url(text: str) -> str:
    """Scheme, host and port under which people reach the gateway, as a browser writes an origin (RFC 6454 section 6.1).

    Raises `ValueError` that says what is allowed.
    """
    allowed = "write it like https://app.example.com"
    parts = _split(text, allowed)
    if parts.scheme not in _PORTS:
        raise ValueError(f"the address has no scheme that browsers know: {allowed}")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"the address must not hold a user or password: {allowed}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("the address must not have a path: the gateway's own pages live under `prefix`")
    host = _web_host(parts, allowed)
    named = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{named}{port}"


def _web_host(parts: SplitResult, allowed: str) -> str:
    host = parts.hostname or ""
    if not host or not (":" in host or (_HOST.fullmatch(host) and _is_sound_ipv4(host))):
        raise ValueError(f"the address has no valid host: {allowed}")
    return host


def _split(text: str, allowed: str) -> SplitResult:
    """The parts of a URL. Raises `ValueError` that never shows the URL."""
    if not text.isprintable() or " " in text:
        raise ValueError(f"the address has a space or an unprintable character: {allowed}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"the address can't be read, look at its host and port: {allowed}") from None
    if port == 0:
        raise ValueError(f"the address has port 0: {allowed}")
    return parts


def read_store(text: str) -> str:
    """`embedded` or the URL of a Redis, unchanged. Raises `ValueError` that says what is allowed."""
    if text == "embedded":
        return text
    schemes = ", ".join(f"{scheme}://" for scheme in STORE_SCHEMES)
    allowed = f"write embedded or a URL that begins with {schemes}"
    if "://" not in text:
        near = ": did you mean 'embedded'?" if difflib.get_close_matches(text, ["embedded"]) else ""
        raise ValueError(f"the store is neither 'embedded' nor a URL{near or ': ' + allowed}")
    parts = _split(text, allowed) if "," not in text else None
    scheme = text.split("://", 1)[0]
    if scheme not in STORE_SCHEMES:
        near_schemes = difflib.get_close_matches(scheme, STORE_SCHEMES, 1)
        hint = f"did you mean '{near_schemes[0]}://'?" if near_schemes else allowed
        raise ValueError(f"a store at '{scheme}://' is not known: {hint}")
    if parts is not None and scheme == "unix" and not parts.path.startswith("/"):
        raise ValueError("a unix socket is named by its full path: write it like unix:///run/redis.sock")
    if parts is not None and scheme != "unix" and not parts.hostname:
        raise ValueError("the store's URL has no host: write it like redis://localhost:6379/0")
    return text


def has_password(store: str) -> bool:
    """Whether the URL of a store holds a password."""
    _, _, rest = store.partition("://")
    user, at, _ = rest.rpartition("@")
    return bool(at) and ":" in user and not user.endswith(":")


IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def read_network(value: object) -> IPNetwork:
    """Read `10.0.0.0/8` or one address. Raises `ValueError` that says what is allowed."""
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a network, like 10.0.0.0/8 or 127.0.0.1/32")
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{value!r} is not a network: write it like 10.0.0.0/8 or 127.0.0.1/32") from None
    raise ValueError(f"{value!r} names an address inside a network: write {meant} for the network")


def read_prefix(text: str) -> str:
    """Read the path that the gateway's own pages live under. Raises `ValueError` that says what is allowed."""
    if _PREFIX.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} can't be the prefix: write it like /_paywall, with letters, digits, '_', '-' and '.', "
            "beginning with '/' and not ending with it"
        )
    return text


AddressField = Annotated[Address, Written(Address.parse, "127.0.0.1:8080", r"^.+:[0-9]{1,5}$")]
OriginField = Annotated[Origin, Written(Origin.parse, "http://localhost:3000", ORIGIN_PATTERN)]
PublicUrlField = Annotated[
    str, Written(read_public_url, "https://app.example.com", "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]+/?$")
]
StoreField = Annotated[str, Written(read_store, "embedded or redis://localhost:6379/0", _STORE_PATTERN)]
PrefixField = Annotated[str, Written(read_prefix, "/_paywall", r"^(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$")]


class _Network:
    """Pydantic schema of a network."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(read_network)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string"}


NetworkField = Annotated[IPNetwork, _Network()]
