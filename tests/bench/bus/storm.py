"""A storm on the bus: publishers and subscribers that are slow, stopped, late, leave or are killed; then the audit."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bus.crew import QUIET, Crew, crew_in
from bus.storm_member import OVERRIDES, TOPICS
from bus.tally import Tally
from row import Row

Ending = Literal['stays', 'leaves', 'killed', 'stopped']
BUSY = len(TOPICS) + 1
NUMBER = len(TOPICS)
QOS_FILE = 'qos.yaml'
SECONDS, SETTLE_S, POLL_S, FOR_EVER_S = 60.0, 20.0, 0.2, 1e6
SIGNALS = {'killed': signal.SIGKILL, 'stopped': signal.SIGSTOP, 'go on': signal.SIGCONT}
# A stopped one goes on before the others take it for dead: Fast DDS does not always find back what it took for dead.
STOPPED_S = 0.6


@dataclass(frozen=True)
class Part:
    """One process: when it begins and ends, as parts of the storm, and how; `amount` as `storm_member` takes it."""

    name: str
    role: Literal['publish', 'subscribe']
    amount: float
    begins: float = 0.0
    ends: float = 1.0
    ending: Ending = 'stays'


@dataclass
class Verdict:
    """What the books say against what the witnesses wrote down; `faults` has a line for each misfit."""

    unexplained: int = 0
    faults: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    credit_lost: int = 0
    unheard: int = 0
    published: int = 0
    refused: int = 0

    def expect(self, difference: int, what: str) -> None:
        """Counts what is not 0."""
        if difference:
            self.unexplained += abs(difference)
            self.faults.append(f'{what}: {difference:+d}')


def cast(publishers: int, rate_hz: float, killed: int) -> tuple[Part, ...]:
    """Who takes part; `rate_hz` is what each publisher gives in all."""
    starts = [0.1 + 0.7 * number / killed for number in range(killed)]
    return (
        Part('quick', 'subscribe', 0.0), Part('slow', 'subscribe', 3.0), Part('late', 'subscribe', 0.0, 0.5),
        Part('stopped', 'subscribe', 0.0, 0.0, 0.4, 'stopped'), Part('leaving', 'subscribe', 0.5, 0.0, 0.6, 'leaves'),
        *(Part(f'killed{number}', 'subscribe', 1.0, start, start + 0.2, 'killed')
          for number, start in enumerate(starts)),
        *(Part(f'source{number}', 'publish', rate_hz) for number in range(publishers)),
        Part('late_source', 'publish', rate_hz, 0.6), Part('leaving_source', 'publish', rate_hz, 0.0, 0.5, 'leaves'),
        *(Part(f'killed_source{number}', 'publish', rate_hz, start, start + 0.15, 'killed')
          for number, start in enumerate(starts)))


class Storm:
    """Plays the parts with the processes of a crew."""

    def __init__(self, crew: Crew, parts: Sequence[Part]) -> None:
        self.crew = crew
        self.parts = {part.name: part for part in parts}
        (crew.folder / QOS_FILE).write_text(json.dumps({'topics': OVERRIDES}))

    def play(self, seconds: float) -> Verdict:
        """Blows for so long, then waits until the books are right or no longer change."""
        for part in self.parts.values():
            if not part.begins:
                self._begin(part, seconds)
        for part in self.parts.values():
            if not part.begins:
                self._wait_for(part)
        began = time.monotonic()
        for at, name, what in sorted(self._steps(seconds)):
            time.sleep(max(0.0, began + at * seconds - time.monotonic()))
            self._do(what, self.parts[name], seconds)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        for part in self.parts.values():
            self._wait_for(part)
        self.crew.control[0] = QUIET
        return self._settled()

    def tally(self, name: str) -> Tally:
        """What a part wrote down; a publisher's ends with its number and how often it had to wait."""
        return Tally(self.crew.folder / f'{name}.tally', len(TOPICS) + (2 if self.parts[name].role == 'publish' else 0))

    def _steps(self, seconds: float) -> Iterator[tuple[float, str, str]]:
        for part in self.parts.values():
            if part.begins:
                yield part.begins, part.name, 'begin'
            if part.ending in ('killed', 'stopped'):
                yield part.ends, part.name, part.ending
            if part.ending == 'stopped':
                yield part.ends + STOPPED_S / seconds, part.name, 'go on'

    def _do(self, what: str, part: Part, seconds: float) -> None:
        if what == 'begin':
            self._begin(part, seconds)
            return
        self._wait_for(part)
        self.crew.signal(part.name, SIGNALS[what])

    def _begin(self, part: Part, seconds: float) -> None:
        stays_s = (part.ends - part.begins) * seconds if part.ending == 'leaves' else FOR_EVER_S
        self.crew.start(part.name, 'storm_member', part.role, part.name, part.amount, stays_s)

    def _wait_for(self, part: Part) -> None:
        tally = self.tally(part.name)
        self.crew.wait_for(lambda: any(tally[index] for index in range(len(TOPICS))), f'the beginning of {part.name}')

    def _settled(self) -> Verdict:
        deadline = time.monotonic() + SETTLE_S
        while True:
            verdict = audit(self)
            if not verdict.unexplained or time.monotonic() > deadline:
                return verdict
            self.crew.check()
            time.sleep(POLL_S)


def audit(storm: Storm) -> Verdict:
    """Every account against the tallies."""
    verdict = Verdict()
    publishers = {}
    for part in storm.parts.values():
        if part.role == 'publish':
            tally = storm.tally(part.name)
            publishers[str(tally[NUMBER])] = part, [tally[index] for index in range(len(TOPICS))]
            verdict.published += sum(publishers[str(tally[NUMBER])][1])
            verdict.refused += tally[BUSY]
    for part in storm.parts.values():
        if part.role == 'subscribe':
            report = json.loads((storm.crew.folder / f'{part.name}.json').read_text())
            verdict.expect(report['disorder'], f'{part.name}: heard again or out of order')
            for index, (topic, account) in enumerate(zip(TOPICS, report['accounts'])):
                where = f'{part.name}: {topic}'
                _balance(verdict, where, account)
                _compare(verdict, where, part, index, account, publishers)
                if TOPICS[topic].policy == 'credit' and part.ending == 'stays':
                    verdict.credit_lost += sum(account['dropped'].values()) - account['dropped'].get('repeated', 0)
    return verdict


def _balance(verdict: Verdict, where: str, account: dict[str, Any]) -> None:
    dropped = account['dropped']
    verdict.reasons.update(delivered=account['delivered'], expired=account['expired'], **dropped)
    verdict.expect(account['offered'] - account['delivered'] - account['expired'] - account['queued']
                   - sum(dropped.values()), f'{where}: the account does not balance, {account}')
    verdict.expect(account['delivered'] - account['handled'], f'{where}: delivered, and not handled')


def _compare(verdict: Verdict, where: str, part: Part, index: int, account: dict[str, Any],
             publishers: dict[str, tuple[Part, list[int]]]) -> None:
    """Offered must be all that was published since each publisher was heard first, as far as it lived to tell."""
    expected, stays = 0, part.ending in ('stays', 'stopped')
    for number, (source, published) in publishers.items():
        first, heard = account['first'].get(number), account['last'].get(number, -1) + 1
        if stays and source.ending == 'stays':
            verdict.expect(int(first is None and published[index] > 0), f'{where}: never heard {source.name}')
            expected += published[index] - (first or 0) if first is not None else 0
        elif first is not None:
            expected += heard - first
            verdict.unheard += published[index] - heard if stays else 0
            verdict.expect(max(heard - published[index] - 1, 0), f'{where}: more than {source.name} published')
    verdict.expect(account['offered'] - account['dropped'].get('repeated', 0) - expected,
                   f'{where}: offered {account["offered"]}, by the publishers it is {expected} and what was repeated')


def blow(environment: Mapping[str, str], parts: Sequence[Part], seconds: float) -> Verdict:
    """One storm from its beginning to the verdict."""
    with crew_in({**environment, 'LOOM_QOS_FILE': QOS_FILE}) as crew:
        verdict = Storm(crew, parts).play(seconds)
        if verdict.unexplained:
            print(*verdict.faults, crew.outputs(), sep='\n', flush=True)
        crew.end()
    return verdict


def measure(environment: Mapping[str, str], seconds: float = SECONDS) -> list[Row]:
    """What the books cannot explain after a storm, and what blew."""
    verdict = blow(environment, cast(publishers=2, rate_hz=400.0, killed=4), seconds)
    return [Row('bus.unexplained', verdict.unexplained, '', '<= 0'),
            Row('bus.storm_credit_lost', verdict.credit_lost, '', '<= 0'),
            Row('bus.storm_published', verdict.published, ''), Row('bus.storm_unheard', verdict.unheard, ''),
            *(Row(f'bus.storm_{reason}', number, '') for reason, number in sorted(verdict.reasons.items()))]
