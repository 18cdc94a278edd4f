"""An attacker: undoes a blur with all that can be known of it.

A picture of black and white modules is the hardest thing to hide: few unknowns, high contrast, often with error
correction. Blurring and scaling are linear and alike in both directions, so the attacker measures what a single stripe
becomes, and solves for the modules by regularised least squares.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from PIL import Image

Matrix = list[list[float]]
Blur = Callable[[Image.Image], Image.Image]
_PIXELS = 672
"""Side of the picture: divisible by the usual numbers of modules."""


def share_read(modules: int, blur: Blur) -> float:
    """The share of modules that an attacker reads right: about a half is guessing, all but a few is reading."""
    chance = random.Random(7)
    secret = [[float(chance.random() < 0.5) for _ in range(modules)] for _ in range(modules)]
    seen = _levels(blur(_picture(secret)))
    response = _transposed([_stripe(modules, index, blur) for index in range(modules)])
    return max(_agreement(_solved(response, seen, strength), secret) for strength in (0.01, 0.03, 0.1, 0.3, 1.0))


def _picture(modules: Sequence[Sequence[float]]) -> Image.Image:
    small = Image.new("L", (len(modules), len(modules)))
    small.putdata([int(255 * module) for row in modules for module in row])
    return small.resize((_PIXELS, _PIXELS), Image.Resampling.NEAREST).convert("RGB")


def _levels(image: Image.Image) -> Matrix:
    grey = image.convert("L").resize((60, 60), Image.Resampling.BOX)
    return [[grey.getpixel((x, y)) / 255 - 0.5 for x in range(60)] for y in range(60)]  # type: ignore[operator]


def _stripe(modules: int, index: int, blur: Blur) -> list[float]:
    rows = [[float(column == index) for column in range(modules)]] * modules
    return [level + 0.5 for level in _levels(blur(_picture(rows)))[30]]


def _solved(response: Matrix, seen: Matrix, strength: float) -> Matrix:
    """`P seen Pt`, where `P` is the regularised inverse of the response."""
    across = _transposed(response)
    square = _times(across, response)
    for index, row in enumerate(square):
        row[index] += strength**2
    half = _eliminated(square, _times(across, seen))
    return _transposed(_eliminated(square, _times(across, _transposed(half))))


def _agreement(solved: Matrix, secret: Matrix) -> float:
    guesses = [guess > 0 for row in solved for guess in row]
    truths = [truth > 0.5 for row in secret for truth in row]
    return sum(guess == truth for guess, truth in zip(guesses, truths, strict=True)) / len(truths)


def _transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def _times(left: Matrix, right: Matrix) -> Matrix:
    columns = _transposed(right)
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left]


def _eliminated(matrix: Matrix, right: Matrix) -> Matrix:
    """The solution of `matrix x = right`, by Gauss; the matrix is positive definite, so no pivot is needed."""
    rows = [[*row, *others] for row, others in zip(matrix, right, strict=True)]
    size = len(matrix)
    for index in range(size):
        pivot = rows[index][index]
        rows[index] = [value / pivot for value in rows[index]]
        for other in range(size):
            factor = rows[other][index]
            if other != index and factor:
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[index], strict=True)]
    return [row[size:] for row in rows]
