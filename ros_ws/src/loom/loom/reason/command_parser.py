"""Sentences become intents by rules: what the speech grammar lets a person say, and what they type."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loom.core.errors import ModelError
from loom.reason.answer import ALL_FAILED, Answer, Request
from loom.reason.backend import Cancelled, OnToken
from loom.reason.numerals import number_of

NAME = 'command_parser'
MAX_WORDS = 60
START = 'start'
POLITE = {'please', 'now', 'hey', 'hello', 'robot', 'loom', 'can', 'could', 'would', 'you', 'then'}
METRES = {'meter': 1.0, 'meters': 1.0, 'metre': 1.0, 'metres': 1.0, 'm': 1.0,
          'centimeter': 0.01, 'centimeters': 0.01, 'centimetres': 0.01, 'cm': 0.01}
DEGREES = {'degree', 'degrees', 'deg'}


@dataclass(frozen=True)
class Intent:
    """What a person wants: a capability and its arguments."""

    capability: str
    arguments: dict[str, Any] = field(default_factory=dict)


class CommandParser:
    """A backend for the task `parse`: the answer is JSON {capability, arguments}, in microseconds."""

    name = NAME
    tasks = ('parse',)
    local = True

    def infer(self, request: Request, on_token: OnToken, cancelled: Cancelled) -> Answer:
        """The intent in the prompt; ModelError where no rule fits."""
        intent = parse(request.prompt)
        if intent is None:
            raise ModelError(f'no rule understands {request.prompt[:80]!r}; try "go to the kitchen" or "stop"',
                             ALL_FAILED)
        return Answer(json.dumps({'capability': intent.capability, 'arguments': intent.arguments}), NAME)


def parse(sentence: str) -> Intent | None:
    """The intent of an English sentence, or None where no rule fits."""
    said = re.match(r'\W*(?:(?:hey|robot|please|loom)\W+)*say\W+(.+)', sentence.strip(), re.IGNORECASE | re.DOTALL)
    if said:
        return Intent('say', {'text': said.group(1).strip(' "\'')})
    words = re.findall(r"[a-z_']+|\d+(?:\.\d+)?", sentence.lower())[:MAX_WORDS]
    while words and words[0] in POLITE:
        words = words[1:]
    while words and words[-1] in ('please', 'now', 'robot'):
        words = words[:-1]
    text = ' '.join(words)
    for pattern, rule in RULES:
        match = re.fullmatch(pattern, text)
        intent = rule(match) if match else None
        if intent is not None:
            return intent
    return None


def _place(match: re.Match[str]) -> Intent:
    words = match.group('place').split()
    words = words[1:] if words[0] in ('the', 'my', 'a') else words
    return Intent('go_to', {'place': '_'.join(words)})


def _drive(match: re.Match[str]) -> Intent | None:
    words = (match.group('amount') or 'one meter').split()
    unit = METRES.get(words[-1])
    amount = number_of(words[:-1]) if unit else None
    if unit is None or amount is None:
        return None
    back = 'back' in match.group('way')
    return Intent('drive', {'distance_m': (-1 if back else 1) * round(amount * unit, 3)})


def _turn(match: re.Match[str]) -> Intent | None:
    words = (match.group('amount') or '90 degrees').split()
    amount = number_of(words[:-1]) if words[-1] in DEGREES else None
    if amount is None:
        return None
    sign = 1 if match.group('side') == 'left' else -1
    return Intent('turn', {'angle_rad': round(sign * math.radians(amount), 4)})


def _fixed(capability: str, **arguments: Any) -> Callable[[re.Match[str]], Intent]:
    return lambda match: Intent(capability, arguments)


RULES: tuple[tuple[str, Callable[[re.Match[str]], Intent | None]], ...] = (
    (r"(stop|halt|freeze|wait|don't move|stop (moving|it|that|there|driving))", _fixed('stop')),
    (r'(come|go|drive) (back|home)|return|come back (here|to me)', _fixed('go_to', place=START)),
    (r'(what|who|which things) (do|can) (you )?see( there| here| now)?|look|what is (there|here|in front of you)',
     _fixed('look')),
    (r'what (did|have) you (see|seen)( (near|in|at|around) (?!the last )(?P<place>[a-z_ ]+?))?'
     r'( in the last (?P<minutes>[a-z0-9. ]*?) ?minutes?)?', lambda match: _seen(match)),
    (r'look (around|about)( you)?', _fixed('look_around')),
    (r'where (are|is) (you|the)?( now)?|where am i|which room (are you in|is this)', _fixed('where_am_i')),
    (r'turn (around|about|back)', _fixed('turn', angle_rad=round(math.pi, 4))),
    (r'(turn|rotate|spin) (to the )?(?P<side>left|right)( by)?( (?P<amount>.+))?', _turn),
    (r'(drive|move|go|roll) (?P<way>forwards?|ahead|straight on|backwards?|back)( (?:by )?(?P<amount>.+))?', _drive),
    (r'back (?P<way>up|off)( (?:by )?(?P<amount>.+))?', lambda match: _backwards(match)),
    (r'(go|drive|move|come|navigate|walk|head)( over)? (to|into|in) (?P<place>[a-z_ ]+)', _place),
)


def _seen(match: re.Match[str]) -> Intent | None:
    place = _place(match).arguments if match.group('place') else {}
    if match.group('minutes') is None:
        return Intent('seen', place)
    minutes = number_of((match.group('minutes') or 'one').split())
    return None if minutes is None else Intent('seen', {**place, 'minutes': minutes})


def _backwards(match: re.Match[str]) -> Intent | None:
    return parse(f'drive backward {match.group("amount") or ""}')
