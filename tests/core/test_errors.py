"""The tree of errors is the one that its module draws."""

from __future__ import annotations

import inspect
import re

from loom.core import errors
from loom.core.errors import LoomError


def test_the_drawing_is_true() -> None:
    drawn = re.findall(r'^(?:├── |└── )(\w+)', errors.__doc__ or '', re.MULTILINE)
    there = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, LoomError)]
    assert there == ['LoomError', *drawn]
    assert all(getattr(errors, name).__base__ is LoomError for name in drawn)


def test_an_error_carries_text_and_code() -> None:
    error = errors.CapabilityError("no capability named 'fly'", 101)
    assert (str(error), error.code, errors.ConfigError('x').code) == ("no capability named 'fly'", 101, 0)
