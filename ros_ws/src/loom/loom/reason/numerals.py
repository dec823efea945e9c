"""Numbers as people say them."""

from __future__ import annotations

import re

UNITS = [
    'zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve',
    'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen']
TENS = {'twenty': 20, 'thirty': 30, 'forty': 40, 'fifty': 50, 'sixty': 60, 'seventy': 70, 'eighty': 80, 'ninety': 90}
_DIGITS = re.compile(r'\d+(\.\d+)?\Z')


def number_of(words: list[str]) -> float | None:
    """The number that the words say: 'one and a half', 'ninety five', '0.4', 'a', 'half a'; None where they don't."""
    words = [w for part in words for w in part.split('-') if w not in ('and', 'the', 'of')]
    total, found = 0.0, False
    for word in words:
        value = _value(word)
        if value is None:
            return None
        if word in ('a', 'an') and (found or len(words) > 1):
            continue
        total = total * 100 if word == 'hundred' and total else total + value
        found = True
    return total if found else None


def _value(word: str) -> float | None:
    if _DIGITS.match(word):
        return float(word)
    if word in ('a', 'an'):
        return 1.0
    if word in ('half', 'quarter', 'hundred'):
        return {'half': 0.5, 'quarter': 0.25, 'hundred': 100.0}[word]
    if word in UNITS:
        return float(UNITS.index(word))
    return float(TENS[word]) if word in TENS else None
