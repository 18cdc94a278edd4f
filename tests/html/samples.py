"""Pages out of the pieces that make pages difficult, and ways to cut them up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hypothesis import strategies as st

SNIPPET = b'<div class="put-in"><p>said</p></div>'

PIECES = [
    b"<!doctype html>", b"<html><head><title>t</title></head><body>", b"<p>text</p>", b"text ",
    "gr\u00fc\u00dfe".encode(), b"\r\n", b"\x00", b" ", b" " * 4100,
    b"</body>", b"</BODY>", b"</body >", b"</body\n/>", b"</html>", b"</HTML\t>", b"</bodyguard>",
    b"<", b"</", b"</b", b"</h", b"</bod", b"</body", b"</html", b"-->", b"</script>", b"<script>'</body>",
    b"<!-- made in 3 ms -->", b"<!-->", b"<!--->", b"<!-- a > b - c -- -->", b"<!-- </body> -->",
    b"<!--</body></html>-->", b"<script>var end = '</body></html>';</script>", b"<SCRIPT>/*</body>*/</SCRIPT>",
    b"<style>p::after{content:'</body>'}</style>", b"<textarea></body></textarea>", b"<title></body></title>",
    b'<p title="</body>">',
]  # fmt: skip

pages = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
cuts = st.lists(st.floats(0, 1), max_size=8)


def cut(data: bytes, places: Iterable[float]) -> Iterator[bytes]:
    """The data in pieces, some of them empty."""
    begin = 0
    for place in sorted(places):
        end = int(place * len(data))
        yield data[begin:end]
        begin = end
    yield data[begin:]


def bytewise(data: bytes) -> Iterator[bytes]:
    """The data in the smallest pieces there are."""
    return (data[at : at + 1] for at in range(len(data)))
