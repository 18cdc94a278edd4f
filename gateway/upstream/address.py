"""Where the application listens."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

_SHAPES = "http://host:port, https://host:port or unix:///path/to.sock"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UpstreamAddress:
    """One place to connect to: a host and port, with or without TLS, or a Unix socket. Made by `parse_address`."""

    host: str
    """Name or address, without brackets. For a Unix socket `localhost`, as the name to call the application by."""
    port: int
    """0 for a Unix socket."""
    unix_path: str | None = None
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> bytes:
        """What the `host` header says when the application is to be called by its own name (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.unix_path is not None or self.port == (443 if self.tls else 80)
        return (host if is_default else f"{host}:{self.port}").encode("ascii")

    def __str__(self) -> str:
        if self.unix_path is not None:
            return f"unix://{self.unix_path}"
        return f"{'https' if self.tls else 'http'}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def parse_address(url: str, *, tls: ssl.SSLContext | None = None) -> UpstreamAddress:
    """Read `http://host:port`, `https://host:port`, `unix:///path` or `http+unix://%2Fpath`.

    `tls` is used for https; without it certificate and host name are verified against the system's authorities.
    Raises ValueError with one sentence fit for the person who wrote the address.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"upstream address {url!r} is not understood ({error}): write {_SHAPES}") from error
    if parts.scheme in ("unix", "http+unix"):
        return _unix(url, parts)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"upstream address {url!r} is not understood: write {_SHAPES}")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            f"upstream address of {parts.hostname!r} holds a user name or password: take it out, "
            "the application's credentials belong into request headers"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            f"upstream address {url!r} goes on after the port: requests are sent on with their own path, "
            f"so write {parts.scheme}://{parts.netloc}"
        )
    return UpstreamAddress(_host(url, parts), _port(url, parts), None, _context(parts.scheme, tls))


def _unix(url: str, parts: SplitResult) -> UpstreamAddress:
    path = unquote(parts.netloc) if parts.netloc else parts.path
    if not path.startswith("/") or (parts.netloc and parts.path not in ("", "/")) or parts.query or parts.fragment:
        raise ValueError(f"upstream address {url!r} names no absolute socket path: write unix:///path/to.sock")
    return UpstreamAddress("localhost", 0, path, None)


def _host(url: str, parts: SplitResult) -> str:
    try:
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if not host or any(character <= " " for character in host):
        raise ValueError(f"upstream address {url!r} names no valid host: write {_SHAPES}")
    return host


def _port(url: str, parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"upstream address {url!r} has a port that is not a number from 1 to 65535")
    return port or _DEFAULT_PORTS[parts.scheme]


def _context(scheme: str, given: ssl.SSLContext | None) -> ssl.SSLContext | None:
    if scheme != "https":
        return None
    return given if given is not None else ssl.create_default_context()
