"""The names that launch files of the field import, at the places where they import them from."""

import importlib

import pytest

pytestmark = pytest.mark.usefixtures('stand_in')

NAMES = {
    'launch': 'Action Condition Event EventHandler LaunchContext LaunchDescription LaunchDescriptionEntity '
    'LaunchDescriptionSource LaunchService SomeSubstitutionsType Substitution actions conditions event_handlers '
    'events launch_description_sources logging substitutions',
    'launch.action': 'Action',
    'launch.actions': 'AppendEnvironmentVariable DeclareLaunchArgument EmitEvent ExecuteLocal ExecuteProcess '
    'GroupAction IncludeLaunchDescription LogInfo OpaqueFunction PopEnvironment PopLaunchConfigurations '
    'PushEnvironment PushLaunchConfigurations RegisterEventHandler ResetEnvironment ResetLaunchConfigurations '
    'SetEnvironmentVariable SetLaunchConfiguration Shutdown TimerAction UnregisterEventHandler '
    'UnsetEnvironmentVariable UnsetLaunchConfiguration',
    'launch.actions.declare_launch_argument': 'DeclareLaunchArgument',
    'launch.actions.execute_process': 'ExecuteProcess',
    'launch.actions.include_launch_description': 'IncludeLaunchDescription',
    'launch.actions.set_environment_variable': 'SetEnvironmentVariable',
    'launch.conditions': 'IfCondition LaunchConfigurationEquals LaunchConfigurationNotEquals UnlessCondition '
    'evaluate_condition_expression',
    'launch.event_handlers': 'OnExecutionComplete OnProcessExit OnProcessIO OnProcessStart OnShutdown',
    'launch.event_handlers.on_process_exit': 'OnProcessExit',
    'launch.events': 'ExecutionComplete Shutdown TimerEvent matches_action process',
    'launch.events.process': 'ProcessExited ProcessIO ProcessStarted ShutdownProcess SignalProcess matches_name',
    'launch.launch_context': 'LaunchContext',
    'launch.launch_description': 'LaunchDescription',
    'launch.launch_description_sources': 'AnyLaunchDescriptionSource PythonLaunchDescriptionSource',
    'launch.launch_description_sources.python_launch_description_source': 'PythonLaunchDescriptionSource',
    'launch.launch_service': 'LaunchService',
    'launch.logging': 'get_logger launch_config',
    'launch.some_substitutions_type': 'SomeSubstitutionsType SomeSubstitutionsType_types_tuple',
    'launch.substitution': 'Substitution',
    'launch.substitutions': 'AndSubstitution AnonName Command EnvironmentVariable EqualsSubstitution FileContent '
    'FindExecutable IfElseSubstitution LaunchConfiguration LocalSubstitution NotEqualsSubstitution NotSubstitution '
    'OrSubstitution PathJoinSubstitution PythonExpression SubstitutionFailure TextSubstitution ThisLaunchFile '
    'ThisLaunchFileDir',
    'launch.substitutions.launch_configuration': 'LaunchConfiguration',
    'launch.substitutions.path_join_substitution': 'PathJoinSubstitution',
    'launch.utilities': 'normalize_to_list_of_substitutions perform_substitutions ensure_argument_type',
    'launch_ros.actions': 'ComposableNodeContainer LifecycleNode LoadComposableNodes Node PushROSNamespace '
    'PushRosNamespace SetParameter SetParametersFromFile SetROSLogDir SetRemap SetUseSimTime',
    'launch_ros.actions.node': 'Node',
    'launch_ros.descriptions': 'ComposableNode Parameter ParameterFile ParameterValue',
    'launch_ros.event_handlers': 'OnStateTransition',
    'launch_ros.events.lifecycle': 'ChangeState StateTransition',
    'launch_ros.events': 'matches_node_name',
    'launch_ros.parameter_descriptions': 'Parameter ParameterFile ParameterValue',
    'launch_ros.substitutions': 'ExecutableInPackage FindPackage FindPackagePrefix FindPackageShare Parameter',
    'launch_ros.utilities': 'evaluate_parameters make_namespace_absolute prefix_namespace',
}


@pytest.mark.parametrize('module', NAMES)
def test_the_names_are_there(module):
    found = importlib.import_module(module)
    missing = [name for name in NAMES[module].split() if not hasattr(found, name)]
    assert not missing


@pytest.mark.parametrize('module', ['launch', 'launch_ros'])
def test_nothing_heavy_is_imported_for_a_launch(module):
    import subprocess
    import sys

    code = f'import sys; sys.path.append({importlib.import_module(module).__path__[0].rpartition("/")[0]!r})\n'
    code += f'import {module}.actions\nprint([n for n in ("rclpy", "asyncio", "numpy") if n in sys.modules])'
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert result.stdout == '[]\n'
