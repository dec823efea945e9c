"""A condition that holds where a configuration has not a value."""

from .launch_configuration_equals import LaunchConfigurationNotEquals

__all__ = ['LaunchConfigurationNotEquals']
