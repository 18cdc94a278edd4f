"""An owner's theme and templates: what they change, and that they let nothing in."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.core.reason import Reason
from gateway.core.theme import DARK, LIGHT, Colour, Palette, Shades, Theme
from gateway.web.own_templates import TemplateProblem, names, problems_of
from gateway.web.pages import Pages, environment_for
from gateway.web.theme import theme_style
from tests.pages.reading import Read, header
from tests.pages.samples import PREFIX, SITE, TABLE, held, offered

ACCENT, NIGHT = Colour.parse("#8a1c5c"), Colour.parse("#101418")
THEME = Theme(
    Shades(ACCENT, logo="/logo.svg"), Shades(background=NIGHT, logo="/dark.svg"), 'Georgia, "Noto Serif", serif'
)


def page_of(site: object = None, **theme: object) -> Read:
    return Read(offered(record=held(**TABLE), site=replace(SITE, theme=THEME, **theme)))  # type: ignore[arg-type]


def test_the_colours_that_contrast_is_measured_by_are_those_of_the_style_sheet() -> None:
    style = files("gateway.web").joinpath("templates/style.css").read_text("utf-8")
    light, dark = style.split("@media", 2)[:2]
    for text, palette in ((light, LIGHT), (dark, DARK)):
        found = {name: Colour.parse(value) for name, value in re.findall(r"--([a-z]+): (#[0-9a-f]{6});", text)}
        assert Palette(found["paper"], found["card"], found["ink"], found["quiet"]) == palette


def test_a_theme_is_a_part_of_the_style_sheet_that_the_policy_lets_in() -> None:
    own = offered(record=held(**TABLE), site=replace(SITE, theme=THEME))
    style = Read(own).style
    assert "--accent: #8a1c5c; --accent-deep: #681545; --on-accent: #ffffff;" in style
    assert "prefers-color-scheme: dark) { :root { --accent: #" in style
    assert '--font: Georgia, "Noto Serif", serif;' in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in header(own, "content-security-policy")


def test_without_a_theme_there_is_nothing_of_one() -> None:
    assert theme_style(Theme()) == ""
    assert not Read(offered()).all("picture")


def test_paper_and_what_is_not_chosen_keep_their_colours() -> None:
    style = theme_style(Theme(Shades(background=Colour.parse("#fafafa"))))
    assert style == "@media screen and (prefers-color-scheme: light) { :root { --paper: #fafafa; } }"
    assert all(rule.startswith("@media screen") for rule in theme_style(THEME).splitlines())


def test_the_logo_stands_for_the_name_and_has_another_in_the_dark() -> None:
    page = page_of()
    assert page.all("img")[0] == {"class": "logo", "src": "/logo.svg", "alt": "Northwind Reports"}
    [source] = page.all("source")
    assert source["srcset"] == "/dark.svg" and "dark" in str(source["media"])


# Templates


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def written(folder: Path, **templates: str) -> Path:
    for name, text in templates.items():
        (folder / name.replace("_css", ".css").replace("_html", ".html")).write_text(text, encoding="utf-8")
    return folder


def with_templates(folder: Path, complain: list[str] | None = None) -> Pages:
    site = replace(SITE, templates=str(folder))
    return Pages(site, PREFIX, (complain if complain is not None else []).append)


def message(pages: Pages) -> str:
    context = {"title": "A title", "detail": "A detail.", "facts": {}, "links": [], "code": "", "refresh": ""}
    return pages.answer("message.html", context, 200, Reason.PAGE).body.decode()


def test_a_template_takes_the_place_of_ours_and_the_others_stay(folder: Path) -> None:
    written(folder, message_html='{% extends "base.html" %}{% block main %}<h1>{{ title }}!</h1>{% endblock %}')
    page = message(with_templates(folder))
    assert "<h1>A title!</h1>" in page and "A detail." not in page and "<footer>" in page


def test_a_template_may_build_upon_ours(folder: Path) -> None:
    written(
        folder, message_html='{% extends "ours/message.html" %}{% block main %}{{ super() }}<p>More</p>{% endblock %}'
    )
    page = message(with_templates(folder))
    assert "A detail." in page and "<p>More</p>" in page


def test_a_style_sheet_takes_the_place_of_ours_and_is_let_in(folder: Path) -> None:
    written(folder, style_css="body { margin: 0 }")
    context = {"title": "", "detail": "", "facts": {}, "links": [], "code": "", "refresh": ""}
    own = with_templates(folder).answer("message.html", context, 200, Reason.PAGE)
    assert Read(own).style == "body { margin: 0 }"
    digest = base64.b64encode(hashlib.sha256(b"body { margin: 0 }").digest()).decode()
    assert digest in header(own, "content-security-policy")


@pytest.mark.parametrize(
    "bad", ["{{ nothing_of_this_name }}", "{{ 1 / 0 }}", "{% include 'gone.html' %}", "{{ title() }}"]
)
def test_a_template_that_fails_is_told_once_and_ours_is_shown(folder: Path, bad: str) -> None:
    written(folder, message_html=bad)
    said: list[str] = []
    pages = with_templates(folder, said)
    assert "A detail." in message(pages) and "A detail." in message(pages)
    assert len(said) == 1
    assert said[0].startswith(f"the template message.html in {folder} can't be shown, so ours is: ")


def test_what_an_owner_fills_in_stays_text(folder: Path) -> None:
    written(folder, message_html="{{ title }}{{ site.name }}")
    context = {"title": "<b>"}
    own = with_templates(folder).answer("message.html", context, 200, Reason.PAGE)
    assert own.body.startswith(b"&lt;b&gt;")


def found(folder: Path) -> list[tuple[str, int, str, bool]]:
    problems = problems_of(folder, environment_for(str(folder)))
    return [(each.file.name, each.line, each.message, each.is_error) for each in problems]


def test_good_templates_have_no_problems(folder: Path) -> None:
    ours = files("gateway.web").joinpath("templates")
    for name in names():
        (folder / name).write_text(ours.joinpath(name).read_text("utf-8"), encoding="utf-8")
    assert not found(folder)


def test_problems_are_named_with_file_and_line(folder: Path) -> None:
    written(
        folder,
        message_html="<h1>\n{% if title %}\n</h1>",
        ofer_html="hello",
        plans_html="{{ prise }}{{ plans }}",
        style_css="a {} </STYLE><script>",
    )
    (folder / "offer.html").write_bytes(b"\xff\xfe")
    assert found(folder) == [
        ("message.html", 3, "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or "
         "'endif'. The innermost block that needs to be closed is 'if'.", True),
        ("ofer.html", 0, "takes the place of no template of ours: did you mean offer.html?", False),
        ("offer.html", 0, "is not UTF-8: save it in UTF-8", True),
        ("plans.html", 0, "uses 'prise', which no page is given", False),
        ("style.css", 0, "has `</style` in it, which would end the style sheet: take it out", True),
    ]  # fmt: skip


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    gone = folder / "gone"
    assert list(problems_of(gone, environment_for(""))) == [
        TemplateProblem(gone, 0, "there is no such folder: make it, or drop `offer.templates`")
    ]
