"""XML from outside is refused at the door, with the rule and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.core.errors import ConfigError
from loom.sim.markup import MAX_BYTES, numbers, parse, positive, read_text

LAUGHS = ('<!DOCTYPE sdf [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
          '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><sdf>&c;</sdf>')
FILE_ENTITY = '<!DOCTYPE sdf [<!ENTITY x SYSTEM "file:///etc/passwd">]><sdf>&x;</sdf>'


@pytest.mark.parametrize('text', [LAUGHS, FILE_ENTITY, '<!DOCTYPE sdf><sdf/>'])
def test_document_types_and_entities_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match='must not declare a DOCTYPE or entities'):
        parse(text, 'world.sdf', 'sdf')


@pytest.mark.parametrize('text', ['', '<sdf>', '<sdf></world>', '<sdf>&nothing;</sdf>', '\x00'])
def test_broken_xml_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r'world\.sdf must be well-formed XML'):
        parse(text, 'world.sdf', 'sdf')


def test_the_root_must_be_the_expected_one() -> None:
    with pytest.raises(ConfigError, match='root element <sdf>, got <robot>'):
        parse('<robot/>', 'world.sdf', 'sdf')


def test_files_must_exist_and_be_utf8_and_short(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='must be readable'):
        read_text(tmp_path / 'none.sdf')
    bad = tmp_path / 'bad.sdf'
    bad.write_bytes(b'\xff')
    with pytest.raises(ConfigError, match='must be UTF-8'):
        read_text(bad)
    bad.write_bytes(b' ' * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match='at most'):
        read_text(bad)


@pytest.mark.parametrize('text', [None, '', '1 2', '1 2 3 4', '1 2 x', '1 2 nan', 'inf 0 0'])
def test_numbers_are_counted_and_finite(text: str | None) -> None:
    with pytest.raises(ConfigError, match='the size must be 3 finite numbers'):
        numbers(text, 3, 'the size')


def test_lengths_are_above_zero() -> None:
    assert positive('1 2 3', 3, 'the size') == (1.0, 2.0, 3.0)
    with pytest.raises(ConfigError, match="the size must be above 0, got '1 0 3'"):
        positive('1 0 3', 3, 'the size')
