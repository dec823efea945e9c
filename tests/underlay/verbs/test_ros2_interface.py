"""``ros2 interface``: no node is needed."""


def test_show_indents_nested_types(ros2):
    lines = ros2('interface', 'show', 'geometry_msgs/msg/Twist').stdout.splitlines()
    assert lines[0].startswith('#')
    assert lines[-8:] == [
        'Vector3  linear', '\tfloat64 x', '\tfloat64 y', '\tfloat64 z',
        'Vector3  angular', '\tfloat64 x', '\tfloat64 y', '\tfloat64 z',
    ]  # fmt: skip


def test_show_of_a_service_keeps_the_separator_and_the_comments(ros2):
    shown = ros2('interface', 'show', 'simulation_interfaces/srv/GetEntityState').stdout
    assert shown.startswith('# Gives the ground truth of one entity.')
    assert '\n---\nResult result\n\tuint8 RESULT_FEATURE_UNSUPPORTED = 0\n' in shown
    assert '\t\tbuiltin_interfaces/Time stamp\n\t\t\tint32 sec\n' in shown


def test_show_without_and_with_all_comments(ros2):
    bare = ros2('interface', 'show', '--no-comments', 'std_msgs/msg/Header').stdout
    assert bare == 'builtin_interfaces/Time stamp\n\tint32 sec\n\tuint32 nanosec\nstring frame_id\n'
    assert '\t#' in ros2('interface', 'show', '--all-comments', 'std_msgs/msg/Header').stdout


def test_show_names_what_is_wrong(ros2):
    for name, text in (
        ('Twist', 'expected package/msg/Name'),
        ('nothing_msgs/msg/Twist', "Unknown package 'nothing_msgs'"),
        ('geometry_msgs/msg/Nothing', "Could not find the interface 'geometry_msgs/msg/Nothing'"),
    ):
        result = ros2('interface', 'show', name)
        assert result.returncode == 1
        assert text in result.stderr


def test_list_groups_by_kind(ros2):
    lines = ros2('interface', 'list').stdout.splitlines()
    assert [line for line in lines if not line.startswith(' ')] == ['Messages:', 'Services:', 'Actions:']
    assert '    tf2_msgs/msg/TFMessage' in lines
    assert ros2('interface', 'list', '-a').stdout.splitlines()[0] == 'Actions:'
