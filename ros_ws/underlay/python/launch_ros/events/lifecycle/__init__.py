"""Transitions of lifecycle nodes: asked for, and seen."""

from .change_state import ChangeState
from .state_transition import StateTransition

__all__ = ['ChangeState', 'StateTransition']
