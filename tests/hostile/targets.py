"""Hostile spellings of one request target, family by family. Pure data: every family is a generator of targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product

from .message import TARGET, words
from .operators import composed

_PLACES = range(len(TARGET))
_LETTERS = [place for place in _PLACES if TARGET[place : place + 1].isalpha()]
_SLASHES = [place for place in _PLACES if TARGET[place : place + 1] == b"/"]


def _put(replacement: bytes, *places: int) -> bytes:
    """The target with the bytes at these places replaced."""
    return b"".join(replacement if place in places else TARGET[place : place + 1] for place in _PLACES)


def _insert(addition: bytes, place: int) -> bytes:
    """The target with something added before the byte at this place."""
    return TARGET[:place] + addition + TARGET[place:]


def _escaped(form: str, *places: int) -> bytes:
    """The target with the bytes at these places escaped; `form` is a template such as `%25{:02x}`."""
    return b"".join(
        form.format(TARGET[place]).encode() if place in places else TARGET[place : place + 1] for place in _PLACES
    )


def _percent(text: str) -> bytes:
    """Every character beyond ASCII as the escapes of its UTF-8 bytes."""
    return "".join(one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in text).encode()


def letter_case() -> Iterator[bytes]:
    """Routers that ignore case, and gateways that do not."""
    yield from words(b"/API/RESULT/7 /Api/Result/7 /API/result/7 /api/RESULT/7 /aPi/rEsUlT/7")
    for one, other in product(_LETTERS, _LETTERS):
        yield bytes(byte - 32 if place in (one, other) else byte for place, byte in enumerate(TARGET))


_ESCAPES = [
    *("%{:02x}", "%{:02X}", "%25{:02x}", "%25{:02X}", "%2525{:02x}", "%%32%35{:02x}"),
    *("%u00{:02x}", "%U00{:02X}", "\\x{:02x}", "&#x{:02x};"),
]


def escapes() -> Iterator[bytes]:
    """Every character escaped once, twice, three times; in either case of hex digit; alone, in pairs, by segment."""
    spans = [*((place,) for place in _PLACES), _SLASHES, _SLASHES[1:], _PLACES, _PLACES[1:], range(1, 4), range(5, 11)]
    for span, form in product(spans, _ESCAPES):
        yield _escaped(form, *span)
    for one, other in combinations(_PLACES, 2):
        yield _escaped("%{:02x}", one, other)
    for place in _PLACES:
        yield from _overlong(place)


def _overlong(place: int) -> Iterator[bytes]:
    """One character as UTF-8 of more bytes than it needs, raw and escaped."""
    first, last = 0xC0 | TARGET[place] >> 6, 0x80 | TARGET[place] & 0x3F
    yield _put(bytes((first, last)), place)
    yield _put(b"%%%02x%%%02x" % (first, last), place)
    yield _put(b"%%e0%%%02x%%%02x" % (0x80 | first & 0x3F, last), place)
    yield _put(b"%%f0%%80%%%02x%%%02x" % (0x80 | first & 0x3F, last), place)


_DOTS_UP = words(b"""
    .. %2e%2e %2E%2E .%2e %2e. %252e%252e ..; ..;a=b %2e%2e; ..%00 ..%20 ... ..%09 %c0%ae%c0%ae \xc0\xae\xc0\xae
    %uff0e%uff0e %EF%BC%8E%EF%BC%8E %E2%80%A5
""")
_DOTS_HERE = words(b". %2e %2E %252e .; .;a=b .%00 .%20 %c0%ae %EF%BC%8E")
_UP = words(b"""
    /x/{}/api/result/7 /{}/api/result/7 /api/x/{}/result/7 /api/result/x/{}/7 /api/result/7/x/{}
    /docs/a/{}/{}/api/result/7 /login/{}/api/result/7 /static/{}/api/result/7 /api/../api/{}/api/result/7
""")
_HERE = words(b"/{}/api/result/7 /api/{}/result/7 /api/result/{}/7 /api/result/7/{} /{}/{}/api/{}/result/7")
_BREAKS = words(b"/ %2f %5c \\ // %252f")


def dot_segments() -> Iterator[bytes]:
    """`.` and `..` plain, encoded, half encoded and disguised, wherever a resolver would still arrive at the result."""
    for shape, dots in (*product(_UP, _DOTS_UP), *product(_HERE, _DOTS_HERE)):
        yield shape.replace(b"{}", dots)
    for left, right, dots in product(_BREAKS, _BREAKS, (b"..", b"%2e%2e")):
        yield b"/x" + left + dots + right + b"api/result/7"
        yield b"/api" + left + b"x" + left + dots + right + b"result/7"


_SEPARATORS = words(
    b"""
    // /// \\ %5c %5C %2f %2F %252f %255c /%2f %2f/ \\/ /\\ %2f%2f /;/ ;/ /;x/ %00/ /%00 %09/ /%09 %20/ /%20 %0a/
    /%0a %0d/ /+ /~/ /*/ /: |/ %3b/ %3f/ %23/ \xa5
    """,
    b"/\t",
)


def slashes() -> Iterator[bytes]:
    """Separators doubled, reversed, encoded, disguised or decorated, at each place and at all."""
    for form in _SEPARATORS:
        yield from (_put(form, place) for place in _SLASHES)
        yield _put(form, *_SLASHES)
        yield _put(form, *_SLASHES[1:])


def parameters() -> Iterator[bytes]:
    """Matrix parameters at the end of each segment, plain and encoded."""
    for form in words(b"; ;x ;x=y ;jsessionid=A1 ;; %3b %3Bx ;x=%2f ;x=/.. ;/..;/api ,v=1 ! = @"):
        yield from (_insert(form, end) for end in (*_SLASHES[1:], len(TARGET)))
        yield b"/" + form + TARGET


_SUFFIXES = words(
    b"""
    .json .html .css .js .png .xml .rsc .pdf .txt .action .do . .. ... / // /// /. /.. /./ /x/.. /x /x.css %20 %20%20
    + %00 %00.css %0a %0a.css %0d %0d%0a %09 %0b %0c %1f %7f ~ ! $ * : ::$DATA @ , ' ( %22 %27 %3f %3Fx %23 %23x %25
    %2500 %2e %2e%2e %2f %2f.. %2F%2e%2e%2Fopen %5c %5c.. \\ \\.. %ff %80 %c2%a0 %c2%85 %e2%80%8b %e2%80%a8 %ef%bb%bf
    %ef%bc%8f \xa0 \xff \x80 \xc3\xa9 | ^ ` { } [ ] " < > % %4 %zz %g1 %u0000 %% /_data /index.html /? /# /..;/x
    /%2e%2e /%2e%2e/7 ..;/7 %3f/x %3F/x/y %23/x %3b/x &x=1 =1 \x00 \x01 \x7f
    """,
    *(b" ", b"\t", b"\x0b"),
)


def suffixes() -> Iterator[bytes]:
    """Whatever a path parameter swallows and a pattern's end forgets."""
    for base, suffix in product((TARGET, b"/API/result/7", b"/api/result/"), _SUFFIXES):
        yield base + suffix


_TAILS = words(b"""
    ? ?? ?x=1 ?x=1&y=2 ?/public ?/../../open ?path=/docs ?_method=GET ?_method=POST ?_method=DELETE ?_method=PUT ?; ?%00
    ?%0a ?x=%2f..%2f ?x=/login ?next=/docs ?& ?= ?x ?# ?x#y # #x #/../open #?x #/docs %3fx=1 ?_rsc=1
    ?_data=routes%2Fopen ?x-user-id=other ?user=canary-user ?X-Original-URL=/docs ?token= ?format=json ?%2e%2e/ ?\\ ?|
    ?\xff ?[] ?x[]=1
""")
_ELSEWHERE = words(b"""
    /open?/api/result/7 /open#/../api/result/7 /open%3f/../api/result/7 /?/../api/result/7 /#/../api/result/7
    /open?/../api/result/7 ?/api/result/7 #/api/result/7 /open;/../api/result/7 /open?x=/api/result/7
""")


def queries() -> Iterator[bytes]:
    """What stands behind `?` and `#`: it must neither open the gate nor be taken for the path."""
    for base, tail in product((TARGET, b"/api/result/7/", b"/api/result/"), (*_TAILS, b"?" + b"a" * 2000)):
        yield base + tail
    yield from _ELSEWHERE


_SCHEMES = words(b"http HTTP https hTTp ws wss ftp file javascript x")
_AUTHORITIES = words(
    b"""
    localhost evil.example user@localhost localhost:80 127.0.0.1 [::1] localhost%2f a/?x= a%00b localhost# localhost?
    LOCALHOST. open/..
    """,
    b"",
)
_PREFIXES = words(
    b"""
    //evil.example /// // /\\evil.example http: http:/ http:/// :// : @evil.example evil.example evil.example:80 . .. ~
    * %2f %00 %20 %09 %0a %0d %ef%bb%bf \xef\xbb\xbf \\ /\\ \\/ %5c ; ? # /.. /../.. /%2e%2e /. /; /~ /%00 /%20 /%09 /*
    /http://localhost \x00
    """,
    *(b" ", b"\t"),
)
_WITHOUT_SLASH = words(
    b"""
    api/result/7 API/result/7 %61pi/result/7 ./api/result/7 ../api/result/7 x/../api/result/7 api%2fresult%2f7
    api\\result\\7 \\api\\result\\7 * localhost:80 %2fapi%2fresult%2f7
    """,
    b"",
)


def not_origin_form() -> Iterator[bytes]:
    """Absolute form, authority tricks, and targets without their leading slash."""
    for scheme, authority in product(_SCHEMES, _AUTHORITIES):
        yield scheme + b"://" + authority + TARGET
    odd_paths = words(b"/API/result/7 /%61pi/result/7 //api/result/7 /x/../api/result/7")
    for path, authority in product(odd_paths, _AUTHORITIES[:4]):
        yield b"http://" + authority + path
    for prefix in _PREFIXES:
        yield prefix + TARGET
    yield from _WITHOUT_SLASH


_LOOKALIKES = {
    "a": "ａ𝐚ⓐªᵃаɑÄàÁ",
    "p": "ｐ𝐩ⓟᵖр",
    "i": "ｉ𝐢ⓘⁱıİⅰі",
    "r": "ｒ𝐫ⓡʳ",
    "e": "ｅ𝐞ⓔᵉеéℯ",
    "s": "ｓ𝐬ⓢˢſṡ",
    "u": "ｕ𝐮ⓤᵘü",
    "l": "ｌ𝐥ⓛˡℓⅼ",
    "t": "ｔ𝐭ⓣᵗ",
    "7": "７𝟕⑦⁷₇٧\N{KELVIN SIGN}",
    "/": "／∕⁄⧸╱",
}
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u202e\u2028\u0301\u0085\u00a0\U000e0041"
_FOLDED_WHOLE = (
    "/ａｐｉ/ｒｅｓｕｌｔ/７",
    "／api／result／7",
    "/ＡＰＩ/ＲＥＳＵＬＴ/７",
    "/apı/reſult/7",
    "/APİ/REſULT/7",
)


def unicode_forms() -> Iterator[bytes]:
    """Characters that compatibility folding, case folding or a best-fit table turns into those of the route."""
    for place, letter in enumerate(TARGET.decode()):
        yield from (_put(_percent(character), place) for character in _LOOKALIKES[letter])
        fullwidth = _LOOKALIKES[letter][0]
        yield _put(fullwidth.encode(), place)
        yield _put(f"%u{ord(fullwidth):04X}".encode(), place)
    for character, place in product(_INVISIBLE, (0, 1, 2, 4, 5, 8, 12, 13)):
        yield _insert(_percent(character), place)
    for whole in _FOLDED_WHOLE:
        yield whole.encode()
        yield _percent(whole)


_NEVER_RAW = b'\x00\x01\x08\t\x0b\x0c\x1b\x1f "<\\^`{|\x7f\x80\xa0\xad\xc1\xef\xfe\xff'
_BAD_ESCAPES = words(b"% %2 %0 %zz %-1 %00 %0a %7f %ff %u %u002f", b"% 2")


def raw_bytes() -> Iterator[bytes]:
    """Bytes that have no place in a request target at all."""
    for byte, place in product(_NEVER_RAW, (0, 1, 4, 5, 11, 12)):
        yield _insert(bytes((byte,)), place)
    for form, place in product(_BAD_ESCAPES, (0, 1, 4, 5, 12, 13)):
        yield _insert(form, place)


_VALUES = words(
    b"""
    %70ublic
    ?7 0007 -7 7,8 7;8 * null %20 %2a 7%2f8 ..%2f7 %E2%84%AA %F0%9F%92%A9 7:7 7=7 [7] {7} $7 (7) 7! ~7 _7 '7' 7+7 7&7 @7
    """,
    *(b"", b"a" * 200, b"a" * 4000, b"%41" * 100),
)


def identifiers() -> Iterator[bytes]:
    """Every value of the path parameter is a result, the empty one too."""
    for value in _VALUES:
        yield b"/api/result/" + value


FAMILIES: tuple[Callable[[], Iterator[bytes]], ...] = (
    *(letter_case, escapes, dot_segments, slashes, parameters, suffixes, queries),
    *(not_origin_form, unicode_forms, raw_bytes, identifiers, composed),
)
"""In this order: a target that several families spell counts for the first."""
