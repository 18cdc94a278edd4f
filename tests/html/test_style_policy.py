"""When a page's policies let a style sheet of its own origin in: only where that is certain."""

from __future__ import annotations

import pytest

from gateway.core.header import Headers
from gateway.html.style_policy import lets_style_in

CSP, REPORT_ONLY = b"content-security-policy", b"content-security-policy-report-only"

LET_IN: list[bytes] = [
    b"",
    b"script-src 'none'",
    b"default-src 'self'",
    b"DEFAULT-SRC 'SELF'",
    b"default-src 'none'; style-src 'self'",
    b"default-src 'none'; style-src 'self' 'nonce-abc'",
    b"style-src 'none'; style-src-elem 'self'",
    b"style-src *",
    b"style-src 'self'; style-src 'none'",
    b"sandbox allow-scripts; require-trusted-types-for 'script'",
    b"default-src 'self', style-src 'self'",
]
KEPT_OUT: list[bytes] = [
    b"default-src 'none'",
    b"default-src",
    b"style-src 'none'; default-src 'self'",
    b"style-src-elem 'none'; style-src 'self'",
    b"style-src 'unsafe-inline'",
    b"style-src 'nonce-abc' 'strict-dynamic'",
    b"style-src https:",
    b"style-src https://cdn.example",
    b"style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    b"default-src 'self', style-src 'none'",
    b"\tstyle-src\t'none'\t;",
]


@pytest.mark.parametrize("policy", LET_IN)
def test_a_style_sheet_of_ours_is_let_in(policy: bytes) -> None:
    assert lets_style_in([(CSP, policy)]) and lets_style_in([(REPORT_ONLY, policy)])


@pytest.mark.parametrize("policy", KEPT_OUT)
def test_a_style_sheet_of_ours_is_kept_out(policy: bytes) -> None:
    # A report is a violation, too, for whoever reads the reports.
    assert not lets_style_in([(CSP, policy)]) and not lets_style_in([(REPORT_ONLY, policy)])


@pytest.mark.parametrize(
    "headers",
    [
        [(CSP, b"default-src 'self'"), (CSP, b"default-src 'none'")],
        [(CSP, b"default-src 'self'"), (REPORT_ONLY, b"style-src 'none'")],
        [(b"integrity-policy", b"blocked-destinations=(style)")],
        [(b"integrity-policy-report-only", b"blocked-destinations=(style)")],
    ],
)
def test_every_policy_counts(headers: Headers) -> None:
    assert not lets_style_in(headers)


def test_a_page_without_a_policy_lets_everything_in() -> None:
    assert lets_style_in([]) and lets_style_in([(b"content-type", b"text/html")])
