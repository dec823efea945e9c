"""The virtual sound card: found by all processes of a robot, gone with its starter, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loom.core.errors import DeviceError
from loom.sense.virtual_sound import VirtualSound, needed

STARTER = """
import sys, time
from loom.sense.virtual_sound import VirtualSound
VirtualSound(sys.argv[1], 34).open()
print('open', flush=True)
time.sleep(60)
"""


@pytest.fixture
def name() -> str:
    return f'virtual_sound_{os.getpid()}'


@pytest.fixture
def sound(name: str) -> Iterator[VirtualSound]:
    made = VirtualSound(name, 34)
    yield made
    made.close()
    assert not made.running() and not made.folder.exists()


@pytest.mark.parametrize(('text', 'expected'), [('', False), ('--- no soundcards ---\n', True),
                                                (' 0 [PCH]: HDA-Intel\n', False)])
def test_a_card_or_a_server_makes_it_needless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str,
                                              expected: bool) -> None:
    monkeypatch.delenv('PULSE_SERVER', raising=False)
    monkeypatch.setenv('XDG_RUNTIME_DIR', str(tmp_path))
    cards = tmp_path / 'cards'
    assert needed(cards)
    cards.write_text(text)
    assert needed(cards) is expected
    monkeypatch.setenv('PULSE_SERVER', 'unix:/nowhere')
    assert not needed(cards)


def test_the_second_user_finds_it(sound: VirtualSound, name: str) -> None:
    sound.open()
    other = VirtualSound(f'/{name}/', 34)
    other.open()
    assert sound.owner and not other.owner and other.running()
    other.close()
    assert sound.running()


def test_robots_do_not_hear_each_other(name: str) -> None:
    folders = {VirtualSound(name, 34).folder, VirtualSound(name, 35).folder, VirtualSound(name + 'x', 34).folder}
    assert len(folders) == 3


def test_the_settings_of_the_process_come_back(sound: VirtualSound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('ALSA_CONFIG_PATH', raising=False)
    sound.open()
    assert Path(os.environ['ALSA_CONFIG_PATH']).read_text().count('pcm.') == 5
    sound.close()
    assert 'ALSA_CONFIG_PATH' not in os.environ


def test_it_ends_with_its_starter_however_that_ends(name: str, sound: VirtualSound,
                                                    until: Callable[..., None]) -> None:
    with subprocess.Popen([sys.executable, '-c', STARTER, name], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None and starter.stdout.readline() == b'open\n'
        assert sound.running()
        starter.send_signal(signal.SIGKILL)
        starter.wait(5)
    until(lambda: not sound.running(), 'the daemon outlives its starter', 2.0)
    sound.open()
    assert sound.owner


def test_empty_folders_of_the_killed_are_swept(sound: VirtualSound, name: str) -> None:
    killed = VirtualSound(f'{name}_killed', 34).folder
    killed.mkdir(mode=0o700)
    sound.open()
    assert not killed.exists() and sound.running()


def test_without_pulseaudio_it_says_what_to_type(sound: VirtualSound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PATH', '/nonexistent')
    with pytest.raises(DeviceError, match='apt install pulseaudio'):
        sound.open()


def test_a_folder_of_someone_else_is_refused(sound: VirtualSound, tmp_path: Path) -> None:
    sound.folder.symlink_to(tmp_path)
    with pytest.raises(DeviceError, match='must be a folder of this user'):
        sound.open()
    sound.folder.unlink()
