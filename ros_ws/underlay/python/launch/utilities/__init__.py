"""Small conversions that actions and substitutions share, under their upstream names."""

from .normalize import (
    ensure_argument_type,
    is_a,
    is_a_subclass,
    normalize_to_list_of_entities,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

__all__ = [
    'ensure_argument_type',
    'is_a',
    'is_a_subclass',
    'normalize_to_list_of_entities',
    'normalize_to_list_of_substitutions',
    'perform_substitutions',
]
