"""Payment protocols of programs as they stand on the wire: bytes and text in, values out, and back.

`x402` is the x402 protocol, version 2; `payment_scheme` is the HTTP authentication scheme "Payment", by which the
Machine Payments Protocol asks for money; `l402` is the scheme L402 of the Lightning network, with its tokens in
`macaroon`. Nothing here asks anybody or decides anything. What strangers sent raises `Malformed` and nothing else.
"""
