"""Where a snippet goes: before the last `</body`, where that is the end of the page, else behind everything."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.html.insertion import LOOK_AHEAD, Insertion

from .samples import PIECES, SNIPPET, bytewise, cut, cuts, pages


def put_in(pieces: Iterable[bytes], snippet: bytes = SNIPPET) -> bytes:
    """The whole page with the snippet in it."""
    insertion = Insertion()
    return b"".join([*map(insertion.take, pieces), insertion.end(snippet)])


BEFORE_THE_END = [
    b"<p>a</p>|</body></html>",
    b"<p>a</p>|</BODY>\r\n</HTML>\r\n",
    b"a|</body >",
    b"a|</body\n></html\n>\n\n",
    b"a|</body><!-- made in 3 ms -->\n<!-- by b-52 > 1 --></html><!-->",
    b"<script>'</body></html>'</script>a|</body></html>",
    b"<!-- </body> -->a|</body>",
    b"</body>a|</body>",
    b"|</body>",
    b"a|</body>" + b" " * (LOOK_AHEAD - 7),
]
BEHIND_EVERYTHING = [
    b"<p>a</p>",
    b"a</body><script src=reload.js></script></html>",
    b"a<script>document.write('</body></html>')</script>",
    b"a</body></html><!-- <b> -->",
    b"a</body></html><!-- </body> -->",
    b"<textarea></body></html></textarea>",
    b'<p title="</body>">a</p>',
    b"a</bodyguard>",
    b"a</body",
    b"a</body></html><!-- open",
    b"a</bod",
    b"a<",
    b"</body>" + b" " * (LOOK_AHEAD - 6),
    b"",
]


@pytest.mark.parametrize("marked", BEFORE_THE_END)
def test_it_goes_before_the_end_of_the_body(marked: bytes) -> None:
    page = marked.replace(b"|", b"")
    assert put_in([page]) == put_in(bytewise(page)) == marked.replace(b"|", SNIPPET)


@pytest.mark.parametrize("page", BEHIND_EVERYTHING)
def test_where_that_is_not_to_be_found_it_goes_to_the_end(page: bytes) -> None:
    assert put_in([page]) == put_in(bytewise(page)) == page + SNIPPET


@given(pages, cuts)
def test_how_a_page_is_cut_does_not_matter(page: bytes, places: list[float]) -> None:
    assert put_in(cut(page, places)) == put_in([page])


@given(pages)
def test_without_the_snippet_it_is_the_page(page: bytes) -> None:
    changed = put_in([page])
    assert changed.count(SNIPPET) == 1
    assert changed.replace(SNIPPET, b"") == page


@given(pages, cuts)
def test_never_more_is_held_back_than_is_promised(page: bytes, places: list[float]) -> None:
    insertion, passed, given_in = Insertion(), 0, 0
    for piece in cut(page, places):
        given_in += len(piece)
        passed += len(insertion.take(piece))
        assert given_in - passed <= LOOK_AHEAD


def test_a_page_goes_on_as_soon_as_its_end_proves_to_be_none() -> None:
    insertion = Insertion()
    assert insertion.take(b"<script>'</body>'") == b"<script>'"
    assert insertion.take(b"</script>") == b"</body>'</script>"


class Contents(HTMLParser):
    """What the scripts, styles and comments of a page hold that are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self._open += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.closed.append(self._open)

    def handle_comment(self, data: str) -> None:
        self.closed.append(data)


def contents(page: bytes) -> list[str]:
    reader = Contents()
    reader.feed(page.decode("utf-8"))
    return reader.closed


# `</` makes a comment of whatever follows (HTML 13.2.5.7), the end tag and ours alike; the others are comments that
# this reader does not know.
readable = st.lists(st.sampled_from([piece for piece in PIECES if piece not in (b"</", b"<!-->", b"<!--->")]))


@given(readable.map(b"".join))
def test_no_script_and_no_comment_is_changed(page: bytes) -> None:
    before = contents(page)
    assert contents(put_in([page]))[: len(before)] == before


def test_a_search_for_the_last_end_tag_alone_would_change_a_script() -> None:
    page = b"<p>a</p><script>var end = '</body>';</script>"
    place = page.rfind(b"</body")
    assert contents(page[:place] + SNIPPET + page[place:]) != contents(page)


@pytest.mark.parametrize("piece", PIECES)
def test_much_of_the_same_takes_no_memory(piece: bytes) -> None:
    insertion, given_in, passed = Insertion(), 0, 0
    for _ in range(300):
        given_in += 20 * len(piece)
        passed += len(insertion.take(piece * 20))
        assert given_in - passed <= LOOK_AHEAD
