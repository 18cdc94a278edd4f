"""Bring the catalogues up to date with what is said; prints what is left to translate."""

from __future__ import annotations

from tests.language.messages import FOLDER, TRANSLATED, said, translated, written


def main() -> None:
    for tag in TRANSLATED:
        catalog = translated(tag)
        catalog.update(said(), no_fuzzy_matching=True)
        (FOLDER / f"{tag}.po").write_text(written(catalog), encoding="utf-8")
        for message in catalog:
            if message.id and not message.string:
                print(f"{tag}: {message.id!r} has no translation")


if __name__ == "__main__":
    main()
