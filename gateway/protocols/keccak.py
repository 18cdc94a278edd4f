"""Keccak-256 as Ethereum uses it: the function of FIPS 202 with the padding that it had before it became a standard.

`hashlib` has SHA3-256 alone, which differs in one bit of the padding. This hashes a few dozen bytes now and then, so it
is written to be read.
"""

from __future__ import annotations

_RATE = 136
"""Bytes of a block: 1600 bits less twice the 256 of the digest."""
_MASK = 2**64 - 1


def keccak256(data: bytes) -> bytes:
    """The 32 bytes of the digest."""
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % _RATE)
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), _RATE):
        for place in range(_RATE // 8):
            word = padded[start + 8 * place : start + 8 * place + 8]
            lanes[place % 5][place // 5] ^= int.from_bytes(word, "little")
        lanes = _permuted(lanes)
    return b"".join(lanes[place % 5][place // 5].to_bytes(8, "little") for place in range(4))


def _permuted(lanes: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600] (FIPS 202 section 3.3): the steps theta, rho and pi, chi, iota, 24 times."""
    register = 1
    for _ in range(24):
        columns = [lane[0] ^ lane[1] ^ lane[2] ^ lane[3] ^ lane[4] for lane in lanes]
        for x in range(5):
            mixed = columns[(x - 1) % 5] ^ _rotated(columns[(x + 1) % 5], 1)
            lanes[x] = [lane ^ mixed for lane in lanes[x]]
        x, y, current = 1, 0, lanes[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], _rotated(current, (step + 1) * (step + 2) // 2)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        for bit in range(7):
            if register & 1:
                lanes[0][0] ^= 1 << (2**bit - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return lanes


def _rotated(word: int, by: int) -> int:
    by %= 64
    return ((word << by) | (word >> (64 - by))) & _MASK if by else word
