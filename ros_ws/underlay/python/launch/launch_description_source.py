"""Where an included launch description comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .launch_context import LaunchContext
from .some_substitutions_type import SomeSubstitutionsType
from .utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from .launch_description import LaunchDescription


class LaunchDescriptionSource:
    """A launch description, or the place of a file that gives one."""

    def __init__(
        self,
        launch_description: LaunchDescription | None = None,
        location: SomeSubstitutionsType = '',
        method: str = 'unspecified mechanism from a script',
    ) -> None:
        """Keep the description if there is one, else its location."""
        self.__launch_description = launch_description
        self.__location = normalize_to_list_of_substitutions(location)
        self.__expanded_location: str | None = None
        self.__method = method

    @property
    def location(self) -> str:
        """The path of the file, or a description of it before it is loaded."""
        if self.__expanded_location is not None:
            return self.__expanded_location
        return ' + '.join(each.describe() for each in self.__location)

    @property
    def method(self) -> str:
        """How the description is obtained, in words."""
        return self.__method

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """Return the description, loading it the first time."""
        if self.__launch_description is None:
            self.__expanded_location = perform_substitutions(context, self.__location)
            self.__launch_description = self._get_launch_description(self.__expanded_location)
        return self.__launch_description

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """Return the description if it can be had before launching, else None."""
        if self.__launch_description is not None:
            return self.__launch_description
        context = LaunchContext()
        try:
            return self._get_launch_description(perform_substitutions(context, self.__location))
        except Exception:  # the location may depend on what is known only while launching
            return None
        finally:
            context.loop.close()

    def _get_launch_description(self, location: str) -> LaunchDescription:
        raise NotImplementedError(f'{type(self).__name__} has no way to load {location!r}')
