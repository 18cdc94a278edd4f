"""What `paywall check` says of themes and templates, and a page as it comes with them."""

from __future__ import annotations

from pathlib import Path

from .application import Application
from .conftest import CONFIG, Paywall
from .service import NAVIGATION, running


def config_with(folder: Path, offer: str, upstream: str = "http://127.0.0.1:9") -> Path:
    file = folder / "paywall.yaml"
    file.write_text(CONFIG.format(upstream=upstream, data=folder / "data") + offer)
    return file


def test_a_colour_that_not_everybody_can_read_is_a_warning(paywall: Paywall, tmp_path: Path) -> None:
    file = config_with(tmp_path, 'offer:\n  theme:\n    accent: "#ff9900"\n')
    done = paywall("check", file)
    assert done.code == 0
    line = file.read_text().splitlines().index('    accent: "#ff9900"') + 1
    assert (
        f"{file}:{line}: offer.theme.accent: warning: links on a card would have a contrast of 2.14:1, "
        "#ff9900 on #ffffff: 4.5:1 is needed to be read by all"
    ) in done.output + done.messages


def test_a_template_that_can_not_be_read_is_an_error_at_its_place(paywall: Paywall, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "offer.html").write_text("<h1>\n{% if held %}{{ held. }}\n")
    file = config_with(tmp_path, f"offer: {{templates: {templates}}}\n")
    done = paywall("check", file)
    assert done.code == 1
    assert f"{templates}/offer.html:2: " in done.output + done.messages
    (templates / "offer.html").unlink()
    assert paywall("check", file).code == 0
    gone = paywall("check", config_with(tmp_path, f"offer: {{templates: {templates}/gone}}\n"))
    assert gone.code == 1 and "there is no such folder" in gone.output + gone.messages


def test_the_page_has_the_theme_and_the_template(application: Application, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "not_now.html").write_text('{% include "ours/not_now.html" %}<p>Call us: 555</p>')
    offer = f'offer: {{templates: {templates}, theme: {{accent: "#8a1c5c"}}}}\n'
    config = config_with(tmp_path, offer, application.url).read_text()
    with running(tmp_path, config) as service:
        service.expire("ed")
        page = service.request("GET", "/report.csv", {"x-user-id": "ed", **NAVIGATION})
        assert page.status == 402
        assert b"Call us: 555" in page.body and b"--accent: #8a1c5c;" in page.body
        assert "default-src 'none'" in page.header("content-security-policy")
