"""Addresses of applications, and the sentences for those that are none."""

from __future__ import annotations

import ssl

import pytest

from gateway.upstream.address import parse_address
from gateway.upstream.limits import UpstreamLimits


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority", "text"),
    [
        ("http://localhost:3000", "localhost", 3000, None, b"localhost:3000", "http://localhost:3000"),
        ("http://localhost:3000/", "localhost", 3000, None, b"localhost:3000", "http://localhost:3000"),
        ("HTTP://App.Example", "app.example", 80, None, b"app.example", "http://app.example:80"),
        ("https://app.example", "app.example", 443, None, b"app.example", "https://app.example:443"),
        ("https://app.example:8443", "app.example", 8443, None, b"app.example:8443", "https://app.example:8443"),
        ("http://[::1]:8000", "::1", 8000, None, b"[::1]:8000", "http://[::1]:8000"),
        ("http://bücher.example", "xn--bcher-kva.example", 80, None, b"xn--bcher-kva.example", None),
        ("unix:///run/app.sock", "localhost", 0, "/run/app.sock", b"localhost", "unix:///run/app.sock"),
        ("http+unix://%2Frun%2Fapp.sock", "localhost", 0, "/run/app.sock", b"localhost", "unix:///run/app.sock"),
        ("http+unix:///run/app.sock", "localhost", 0, "/run/app.sock", b"localhost", "unix:///run/app.sock"),
    ],
)
def test_address_is_read(url: str, host: str, port: int, path: str | None, authority: bytes, text: str | None) -> None:
    address = parse_address(url)
    assert (address.host, address.port, address.unix_path, address.authority) == (host, port, path, authority)
    assert (address.tls is not None) == url.startswith("https")
    assert text is None or str(address) == text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "write http://"),
        ("localhost:3000", "write http://"),
        ("ftp://localhost", "write http://"),
        ("http://", "no valid host"),
        ("http://:3000", "no valid host"),
        ("http://a b", "no valid host"),
        ("http://localhost:0", "1 to 65535"),
        ("http://localhost:65536", "1 to 65535"),
        ("http://localhost:http", "1 to 65535"),
        ("http://localhost:3000/base", "so write http://localhost:3000"),
        ("http://localhost:3000/?a=b", "so write http://localhost:3000"),
        ("http://localhost:3000#a", "so write http://localhost:3000"),
        ("http://user:password@localhost", "user name or password"),
        ("unix://run/app.sock", "unix:///path"),
        ("unix:", "unix:///path"),
        ("unix:run.sock", "unix:///path"),
        ("unix:///run/app.sock?x", "unix:///path"),
        ("http://[::1", "write http://"),
    ],
)
def test_what_is_no_address_is_explained(url: str, said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_address(url)
    assert said in str(refusal.value)
    assert "password@" not in str(refusal.value)


def test_https_verifies_unless_told_otherwise() -> None:
    verifying = parse_address("https://app.example").tls
    assert verifying is not None
    assert (verifying.verify_mode, verifying.check_hostname) == (ssl.CERT_REQUIRED, True)
    own = ssl.create_default_context()
    assert parse_address("https://app.example", tls=own).tls is own


@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "max_connections", "max_head_bytes"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_are_above_zero(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        UpstreamLimits(**{name: value})  # type: ignore[arg-type]
