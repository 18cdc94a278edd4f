"""Payment numbers: what a payer writes as the purpose of a transfer, and an operator reads on the bank's statement.

A number is a creditor reference (ISO 11649): `RF`, two check digits, and twelve characters, where of two hundred slips
one at most goes unnoticed, and that one leads to no checkout. The twelve are the first ten characters of the checkout's
id, which has twenty, in the alphabet of Crockford's base 32: it has no letter that looks like a digit. So a number
leads back to its checkout without anything that was kept, also after the gateway's secret has changed.
"""

from __future__ import annotations

import re

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_CHARACTERS, _CHARACTERS = 10, 12
_FORM = re.compile(rf"RF[0-9]{{2}}[{_ALPHABET}]{{{_CHARACTERS}}}")
_MISREAD = str.maketrans("OIL", "011")


def number_of(reference: str) -> str:
    """The payment number of a checkout's reference: `RF18539007547034`."""
    value = 0
    for character in reference.partition(".")[0][:_ID_CHARACTERS].ljust(_ID_CHARACTERS, _ID_ALPHABET[0]):
        value = value * len(_ID_ALPHABET) + _ID_ALPHABET.index(character)
    body = "".join(_ALPHABET[value >> 5 * place & 31] for place in reversed(range(_CHARACTERS)))
    return f"RF{98 - remainder(f'{body}RF00'):02d}{body}"


def checkout_of(number: str) -> str:
    """How the id of the number's checkout begins. Raises `ValueError` that says what is wrong with the number."""
    written = re.sub(r"[\s.-]", "", number).upper()
    read = written[:4] + written[4:].translate(_MISREAD)
    if not _FORM.fullmatch(read):
        raise ValueError(f"{number!r} is no payment number: one is written like {grouped(number_of(''))}")
    if remainder(read[4:] + read[:4]) != 1:
        raise ValueError(f"{number!r} is no payment number: a character of it is wrong, or two have changed places")
    value = 0
    for character in read[4:]:
        value = value * len(_ALPHABET) + _ALPHABET.index(character)
    return "".join(_ID_ALPHABET[value >> 6 * place & 63] for place in reversed(range(_ID_CHARACTERS)))


def grouped(text: str) -> str:
    """In fours, as people read it."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def remainder(text: str) -> int:
    """Of letters and digits, modulo 97 (ISO 7064): letters count from A = 10."""
    return int("".join(str(int(character, 36)) for character in text)) % 97
