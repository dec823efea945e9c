"""A settings class as ROS parameters: types, ranges, where values come from, what is refused."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field

rclpy = pytest.importorskip('rclpy')

from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from loom.core.config import NodeConfig  # noqa: E402
from loom.core.errors import ConfigError  # noqa: E402
from loom.ros.node import LoomNode  # noqa: E402
from loom.ros.parameters import parameter_type  # noqa: E402


class GaugeConfig(NodeConfig):
    """Settings of a gauge."""

    rate_hz: float = Field(10.0, gt=0, le=120, description='Readings a second.')
    count: int = Field(3, ge=1, le=9, description='Readings averaged.')
    label: str = Field('one', description='What it shows.')
    loud: bool = Field(False, description='Whether it ticks.')
    mode: Literal['fast', 'fine'] = Field('fast', description='How it reads.')
    names: tuple[str, ...] = Field((), description='Names.')
    gains: tuple[float, ...] = Field((1.0,), description='Gains.')


class Gauge(LoomNode):
    """A node with settings only."""

    __module__ = 'nodes.gauge'
    Config = GaugeConfig


def gauge(ros: Any, *parameters: Parameter[Any]) -> Gauge:
    return ros.add(Gauge, parameter_overrides=list(parameters))


def test_defaults_types_ranges_and_descriptions_come_from_the_class(ros: Any) -> None:
    node = gauge(ros)
    assert node.config == GaugeConfig()
    values = {name: node.get_parameter(name).value for name in GaugeConfig.model_fields}
    assert values == {'rate_hz': 10.0, 'count': 3, 'label': 'one', 'loud': False, 'mode': 'fast', 'names': [],
                      'gains': [1.0]}
    rate, count = node.describe_parameter('rate_hz'), node.describe_parameter('count')
    assert (rate.description, rate.floating_point_range[0].to_value) == ('Readings a second.', 120.0)
    assert (count.integer_range[0].from_value, count.integer_range[0].to_value) == (1, 9)
    assert node.describe_parameter('mode').additional_constraints == 'one of: fast, fine'


def test_given_values_win_over_defaults_and_the_environment_over_both(ros: Any,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('LOOM_GAUGE_LABEL', 'from the environment')
    monkeypatch.setenv('LOOM_GAUGE_NAMES', '[a, b]')
    monkeypatch.setenv('LOOM_GAUGE_LOUD', 'true')
    node = gauge(ros, Parameter('label', value='given'), Parameter('count', value=5))
    assert (node.config.label, node.config.names, node.config.loud, node.config.count) == (
        'from the environment', ('a', 'b'), True, 5)
    assert node.get_parameter('label').value == 'from the environment'


@pytest.mark.parametrize('value', ['off', '5', '', '[', 'a: b: c'])
def test_a_text_of_the_environment_stays_text(ros: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv('LOOM_GAUGE_LABEL', value)
    assert gauge(ros).config.label == value


@pytest.mark.parametrize(('name', 'value'), [
    ('LOOM_GAUGE_RATE_HZ', '500'), ('LOOM_GAUGE_COUNT', 'many'),
    ('LOOM_GAUGE_MODE', 'slow'), ('LOOM_GAUGE_NAMES', '[')])
def test_a_bad_environment_is_one_clear_error(ros: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f'{name.removeprefix("LOOM_GAUGE_").lower()}: |{name}') as refused:
        gauge(ros)
    assert value in str(refused.value)


def test_an_integer_does_for_a_float(ros: Any) -> None:
    node = gauge(ros, Parameter('rate_hz', value=20), Parameter('gains', value=[1, 2]))
    assert (node.config.rate_hz, node.config.gains) == (20.0, (1.0, 2.0))
    assert node.get_parameter('rate_hz').type_ == Parameter.Type.DOUBLE


@pytest.mark.parametrize(('name', 'value', 'text'), [
    ('rate', 1.0, "gauge: no parameter named 'rate'; did you mean 'rate_hz'"),
    ('rate_hz', 500.0, 'gauge: rate_hz: .*120, got 500'), ('rate_hz', 0.0, 'greater than 0, got 0'),
    ('rate_hz', float('nan'), 'rate_hz'), ('rate_hz', 'quick', "got 'quick'"), ('count', 2.5, 'count: .*got 2.5'),
    ('label', 5, 'label: .*got 5'), ('mode', 'slow', "mode: .*'slow'"), ('loud', 'very', "loud: .*'very'")])
def test_a_bad_value_ends_the_start_with_a_reason(ros: Any, name: str, value: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        gauge(ros, Parameter(name, value=value))


@pytest.mark.parametrize(('name', 'value'), [
    ('rate_hz', 121.0), ('rate_hz', 0.0), ('rate_hz', float('nan')), ('count', 0), ('count', 'x'), ('mode', 'slow'),
    ('gains', ['a']), ('unknown', 1)])
def test_set_parameters_refuses_what_breaks_a_rule(ros: Any, until: Any, name: str, value: Any) -> None:
    node = gauge(ros)
    before = node._settings.read()
    result = set_parameter(ros, until, node, Parameter(name, value=value))
    assert not result.successful and result.reason
    assert node._settings.read() == before


def test_set_parameters_takes_what_is_right_and_the_next_configure_uses_it(ros: Any, until: Any) -> None:
    node = gauge(ros)
    assert set_parameter(ros, until, node, Parameter('rate_hz', value=60.0)).successful
    assert set_parameter(ros, until, node, Parameter('names', value=['a'])).successful
    node.trigger_configure()
    assert (node.config.rate_hz, node.config.names) == (60.0, ('a',))


def test_a_type_that_ros_cannot_carry_is_refused() -> None:
    for annotation in (dict, list, int | None, bytes):
        with pytest.raises(ConfigError, match='a setting must be'):
            parameter_type(annotation)


def set_parameter(ros: Any, until: Any, node: Gauge, parameter: Parameter[Any]) -> Any:
    """The answer of the node's own service, as `ros2 param set` gets it."""
    asking = ros.add(rclpy.create_node, 'asking')
    client = asking.create_client(SetParameters, 'gauge/set_parameters')
    until(client.service_is_ready)
    future = client.call_async(SetParameters.Request(parameters=[parameter.to_parameter_msg()]))
    until(future.done)
    ros.remove(asking)
    return future.result().results[0]
