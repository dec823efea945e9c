"""Parameters, remappings and namespaces as ROS understands them, under their upstream names."""

from ..parameter_file import write_parameter_file
from .evaluate_parameters import evaluate_parameter_dict, evaluate_parameters
from .namespace_utils import make_namespace_absolute, prefix_namespace

__all__ = [
    'evaluate_parameter_dict',
    'evaluate_parameters',
    'make_namespace_absolute',
    'prefix_namespace',
    'write_parameter_file',
]
