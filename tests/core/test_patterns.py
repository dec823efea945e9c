"""Patterns against a second definition of them, as regular expressions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import EventError
from loom.core.patterns import check_pattern, check_type, is_wildcard, matches

WORDS = st.from_regex(r'[ab_c][a-c0-1_]{0,2}', fullmatch=True).filter(lambda w: w[0] != '_')
TYPES = st.lists(WORDS, min_size=1, max_size=4).map('.'.join)
PATTERNS = st.tuples(st.lists(WORDS | st.just('*'), max_size=4), st.booleans()).filter(
    lambda p: p[0] or p[1]).map(lambda p: '.'.join([*p[0], *(['**'] if p[1] else [])]))


def as_regex(pattern: str) -> str:
    """`*` is one segment; `.**` any number of them, none included; a lone `**` is everything."""
    if pattern == '**':
        return '.*'
    one = re.escape(pattern.removesuffix('.**')).replace(r'\*', '[^.]+')
    return one + (r'(\..*)?' if pattern.endswith('.**') else '')


@given(PATTERNS, TYPES)
def test_matching_agrees_with_the_regular_expression(pattern: str, event_type: str) -> None:
    assert matches(check_pattern(pattern), check_type(event_type)) == bool(re.fullmatch(as_regex(pattern), event_type))


@given(TYPES)
def test_a_type_matches_itself_and_what_is_wider(event_type: str) -> None:
    segments = event_type.split('.')
    assert matches(event_type, event_type) and matches('**', event_type)
    for i in range(len(segments)):
        assert matches('.'.join([*segments[:i], '*', *segments[i + 1:]]), event_type)
        assert matches('.'.join([*segments[:i], '**']), event_type)
    assert not matches(event_type + '.x', event_type) and not matches(event_type, event_type + '.x')


@given(st.text(max_size=30))
def test_any_text_is_a_type_or_an_event_error(text: str) -> None:
    valid = re.fullmatch(r'[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*', text)
    if valid:
        assert check_type(text) == text
    else:
        with pytest.raises(EventError):
            check_type(text)


@pytest.mark.parametrize('pattern', ['', '.', 'a.', '**.a', 'a.**.b', 'a*', '***', 'A', 'a b', '/a', 'a' * 201,
                                     '*.' * 120 + 'a'])
def test_a_pattern_that_is_none_is_refused_with_the_rule(pattern: str) -> None:
    with pytest.raises(EventError, match='a pattern must be'):
        check_pattern(pattern)


def test_a_long_value_does_not_flood_the_message() -> None:
    with pytest.raises(EventError) as refused:
        check_type('x' * 10_000_000)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(('pattern', 'many'), [('a.b', False), ('a.*', True), ('**', True)])
def test_wildcards_are_known(pattern: str, many: bool) -> None:
    assert is_wildcard(pattern) is many
