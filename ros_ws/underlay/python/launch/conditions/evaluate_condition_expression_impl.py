"""The truth value of a text."""

from __future__ import annotations

from collections.abc import Iterable

from ..launch_context import LaunchContext
from ..substitution import Substitution
from ..utilities import perform_substitutions
from .invalid_condition_expression_error import InvalidConditionExpressionError

TRUTHS = {'true': True, '1': True, 'false': False, '0': False}


def evaluate_condition_expression(context: LaunchContext, expression: Iterable[Substitution]) -> bool:
    """Return the truth value; InvalidConditionExpressionError unless it is true, false, 1 or 0."""
    text = perform_substitutions(context, expression)
    if text.strip().lower() not in TRUTHS:
        raise InvalidConditionExpressionError(f'a condition must be one of true, false, 1, 0; got {text!r}')
    return TRUTHS[text.strip().lower()]
