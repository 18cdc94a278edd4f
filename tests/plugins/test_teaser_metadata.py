"""Facts about any result."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_teaser_metadata import plugin
from gateway_teaser_metadata.words import WORDS, type_in_words
from tests.plugins.samples import assert_bounded, calmly, maker, sample


def archive(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name in names:
            file.writestr(name, b"content of " + name.encode())
    return target.getvalue()


def test_name_type_and_size_are_told() -> None:
    teaser = maker(plugin).make(sample(b"x" * 1500, "application/pdf", filename="report.pdf"))
    assert teaser.facts == {"Name": "report.pdf", "Type": "PDF document", "Size": "1.5 KiB"}


def test_a_result_without_a_name_has_none() -> None:
    assert maker(plugin).make(sample(b"", "video/x-rare")).facts == {"Type": "Video", "Size": "0 B"}


def test_types_are_told_in_words() -> None:
    assert type_in_words("application/x-unheard-of") == "File"
    assert len(WORDS) >= 40
    assert all(key == key.lower() for key in WORDS)


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\report.csv", "report.csv"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nb\x00.txt", "ab.txt"),
        ("x" * 300, "x" * 119 + "…"),
    ],
)
def test_a_name_is_fit_to_be_shown(filename: str, shown: str) -> None:
    assert maker(plugin).make(sample(b"", "text/plain", filename=filename)).facts["Name"] == shown


def test_a_small_archive_names_its_first_files() -> None:
    body = archive(*(f"folder/page-{number}.html" for number in range(12)))
    teaser = maker(plugin, members=2).make(sample(body, "application/zip"))
    assert teaser.facts["Files"] == "12"
    assert teaser.lines == ("page-0.html", "page-1.html")
    assert "Files" not in maker(plugin, members=0).make(sample(body, "application/zip")).facts


@pytest.mark.parametrize(
    "body", [b"", b"PK\x05\x06" + b"\xff" * 18, archive("a")[:-5], archive("a").replace(b"PK\x01\x02", b"PK\x01\x03")]
)
def test_a_broken_archive_is_a_file_like_any_other(body: bytes) -> None:
    assert list(maker(plugin).make(sample(body, "application/zip")).facts) == ["Type", "Size"]


@calmly
@given(st.binary(max_size=200) | st.builds(lambda junk: archive("a", "b")[:-10] + junk, st.binary(max_size=30)))
def test_no_bytes_make_it_fail(body: bytes) -> None:
    assert_bounded(maker(plugin).make(sample(body, "application/zip")))
