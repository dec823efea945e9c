"""A name that no other launch uses."""

from __future__ import annotations

import os
import socket
import time

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class AnonName(Substitution):
    """Adds host, process and time to a name; the same name gives the same result within a launch."""

    def __init__(self, name: SomeSubstitutionsType) -> None:
        """Keep the name."""
        self.__name = normalize_to_list_of_substitutions(name)

    def perform(self, context: LaunchContext) -> str:
        """Return the anonymous name."""
        name = perform_substitutions(context, self.__name)
        key = f'anon_{name}'
        if key not in context.launch_configurations:
            host = socket.gethostname().replace('.', '_').replace('-', '_').replace(':', '_')
            context.launch_configurations[key] = f'{name}_{host}_{os.getpid()}_{int(time.time() * 1000)}'
        return str(context.launch_configurations[key])
