"""``ros2 param``: list, get, set and dump."""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.parameter import get_parameter_value, parameter_value_to_python

from ros2cli_standin.command import CommandError, Verbs, dispatch, positive_float
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, hidden, look
from ros2cli_standin.service import call

LIST_TYPE = 'rcl_interfaces/srv/ListParameters'
WORDS = {
    ParameterType.PARAMETER_BOOL: ('boolean', 'Boolean value is:'),
    ParameterType.PARAMETER_INTEGER: ('integer', 'Integer value is:'),
    ParameterType.PARAMETER_DOUBLE: ('double', 'Double value is:'),
    ParameterType.PARAMETER_STRING: ('string', 'String value is:'),
    ParameterType.PARAMETER_BYTE_ARRAY: ('byte array', 'Byte values are:'),
    ParameterType.PARAMETER_BOOL_ARRAY: ('boolean array', 'Boolean values are:'),
    ParameterType.PARAMETER_INTEGER_ARRAY: ('integer array', 'Integer values are:'),
    ParameterType.PARAMETER_DOUBLE_ARRAY: ('double array', 'Double values are:'),
    ParameterType.PARAMETER_STRING_ARRAY: ('string array', 'String values are:'),
    ParameterType.PARAMETER_NOT_SET: ('not set', 'Parameter not set.'),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``ros2 param``."""
    verbs = Verbs(parser)
    listing = verbs.add('list', run_list, 'Print the parameters of a node, or of all.')
    listing.add_argument('node_name', nargs='?')
    listing.add_argument('--filter', type=re.compile, help='only names that this regular expression finds')
    listing.add_argument('--param-type', action='store_true', help='with their types')
    getter = verbs.add('get', run_get, 'Print a parameter.')
    getter.add_argument('--hide-type', action='store_true', help='only the value')
    setter = verbs.add('set', run_set, 'Set a parameter.')
    for added in (getter, setter):
        added.add_argument('node_name')
        added.add_argument('parameter_name')
    setter.add_argument('value', help='as YAML')
    dump = verbs.add('dump', run_dump, 'Print all parameters of a node as a YAML file.')
    dump.add_argument('node_name')
    dump.add_argument('--output-dir', type=Path, help='write them to a file in this folder')
    dump.add_argument('--print', action='store_true', help='accepted; printing is the default')
    for added in (listing, getter, setter, dump):
        added.add_argument('--include-hidden-nodes', action='store_true', help='also names with a leading _')
        added.add_argument('--timeout', type=positive_float, default=10.0, metavar='SECONDS', help='for the answer')
        add_discovery_arguments(added)


def main(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb."""
    return dispatch(args)


class Parameters:
    """The parameter services of one node."""

    def __init__(self, graph: Graph, node: str, timeout_s: float) -> None:
        self._graph = graph
        self._timeout_s = timeout_s
        self.node = absolute(node)
        if not graph.wait_for(lambda: bool(graph.service_types(f'{self.node}/list_parameters'))):
            raise CommandError('Node not found')

    def _call(self, cls: Any, verb: str, request: Any) -> Any:
        return call(self._graph, cls, f'{self.node}/{verb}', request, self._timeout_s)

    def names(self) -> list[str]:
        """Return the names, sorted."""
        answer = self._call(ListParameters, 'list_parameters', ListParameters.Request())
        return sorted(answer.result.names)

    def values(self, names: list[str]) -> list[ParameterValue]:
        """Return the values of the named ones."""
        return list(self._call(GetParameters, 'get_parameters', GetParameters.Request(names=names)).values)

    def types(self, names: list[str]) -> list[int]:
        """Return the types of the named ones."""
        request = DescribeParameters.Request(names=names)
        return [item.type for item in self._call(DescribeParameters, 'describe_parameters', request).descriptors]

    def set(self, name: str, value: ParameterValue) -> Any:
        """Set one and return its result."""
        request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
        results = self._call(SetParameters, 'set_parameters', request).results
        if not results:
            raise CommandError(f'{self.node} gave no result for {name}')
        return results[0]


def run_list(args: argparse.Namespace) -> int:
    """Print parameter names."""
    with look(args) as graph:
        if args.node_name:
            print_names(Parameters(graph, args.node_name, args.timeout), args)
            return 0
        graph.settle()
        suffix = '/list_parameters'
        services = graph.node.get_service_names_and_types()
        nodes = [name.removesuffix(suffix) for name, types in services if LIST_TYPE in types and name.endswith(suffix)]
        for node in sorted(nodes):
            if args.include_hidden_nodes or not hidden(node):
                print(f'{node}:')
                print_names(Parameters(graph, node, args.timeout), args)
    return 0


def print_names(parameters: Parameters, args: argparse.Namespace) -> None:
    """Print the names of one node's parameters, indented."""
    names = [name for name in parameters.names() if args.filter is None or args.filter.search(name)]
    types = parameters.types(names) if args.param_type and names else []
    for index, name in enumerate(names):
        print(f'  {name} (type: {WORDS[types[index]][0]})' if types else f'  {name}', flush=True)


def value_of(value: ParameterValue) -> Any:
    """Return the Python value of a parameter, None where it is not set."""
    result: Any = parameter_value_to_python(value)
    return list(result) if hasattr(result, 'tolist') or isinstance(result, tuple) else result


def run_get(args: argparse.Namespace) -> int:
    """Print one parameter."""
    with look(args) as graph:
        values = Parameters(graph, args.node_name, args.timeout).values([args.parameter_name])
    if not values or values[0].type == ParameterType.PARAMETER_NOT_SET:
        raise CommandError('Parameter not set.')
    shown = value_of(values[0])
    print(shown if args.hide_type else f'{WORDS[values[0].type][1]} {shown}')
    return 0


def run_set(args: argparse.Namespace) -> int:
    """Set one parameter."""
    value = get_parameter_value(args.value)
    with look(args) as graph:
        result = Parameters(graph, args.node_name, args.timeout).set(args.parameter_name, value)
    reason = f': {result.reason}' if result.reason else ''
    if result.successful:
        print(f'Set parameter successful{reason}')
        return 0
    print(f'Setting parameter failed{reason}', file=sys.stderr)
    return 1


def tree(names: list[str], values: list[Any]) -> dict[str, Any]:
    """Return nested dictionaries for names with dots between."""
    root: dict[str, Any] = {}
    for name, value in zip(names, values, strict=True):
        *folders, last = name.split('.')
        place = root
        for folder in folders:
            below = place.setdefault(folder, {})
            if not isinstance(below, dict):
                place, last = root, name
                break
            place = below
        place[last] = value
    return root


def run_dump(args: argparse.Namespace) -> int:
    """Print the parameters of one node as a file that --params-file reads."""
    with look(args) as graph:
        parameters = Parameters(graph, args.node_name, args.timeout)
        names = parameters.names()
        values = [value_of(value) for value in parameters.values(names)] if names else []
    content = {parameters.node: {'ros__parameters': tree(names, values)}}
    text = yaml.safe_dump(content, default_flow_style=False, sort_keys=True)
    if args.output_dir is None:
        print(text, end='')
        return 0
    path = args.output_dir / f'{parameters.node.strip("/").replace("/", "__")}.yaml'
    try:
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise CommandError(f'cannot write {path}: {error.strerror}') from error
    print(f'Saving to: {path}')
    return 0
