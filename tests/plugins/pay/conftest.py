"""Asserts of the contract suites tell what they compare."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("gateway.testing")
