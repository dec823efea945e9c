"""config/qos.yaml: the shipped file says what the code says, and bad ones are refused with the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.core.delivery import BACKGROUND, CLASSES, REALTIME, Deliveries
from loom.core.errors import ConfigError
from loom.core.qos_file import deliveries, load

SHIPPED = Path(__file__).parents[2] / 'config' / 'qos.yaml'


def written(folder: Path, text: str) -> Path:
    file = folder / 'qos.yaml'
    file.write_text(text)
    return file


def test_the_shipped_file_is_the_built_in_classes() -> None:
    assert load(SHIPPED) == Deliveries(dict(CLASSES), {})


def test_a_file_changes_a_class_for_all_and_a_topic_for_itself(tmp_path: Path) -> None:
    changed = load(written(tmp_path, 'classes: {REALTIME: {depth: 7}}\ntopics:\n  camera.**: {lane: 2}\n'
                                     '  camera.front.object: {class: BACKGROUND, policy: keep_latest}\n'))
    assert changed.of('scan.near', REALTIME).depth == 7
    assert (changed.of('camera.rear.object', REALTIME).depth, changed.of('camera.rear.object', REALTIME).lane) == (7, 2)
    exact = changed.of('camera.front.object', REALTIME)
    assert (exact.name, exact.policy, exact.lane) == ('BACKGROUND', 'keep_latest', BACKGROUND.lane)


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('LOOM_QOS_FILE', raising=False)
    assert deliveries() == Deliveries()
    monkeypatch.setenv('LOOM_QOS_FILE', str(written(tmp_path, 'classes: {STATE: {lane: 3}}')))
    assert deliveries().classes['STATE'].lane == 3


@pytest.mark.parametrize(('text', 'rule'), [
    ('classes: {REALTIM: {depth: 1}}', "no delivery class named 'REALTIM'; did you mean 'REALTIME'?"),
    ('classes: {REALTIME: {depth: 0}}', 'classes.REALTIME.depth: input should be greater than or equal to 1, got 0'),
    ('classes: {REALTIME: {depth: many}}', 'classes.REALTIME.depth: .*got .many.'),
    ('classes: {REALTIME: {lane: 4}}', 'classes.REALTIME.lane'),
    ('classes: {REALTIME: {lifespan_s: .nan}}', 'classes.REALTIME.lifespan_s'),
    ('classes: {REALTIME: {policy: hope}}', 'classes.REALTIME.policy'),
    ('classes: {REALTIME: {colour: red}}', 'classes.REALTIME.colour: extra inputs are not permitted'),
    ('topics: {Camera: {depth: 1}}', 'a pattern must be lower_snake words'),
    ('topics: {a/../b: {depth: 1}}', 'a pattern must be lower_snake words'),
    ('topics: {a.b: {class: FAST}}', "topics: a.b: no delivery class named 'FAST'"),
    ('topic: {}', 'topic: extra inputs'), ('- 1', 'qos.yaml: '), ('a: b: c', 'qos.yaml: '), ('\t', 'qos.yaml: ')])
def test_bad_files_are_refused_with_the_rule(tmp_path: Path, text: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        load(written(tmp_path, text))


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='No such file'):
        load(tmp_path / 'missing.yaml')
    with pytest.raises(ConfigError, match='at most 1048576 bytes'):
        load(written(tmp_path, '#' * ((1 << 20) + 1)))
