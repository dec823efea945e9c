"""A stand-in for the ``launch_ros`` package of ROS 2, for machines whose ROS 2 came from pip."""

from . import actions, descriptions, parameter_descriptions, substitutions

__all__ = ['actions', 'descriptions', 'parameter_descriptions', 'substitutions']
