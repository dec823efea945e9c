"""SIGKILL of any one node, at random, under load: how soon it is back, what the others lost, what was done twice."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import statistics
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from loom_msgs.msg import Health
from recover.guest import PROBES, TOPICS, Guest, unaccounted, windows
from recover.witnesses import NAMES, WARM
from robot import process_of, running_robot
from row import Row

from loom.core.errors import DeadlineError

KILLS, STOPS = int(os.environ.get('RECOVER_KILLS', '100')), 10
SEED, DOMAIN = 20, 74
LIMIT_S, SETTLE_S = 15.0, 30.0
# The robot is whole for so long before the next kill.
WHOLE_S = (1.0, 4.0)
# These kills are accidents that have nothing to do with each other, and no reason to wait before the next start: a node
# is hit again when the window of its failures is over.
WINDOW_S = 10.0
ROOT = Path(__file__).parents[2]
PLOT = ROOT / 'build' / 'bench' / 'recover.png'
HOSTS = tuple(f'{name}_host' for name in NAMES)


def measure() -> list[Row]:
    """The figures of KILLS kills."""
    with TemporaryDirectory(prefix='loom_recover_') as folder:
        arguments = prepare(Path(folder))
        with running_robot(DOMAIN, *arguments) as (client, launch, _):
            client.follow_clock()
            guest = Guest(client, NAMES)
            guest.start()
            settle(guest)
            kills: list[dict[str, float | str]] = []
            for turn in range(KILLS):
                kills.append(kill(guest, launch, random.Random(SEED + turn), turn, kills))
            stops = [stop(guest, launch, random.Random(SEED - turn)) for turn in range(1, STOPS + 1)]
            settle(guest)
            time.sleep(2.0)
            guest.close()
            time.sleep(1.0)
        noticed = Row('recover.stop_noticed_p95_s', percentile(stops, 95), 's', '<= 1')
        return [*rows(guest, kills, Path(folder)), noticed]


def prepare(folder: Path) -> list[str]:
    """The robot with four agent hosts more, each node a process; half of the hosts are warm."""
    table = yaml.safe_load((ROOT / 'config' / 'processes.yaml').read_text())
    table['order'] += [f'{host}=agent_host' for host in HOSTS]
    nodes = table['supervision']['nodes']
    table['supervision']['window_s'] = WINDOW_S
    for host, name in zip(HOSTS, NAMES):
        nodes[host] = {'needs': ['memory_server', 'action_broker'], 'standby': 'warm' if name in WARM else 'cold'}
    for node in ('agent_host', 'safety', 'action_broker', 'model_router', 'memory_server'):
        nodes[node]['standby'] = 'cold'
    (folder / 'processes.yaml').write_text(yaml.safe_dump(table))
    os.environ.update({'RECOVER_FOLDER': str(folder), 'PYTHONPATH': os.pathsep.join(
        [str(Path(__file__).parent), *filter(None, [os.environ.get('PYTHONPATH')])])})
    for host, name in zip(HOSTS, NAMES):
        os.environ[f'LOOM_{host.upper()}_AGENTS'] = json.dumps([f'recover.witnesses:{name}'])
        os.environ[f'LOOM_{host.upper()}_MISSIONS'] = 'false'
    return [f'processes_file:={folder / "processes.yaml"}', 'processes:=many']


def settle(guest: Guest) -> None:
    """Returns when all is well; DeadlineError names what is not."""
    deadline_s = time.monotonic() + SETTLE_S
    while guest.level != Health.OK or not all(host in guest.states for host in HOSTS):
        if time.monotonic() > deadline_s:
            raise DeadlineError(f'not all nodes are active within {SETTLE_S:g} s: {guest.states}')
        time.sleep(0.02)


def kill(guest: Guest, launch: int, dice: random.Random, turn: int,
         before: list[dict[str, float | str]]) -> dict[str, float | str]:
    """Kills one node at a random moment, and waits until it has handled something again."""
    settle(guest)
    time.sleep(dice.uniform(*WHOLE_S))
    hit = {row['node'] for row in before if time.monotonic() - float(row['at_s']) <= WINDOW_S}
    node = dice.choice([name for name in (*sorted(guest.states), 'supervisor') if name not in hit])
    pid = process_of(node, launch)
    begin_s = guest.killed(node)
    os.kill(pid, signal.SIGKILL)
    active_s = handled_s = LIMIT_S
    probed = node in TOPICS or node in PROBES or node in HOSTS
    while time.monotonic() - begin_s < LIMIT_S and (active_s == LIMIT_S or (probed and handled_s == LIMIT_S)):
        time.sleep(0.002)
        with guest.lock:
            handled_s = guest.handled_s.get(node, begin_s + LIMIT_S) - begin_s
            up = handled_s < LIMIT_S if node == 'supervisor' else guest.states.get(node) == 'active'
        if up and active_s == LIMIT_S:
            active_s = time.monotonic() - begin_s
    shown = f'{handled_s:.2f} s' if probed else '-'
    print(f'  {turn + 1:3} of {KILLS}: {node:24} active after {active_s:.2f} s, first event after {shown}', flush=True)
    return {'node': node, 'at_s': begin_s, 'active_s': active_s, 'event_s': handled_s if probed else -1.0}


def stop(guest: Guest, launch: int, dice: random.Random) -> float:
    """Seconds from SIGSTOP of a node until the robot knows that it is not there."""
    settle(guest)
    time.sleep(dice.uniform(*WHOLE_S))
    node = dice.choice(sorted(guest.states))
    pid = process_of(node, launch)
    begin_s = guest.killed(node)
    os.kill(pid, signal.SIGSTOP)
    # Nobody is there to tell that the supervisor is not, until the next one tells that all is well.
    while (Path(f'/proc/{pid}').exists() if node == 'supervisor' else guest.states[node] == 'killed') \
            and time.monotonic() - begin_s < LIMIT_S:
        time.sleep(0.002)
    noticed_s = time.monotonic() - begin_s
    print(f'  SIGSTOP of {node} noticed after {noticed_s:.2f} s', flush=True)
    return noticed_s


def rows(guest: Guest, kills: list[dict[str, float | str]], folder: Path) -> list[Row]:
    """What came of it."""
    active = [float(k['active_s']) for k in kills]
    warm = {f'{name}_host' for name in WARM}
    cold = [float(k['event_s']) for k in kills if float(k['event_s']) >= 0 and k['node'] not in warm]
    standby = [float(k['event_s']) for k in kills if k['node'] in warm]
    away = windows([(str(k['node']), float(k['at_s']), float(k['at_s']) + max(float(k['event_s']), 0.0))
                    for k in kills])
    lost = {name: unaccounted(guest.sent_s, guest.echoes[name], away.get(f'{name}_host', [])) for name in NAMES}
    done = {name: Counter(lines(folder / f'deeds_{name}')) for name in NAMES}
    keys = [key for key, answer in guest.deeds.items() if answer == 'done']
    undone = [key for key in keys if not done[key.partition(':')[0]][key]]
    twice = [key for counts in done.values() for key, count in counts.items() if count > 1]
    wrong = sum(later != before + 1 for name in NAMES for before, later in steps(folder / f'numbers_{name}'))
    for name, answer in Counter(a for a in guest.deeds.values() if a != 'done').items():
        print(f'  {answer} deeds: {name}', flush=True)
    draw(kills)
    return [
        Row('recover.p95_s', percentile(active, 95), 's', '<= 2'),
        Row('recover.p50_s', statistics.median(active), 's'),
        Row('recover.first_event_p95_s', percentile(cold, 95), 's', '<= 4'),
        Row('recover.standby_p95_s', percentile(standby, 95), 's', '<= 0.5'),
        Row('recover.standby_kills', len(standby), ''),
        Row('recover.lost', sum(up for up, _ in lost.values()) + len(undone), '', '<= 0'),
        Row('recover.lost_by_the_killed', sum(total - up for up, total in lost.values()), ''),
        Row('recover.twice', len(twice), '', '<= 0'),
        Row('recover.events_twice', sum(n > 1 for echoes in guest.echoes.values() for n in echoes.values()), ''),
        Row('recover.deeds', len(guest.deeds), ''),
        Row('recover.deeds_refused', len(guest.deeds) - len(keys), '', '<= 0'),
        Row('recover.state_wrong', wrong, '', '<= 0')]


def lines(path: Path) -> list[str]:
    """The lines of a file that may not be there."""
    return path.read_text().split() if path.is_file() else []


def steps(path: Path) -> list[tuple[int, int]]:
    """Neighbours in a file of numbers.

    One that was kept, but not acknowledged before the kill, is no loss: the file has a gap of one there.
    """
    numbers = [int(line) for line in lines(path)]
    return [(before, later - 1 if later == before + 2 else later) for before, later in itertools.pairwise(numbers)]


def percentile(values: list[float], percent: int) -> float:
    """By the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else 0.0


def draw(kills: list[dict[str, float | str]]) -> None:
    """Each kill as a point in the row of its node."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    names = sorted({str(k['node']) for k in kills})
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.3 * len(names)))
    for key, colour, label in (('active_s', 'tab:blue', 'active'), ('event_s', 'tab:orange', 'first event handled')):
        shown = [k for k in kills if float(k[key]) >= 0]
        axes.scatter([float(k[key]) for k in shown], [names.index(str(k['node'])) for k in shown], s=14, color=colour,
                     label=label)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel('seconds after SIGKILL')
    axes.set_xlim(left=0)
    axes.legend()
    figure.tight_layout()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=110)
