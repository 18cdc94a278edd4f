"""A page as a browser would take it apart."""

from __future__ import annotations

from html.parser import HTMLParser

from gateway.web.answers import OwnAnswer

Attributes = dict[str, str | None]


class Read(HTMLParser):
    """The elements, the text and the style sheet of a page."""

    def __init__(self, own: OwnAnswer) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.style = ""
        self._texts: list[str] = []
        self._inside = ""
        self.source = own.body.decode("utf-8")
        self.feed(self.source)
        self.close()
        self.text = " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.style += data
        else:
            self._texts.append(data)

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.elements if name == tag]

    def form(self, action: str) -> bool:
        """Whether there is a form that leads to an address that ends so."""
        return any(str(form.get("action")).endswith(action) for form in self.all("form"))


def header(own: OwnAnswer, name: str) -> str:
    return dict(own.headers).get(name.encode(), b"").decode("ascii")
