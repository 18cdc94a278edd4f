"""A language that nobody speaks: every sentence that the catalogues know stands in brackets, and it runs from the right
to the left. What stands on a page outside of brackets is said past the catalogues."""

from __future__ import annotations

from functools import lru_cache
from gettext import NullTranslations

from babel import Locale

from gateway.language.language import Language
from tests.language.messages import said

OPEN, CLOSE = "⟦", "⟧"


@lru_cache
def _known() -> frozenset[tuple[str, str]]:
    found = set()
    for message in said():
        for text in (message.id,) if isinstance(message.id, str) else message.id:
            found.add((message.context or "", text))
    return frozenset(found)


class Brackets(NullTranslations):
    """Puts what is known into brackets."""

    def gettext(self, message: str) -> str:
        return self.pgettext("", message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}" if (context, message) in _known() else message


PSEUDO = Language("ar", Locale.parse("ar"), Brackets())
