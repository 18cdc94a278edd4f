"""When a page's policies let a script of its own origin in: only where that is certain, and where it is of use."""

from __future__ import annotations

import pytest

from gateway.core.header import Headers
from gateway.html.script_policy import lets_script_in

CSP, REPORT_ONLY = b"content-security-policy", b"content-security-policy-report-only"

LET_IN: list[bytes] = [
    b"",
    b"style-src 'none'",
    b"default-src 'self'",
    b"DEFAULT-SRC 'SELF'",
    b"default-src 'none'; script-src 'self'; connect-src 'self'",
    b"default-src 'self'; script-src 'self' 'nonce-abc' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    b"script-src 'none'; script-src-elem 'self'",
    b"script-src *",
    b"script-src 'self'; script-src 'none'",
    b"default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
    b"sandbox allow-scripts allow-same-origin allow-popups allow-forms; default-src 'self'",
    b"script-src 'self', script-src * https:",
]
KEPT_OUT: list[bytes] = [
    b"default-src 'none'",
    b"default-src",
    b"script-src 'none'; default-src 'self'",
    b"script-src-elem 'none'; script-src 'self'",
    b"default-src 'self'; connect-src 'none'",
    b"default-src 'self'; connect-src https://api.example",
    b"default-src 'none'; script-src 'self'",
    b"script-src 'unsafe-inline'",
    b"script-src 'nonce-abc'",
    b"script-src 'self' 'nonce-abc' 'strict-dynamic'",
    b"script-src https:",
    b"script-src https://cdn.example",
    b"script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    b"script-src 'self', script-src 'none'",
    b"sandbox",
    b"sandbox allow-scripts",
    b"sandbox allow-scripts allow-same-origin",
    b"require-sri-for script",
    b"\tscript-src\t'none'\t;",
]


@pytest.mark.parametrize("policy", LET_IN)
def test_a_script_of_ours_is_let_in(policy: bytes) -> None:
    assert lets_script_in([(CSP, policy)]) and lets_script_in([(REPORT_ONLY, policy)])


@pytest.mark.parametrize("policy", KEPT_OUT)
def test_a_script_of_ours_is_kept_out(policy: bytes) -> None:
    assert not lets_script_in([(CSP, policy)]) and not lets_script_in([(REPORT_ONLY, policy)])


@pytest.mark.parametrize(
    "headers",
    [
        [(CSP, b"default-src 'self'"), (CSP, b"default-src 'none'")],
        [(CSP, b"default-src 'self'"), (REPORT_ONLY, b"script-src 'none'")],
        [(b"integrity-policy", b"blocked-destinations=(script)")],
        [(b"integrity-policy-report-only", b"blocked-destinations=(script)")],
    ],
)
def test_every_policy_counts(headers: Headers) -> None:
    assert not lets_script_in(headers)


def test_a_page_without_a_policy_lets_everything_in() -> None:
    assert lets_script_in([]) and lets_script_in([(b"content-type", b"text/html")])
