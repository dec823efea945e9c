"""loom doctor: what it looks at, and that every fault comes with a remedy."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loom.cli.main import app
from loom.observe import doctor
from loom.observe.doctor import Finding, examine

runner = CliRunner()


def named(what: str) -> Finding:
    return next(f for f in examine() if f.what == what)


def test_every_finding_says_what_was_observed_and_every_fault_how_to_mend_it() -> None:
    findings = examine()
    assert len(findings) >= 10 and all(f.found and f.level in ('ok', 'note', 'fault') for f in findings)
    assert all(f.remedy for f in findings if f.level == 'fault')
    assert len({f.what for f in findings}) == len(findings)


def test_a_missing_command_is_named_with_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PATH', '/nonexistent')
    assert named('espeak-ng') == Finding('fault', 'espeak-ng', 'not found: the robot has no voice', 'type: make setup')
    assert named('ros2 command').remedy == 'type: source ros_ws/activate'


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, 'MODULES', ('json', 'no_such_package'))
    assert named('Python packages') == Finding('fault', 'Python packages', 'missing: no_such_package',
                                               'type: make setup')


def test_a_port_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        monkeypatch.setattr(doctor, 'GATEWAY_PORT', taken.getsockname()[1])
        assert 'in use' in named('network gateway').found
    assert 'is free' in named('network gateway').found


@pytest.mark.parametrize(('limit', 'what'), [('MIN_SHM_MB', 'shared memory'), ('MIN_MEMORY_MB', 'free memory')])
def test_too_little_memory_is_named(monkeypatch: pytest.MonkeyPatch, limit: str, what: str) -> None:
    monkeypatch.setattr(doctor, limit, 10**9)
    assert named(what).level != 'ok' and named(what).remedy


def test_the_udp_buffer_is_what_the_profile_asks_for() -> None:
    profile = Path(__file__).parents[2] / 'config' / 'dds' / 'fastdds.xml'
    assert f'<receiveBufferSize>{doctor.UDP_BYTES}</receiveBufferSize>' in profile.read_text()


def test_a_small_udp_buffer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, 'UDP_BYTES', 1 << 30)
    finding = named('UDP buffer')
    assert finding.level == 'note' and finding.remedy.endswith(f'sudo sysctl -w net.core.rmem_max={1 << 30}')
    monkeypatch.setattr(doctor, 'UDP_BYTES', 4096)
    assert named('UDP buffer').level == 'ok' and 'KiB' in named('UDP buffer').found


def test_an_old_python_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, 'version_info', (3, 9, 1))
    assert named('Python') == Finding('fault', 'Python', '3.9.1', 'use Python 3.10 to 3.14')


@pytest.mark.parametrize(('level', 'code'), [('ok', 0), ('note', 0), ('fault', 1)])
def test_the_exit_code_says_whether_something_is_wrong(monkeypatch: pytest.MonkeyPatch, level: str, code: int) -> None:
    monkeypatch.setattr('loom.cli.doctor.examine', lambda: [Finding(level, 'camera', 'lens [cap] on', 'take it off')])
    result = runner.invoke(app, ['doctor'])
    assert result.exit_code == code
    assert all(text in result.output for text in (level, 'camera', 'take it off'))


def test_text_in_brackets_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('loom.cli.doctor.examine', lambda: [Finding('ok', 'x', 'loom[test] is there')])
    assert 'loom[test] is there' in runner.invoke(app, ['doctor']).output
