"""`ros2 pkg`."""

import pytest

pytestmark = pytest.mark.usefixtures('stand_in')


def test_list(workspace):
    workspace.env['AMENT_PREFIX_PATH'] = str(workspace.root)
    workspace.write('share/ament_index/resource_index/packages/another', '')
    assert workspace.run('pkg', 'list').stdout == 'another\ndemo\n'


def test_prefix_and_share(workspace):
    assert workspace.run('pkg', 'prefix', 'demo').stdout == f'{workspace.root}\n'
    assert workspace.run('pkg', 'prefix', '--share', 'demo').stdout == f'{workspace.share}\n'


def test_executables(workspace):
    workspace.env['AMENT_PREFIX_PATH'] = str(workspace.root)
    workspace.add_executable('talker', '')
    workspace.write('lib/demo/data.txt', 'not executable')
    assert workspace.run('pkg', 'executables').stdout == 'demo report\ndemo talker\n'
    assert workspace.run('pkg', 'executables', 'demo', '--full-path').stdout.splitlines() == [
        f'{workspace.root}/lib/demo/report',
        f'{workspace.root}/lib/demo/talker',
    ]


@pytest.mark.parametrize('words', [['prefix', 'dmo'], ['executables', 'dmo']])
def test_an_unknown_package_is_one_line_and_code_1(workspace, words):
    result = workspace.run('pkg', *words)
    assert (result.returncode, result.stdout) == (1, '')
    assert result.stderr == "ros2 pkg: no package named 'dmo'; did you mean 'demo'?\n"


def test_an_unknown_verb_is_a_usage_error(workspace):
    result = workspace.run('pkg', 'lits')
    assert result.returncode == 2
    assert 'invalid choice' in result.stderr
