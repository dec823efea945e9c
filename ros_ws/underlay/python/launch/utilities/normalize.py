"""Bring the many ways to write a text or a list of entities to one form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ..launch_description_entity import LaunchDescriptionEntity
from ..some_entities_type import SomeEntitiesType
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

Kind = TypeVar('Kind')


def _normalize_one(value: Any) -> Substitution:
    from ..substitutions.text_substitution import TextSubstitution

    if isinstance(value, Substitution):
        return value
    if isinstance(value, str):
        return TextSubstitution(text=value)
    raise TypeError(f'a text must be a str, a Substitution or a list of them, got {value!r}')


def normalize_to_list_of_substitutions(subs: SomeSubstitutionsType) -> list[Substitution]:
    """Return the text as a list of substitutions."""
    if isinstance(subs, (str, Substitution)):
        return [_normalize_one(subs)]
    if not isinstance(subs, Iterable):
        return [_normalize_one(subs)]
    return [_normalize_one(each) for each in subs]


def perform_substitutions(context: LaunchContext, subs: Iterable[Substitution]) -> str:
    """Return the concatenated texts."""
    return ''.join(context.perform_substitution(each) for each in subs)


def normalize_to_list_of_entities(entities: SomeEntitiesType | None) -> list[LaunchDescriptionEntity]:
    """Return one entity, several, or none as a list."""
    if entities is None:
        return []
    if isinstance(entities, LaunchDescriptionEntity):
        return [entities]
    return [each for entity in entities for each in normalize_to_list_of_entities(entity)]


def ensure_argument_type(argument: Any, types: Any, name: str, caller: str | None = None) -> None:
    """Raise TypeError unless the argument is of one of the types."""
    allowed = tuple(types) if isinstance(types, Iterable) else (types,)
    if not isinstance(argument, allowed):
        names = ', '.join(each.__name__ for each in allowed)
        where = f' of {caller}' if caller else ''
        raise TypeError(f'argument {name!r}{where} must be one of {names}, got {argument!r}')


def is_a(value: object, kind: type[Kind]) -> bool:
    """Return whether the value is an instance of the type."""
    return isinstance(value, kind)


is_a_subclass = is_a
