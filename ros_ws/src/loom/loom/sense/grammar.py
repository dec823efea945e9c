"""The sentences the robot understands: made from what it can do and the places it knows (JSGF)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from loom.core.errors import ConfigError

_WORD = re.compile(r"[a-z][a-z']*\Z")
MAX_NAMES = 100
DISTANCES = ('half a meter', 'one meter', 'two meters', 'three meters', 'four meters', 'five meters')
# capability -> what a person says for it; <place> and <distance> stand for each that is known
PHRASES: Mapping[str, tuple[str, ...]] = {
    'go_to': ('go to <place>', 'go to the <place>', 'come back'),
    'drive': ('drive forward <distance>', 'drive backward <distance>'),
    'turn': ('turn left', 'turn right', 'turn around'),
    'stop': ('stop',),
    'look': ('look around', 'what do you see'),
    'seen': ('what did you see near the <place>',),
    'where_am_i': ('where are you',),
    'say': (),
}


@dataclass(frozen=True)
class Grammar:
    """All sentences, the JSGF that accepts exactly these, and the names left out because they can't be spoken."""

    sentences: frozenset[str]
    jsgf: str
    refused: tuple[str, ...]


def spoken(name: str) -> str:
    """How a name is said: `living_room` is 'living room'."""
    return ' '.join(name.lower().replace('_', ' ').replace('-', ' ').split())


def build(wake_word: str, capabilities: Iterable[str], places: Iterable[str], dictionary: Container[str]) -> Grammar:
    """The grammar of all commands; names with words that `dictionary` lacks are refused with their reason."""
    wake, faults = _sayable([wake_word], dictionary)
    if not wake:
        raise ConfigError(f'wake_word must be English: {faults[0]}')
    known, bad_places = _sayable(places, dictionary)
    can = set(capabilities)
    own, bad_names = _sayable(can - set(PHRASES), dictionary)
    templates = list(dict.fromkeys([p for name, phrases in PHRASES.items() if name in can for p in phrases] + own))
    values = {'<place>': known, '<distance>': DISTANCES}
    sentences = frozenset(f'{wake[0]} {s}' for template in templates for s in _expand(template, values))
    return Grammar(sentences, _jsgf(wake[0], templates, values), (*bad_places, *bad_names))


def _expand(template: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    for variable, some in values.items():
        if variable in template:
            return [template.replace(variable, value) for value in some]
    return [template]


def _jsgf(wake: str, templates: Sequence[str], values: Mapping[str, Sequence[str]]) -> str:
    empty = [variable for variable, some in values.items() if not some]
    usable = [t for t in templates if not any(variable in t for variable in empty)]
    commands = f' ( {" | ".join(usable)} )' if usable else ''
    rules = [f'{variable} = {" | ".join(some)};' for variable, some in values.items() if some]
    return '\n'.join(['#JSGF V1.0;', 'grammar commands;', f'public <command> = {wake}{commands};', *rules, ''])


def _sayable(names: Iterable[str], dictionary: Container[str]) -> tuple[list[str], list[str]]:
    good, bad = [], []
    for name in sorted(set(names))[:MAX_NAMES]:
        words = spoken(name).split()
        unknown = [w for w in words if not _WORD.match(w) or w not in dictionary]
        if words and not unknown:
            good.append(' '.join(words))
        else:
            bad.append(f'{name[:40]!r} can not be spoken: the dictionary lacks '
                       f'{", ".join(repr(w[:40]) for w in unknown) or "it"}; rename it in English words')
    return good, bad
