"""Every sentence is there in every language, says the same with the same values, and none is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import c2py

import pytest
from babel.messages.catalog import Catalog, Message

from gateway.core.wording import LANGUAGES
from gateway.language.catalogue import catalogue
from gateway.language.defaults import DEFAULTS
from gateway.settings.sections import Offer
from gateway.web.fact_words import KINDS
from gateway_teaser_metadata.words import WORDS, type_in_words
from tests.language.messages import FOLDER, TRANSLATED, said, translated, written

_VALUE = re.compile(r"%\(\w+\)s|%[^(%]")
_TAG = re.compile(r"<[^>]*>")
_LEFT_TO_LATIN = re.compile(r"[a-z]{3}", re.IGNORECASE)
Key = tuple[str, str | tuple[str, ...]]


def key(message: Message) -> Key:
    return message.context or "", message.id if isinstance(message.id, str) else tuple(message.id)


def messages(catalog: Catalog) -> dict[Key, Message]:
    return {key(message): message for message in catalog if message.id}


SAID = messages(said())


def problems(catalog: Catalog) -> Iterator[str]:
    """What is wrong with a catalogue."""
    there = messages(catalog)
    yield from (f"missing: {each}" for each in SAID.keys() - there.keys())
    yield from (f"unused: {each}" for each in there.keys() - SAID.keys())
    if catalog.obsolete:
        yield f"obsolete: {list(catalog.obsolete)}"
    which = c2py(catalog.plural_expr)
    first_is_one = [number for number in range(200) if which(number) == 0] == [1]
    for each, message in there.items():
        if message.fuzzy:
            yield f"fuzzy: {each}"
        if isinstance(message.id, str):
            yield from (f"{wrong}: {each}" for wrong in _wrong(message.id, str(message.string)))
        else:
            forms = list(message.string or ())
            one, many = message.id
            wrongs = _wrong_forms(one, many, forms, catalog.num_plurals, first_is_one)
            yield from (f"{wrong}: {each}" for wrong in wrongs)


def _wrong(source: str, text: str) -> Iterator[str]:
    if not text:
        yield "untranslated"
    elif _parts(text) != _parts(source):
        yield "other values or elements"
    elif text.strip() != text or _end(text) != _end(source):
        yield "another end"


def _wrong_forms(one: str, many: str, forms: list[str], number: int, first_is_one: bool) -> Iterator[str]:
    if len(forms) != number or not all(forms):
        yield "not in every number"
    for position, form in enumerate(forms):
        # A form for one thing alone may leave the number out where the English does.
        sources = [many, one] if position == 0 and first_is_one else [many]
        if form and _parts(form) not in [_parts(source) for source in sources]:
            yield "other values or elements"


def _parts(text: str) -> list[str]:
    return sorted([*_VALUE.findall(text), *_TAG.findall(text)])


def _end(text: str) -> str:
    return text[-1] if text[-1] in ".?:" else ""


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_is_whole(tag: str) -> None:
    assert not list(problems(translated(tag)))


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_is_written_as_the_tool_writes_it(tag: str) -> None:
    text = (FOLDER / f"{tag}.po").read_text(encoding="utf-8")
    catalog = translated(tag)
    catalog.update(said(), no_fuzzy_matching=True)
    # In any order: two branches that each add a sentence merge into another one than the tool's.
    assert sorted(written(catalog).strip().split("\n\n")) == sorted(text.strip().split("\n\n"))


def test_there_is_a_catalogue_for_every_language_and_no_other() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(TRANSLATED) == set(LANGUAGES) - {"en"}


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        ('msgid "Terms"\nmsgstr "Bedingungen"\n', "missing"),
        ('msgid "Nobody says this"\nmsgstr "Das sagt niemand"\n', "unused"),
        ('#~ msgid "Once said"\n#~ msgstr "Früher gesagt"\n', "obsolete"),
        ('#, fuzzy\nmsgid "Terms"\nmsgstr "Bedingungen"\n', "fuzzy"),
        ('msgid "Terms"\nmsgstr ""\n', "untranslated"),
        ('msgid "Pay %(price)s"\nmsgstr "Bezahlen"\n', "other values"),
        ('msgid "Pay %(price)s"\nmsgstr "%(prize)s bezahlen"\n', "other values"),
        ('msgid "The rest is withheld."\nmsgstr "Der Rest wird zurückgehalten"\n', "another end"),
        ('msgid "%(number)s result"\nmsgid_plural "%(number)s results"\nmsgstr[0] "x"\nmsgstr[1] ""\n', "not in every"),
        ('msgid "%(number)s result"\nmsgid_plural "%(number)s results"\nmsgstr[0] "1"\nmsgstr[1] "%(number)s"\n',
         "other values"),
    ],
)  # fmt: skip
def test_what_a_catalogue_lacks_is_noticed(broken: str, found: str) -> None:
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    told = list(problems(translated("de", (header + broken).encode())))
    assert any(each.startswith(found) for each in told), told[-3:]


@pytest.mark.parametrize("tag", TRANSLATED)
@pytest.mark.parametrize("number", [0, 1, 2, 5, 11, 21, 22, 112, 1000])
def test_every_number_is_said(tag: str, number: int) -> None:
    one, many = "%(number)s result", "%(number)s results"
    said_so = catalogue(tag).ngettext(one, many, number) % {"number": number}
    assert said_so.startswith(str(number)) and "results" not in said_so


@pytest.mark.parametrize(
    ("number", "said_so"),
    [(1, "1 результат"), (2, "2 результата"), (5, "5 результатов"), (11, "11 результатов"), (21, "21 результат"),
     (22, "22 результата"), (112, "112 результатов")],
)  # fmt: skip
def test_russian_has_three_forms(number: int, said_so: str) -> None:
    assert catalogue("ru").ngettext("%(number)s result", "%(number)s results", number) % {"number": number} == said_so


def test_russian_is_written_in_russian() -> None:
    foreign = {"JSON", "SQL"}
    for each, message in messages(translated("ru")).items():
        for text in (message.string,) if isinstance(message.string, str) else message.string or ():
            bare = _TAG.sub("", _VALUE.sub("", text))
            if _LEFT_TO_LATIN.search(bare) and not re.search(r"[А-Яа-я]", bare):
                assert bare.strip() in foreign, each


def test_the_defaults_of_a_config_are_translated() -> None:
    offer = Offer()
    assert {offer.name, *(reason.text for reason in offer.reasons)} <= set(DEFAULTS)


def test_all_that_our_teasers_call_a_result_is_translated() -> None:
    families = {
        type_in_words(f"{family}/x-rare") for family in ("audio", "font", "image", "model", "text", "video", "x")
    }
    assert {*WORDS.values(), *families} == set(KINDS)
