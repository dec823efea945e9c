"""The types that one or several actions may be given as."""

from .some_entities_type import SomeActionsType

__all__ = ['SomeActionsType']
