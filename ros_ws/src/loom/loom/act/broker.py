"""ActionBroker: checks every capability call, passes it to the agent that can, and brings the result back."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import jsonschema

from loom.act.call import (
    AGAIN_S,
    Call,
    Feedback,
    OnFeedback,
    OnOutcome,
    Outcome,
    no_feedback,
    outcome,
)
from loom.act.capability import AWAY, BAD_ARGUMENTS, BUSY, CANCELLED, MAX_TIMEOUT_S, TIMEOUT, UNKNOWN, Capability
from loom.core.bus import Bus, Subscription
from loom.core.clock import NANOSECONDS, Clock, wall_ns
from loom.core.errors import CapabilityError, LoomError, nearest
from loom.core.event import Event
from loom.core.inlet import FIRST_SENT, first_sent_ns
from loom.core.trace import handling

ADDRESS = 'action_broker'
MAX_OPEN = 256
MAX_REMEMBERED = 1000
GRACE_S = 1.0
# So long after it opened, a broker may not know yet who is there; what was sent to the one before it waits.
SETTLE_S = 2.0
# So long a call waits for an agent whose host is down: it is being started again.
AWAY_S = 10.0
# Of a call that was sent to the broker before this one, at least so much time is left.
LEAST_S = 0.1
VERBS = {'capability.call': 'invoke', 'capability.cancel': 'cancel', 'capability.result': 'relay',
         'capability.feedback': 'relay'}


class ActionBroker:
    """Serves the mailbox `action_broker` while open; tick(), to be called at 10 Hz or more, ends late calls.

    It asks the agent once more while nothing is heard, with the same call id: an agent that has it goes on with it or
    repeats the outcome, and one that was started anew looks into its journal. So do callers with a new broker. Who can
    do what may not be known yet for `settle_s` after it opened: calls wait so long.
    """

    def __init__(self, bus: Bus, clock: Clock, settle_s: float = 0.0) -> None:
        self._settle_s = settle_s
        self.counts: Counter[str] = Counter()
        self._bus = bus
        self._clock = clock
        self._lock = threading.RLock()
        self._outbox: deque[Callable[[], None]] = deque()
        self._hosts: dict[str, tuple[Capability, ...]] = {}
        self._away: dict[str, dict[str, Capability]] = {}
        self._open: dict[str, Call] = {}
        self._done: OrderedDict[str, Outcome] = OrderedDict()
        self._mailbox: Subscription | None = None
        self._opened_ns = 0

    def open(self) -> None:
        """Begins to take calls from the mailbox."""
        self._opened_ns = wall_ns()
        self._mailbox = self._bus.receive(ADDRESS, self._receive)

    def update(self, host: str, capabilities: tuple[Capability, ...], away: tuple[Capability, ...] = ()) -> None:
        """Learns what the agents of a host can do, or could before it went down; replaces what was known of it."""
        with self._work():
            self._hosts[host] = capabilities
            self._away[host] = {capability.name: capability for capability in away}
            self._begin_waiting()

    def capabilities(self) -> dict[str, Capability]:
        """Every known capability by name; the first host to offer a name has it."""
        with self._lock:
            found = {c.name: c for offered in reversed(list(self._hosts.values())) for c in reversed(offered)}
        return dict(sorted(found.items()))

    def invoke(self, name: str, arguments: Any, call_id: str, timeout_s: float, on_outcome: OnOutcome,
               on_feedback: OnFeedback = no_feedback, caller: str = '', request: Event | None = None) -> None:
        """Starts a call, or joins it where its id is known; `on_outcome` is called exactly once."""
        with self._work():
            known = self._open.get(call_id)
            if call_id in self._done:
                self._outbox.append(partial(on_outcome, self._done[call_id]))
            elif known is not None:
                known.join(request, on_outcome, on_feedback)
            else:
                sent_ns = first_sent_ns(request) if request is not None else 0
                call = Call(call_id, name, arguments, caller, timeout_s, sent_ns, request=request)
                call.join(request, on_outcome, on_feedback)
                self._start(call)

    def cancel(self, call_id: str) -> None:
        """Ends a call; its callers hear code 104. An unknown id is nothing to do."""
        with self._work():
            call = self._open.get(call_id)
            if call is not None:
                self._withdraw(call, outcome(None, CANCELLED, f'{call.capability!r} was cancelled'))

    def tick(self) -> None:
        """Ends the calls whose deadline has passed, their callers hear code 103; asks again where nothing is heard."""
        now_ns = self._clock.now_ns()
        with self._work():
            self._begin_waiting()
            for call in [c for c in self._open.values() if c.agent]:
                if call.deadline_ns <= now_ns:
                    self._withdraw(call, outcome(None, TIMEOUT, f'{call.capability!r} did not end in time and was '
                                                 'stopped; give it a longer timeout'))
                elif call.again_ns <= now_ns:
                    self.counts['again'] += 1
                    self._ask(call, max((call.deadline_ns - now_ns) / NANOSECONDS - GRACE_S, LEAST_S))

    def close(self) -> None:
        """Cancels what is open and closes the mailbox."""
        for call_id in list(self._open):
            self.cancel(call_id)
        if self._mailbox is not None:
            self._mailbox.close()
            self._mailbox = None

    def _start(self, call: Call) -> None:
        try:
            capability = self._checked(call)
        except LoomError as error:
            first, call.waits_since_ns = not call.waits_since_ns, call.waits_since_ns or wall_ns()
            if error.code in (UNKNOWN, AWAY) and self._may_come(call, error.code):
                self._open[call.id] = call
                if first:
                    self._notify(call, {'status': 'waiting', 'progress': -1.0})
            else:
                self._finish(call, outcome(None, error.code, str(error)))
            return
        limit_s = min(call.timeout_s or capability.timeout_s, capability.timeout_s)
        before_ns = max(self._opened_ns - call.first_sent_ns, 0) if call.first_sent_ns else 0
        waited_ns = wall_ns() - call.waits_since_ns if call.waits_since_ns else 0
        if before_ns or waited_ns:
            limit_s = max(limit_s - (before_ns + waited_ns) / NANOSECONDS, LEAST_S)
        call.first_sent_ns = call.first_sent_ns or wall_ns()
        call.agent = capability.agent
        call.deadline_ns = self._clock.now_ns() + round((limit_s + GRACE_S) * NANOSECONDS)
        self._open[call.id] = call
        self._notify(call, {'status': 'accepted', 'progress': -1.0})
        self._publish(call, 'capability.started', self._ask(call, limit_s))

    def _ask(self, call: Call, limit_s: float) -> dict[str, Any]:
        """Asks the agent, for the first time or again; gives what it is asked."""
        call.again_ns = self._clock.now_ns() + round(AGAIN_S * NANOSECONDS)
        data = {'name': call.capability, 'arguments': call.arguments, 'call_id': call.id, 'timeout_s': limit_s,
                'caller': call.caller}
        # An agent that comes back when the caller was told that the time is over must not begin with it.
        self._send(call.agent, self._compose(call, 'capability.call', data, reply_to=ADDRESS,
                                             expires_ns=call.deadline_ns,
                                             metadata={FIRST_SENT: str(call.first_sent_ns)}))
        return data

    def _begin_waiting(self) -> None:
        for call in [c for c in self._open.values() if not c.agent]:
            del self._open[call.id]
            self._start(call)

    def _may_come(self, call: Call, code: int) -> bool:
        """Whether the one who can do it may be there and not be known yet, or be back soon."""
        if code == UNKNOWN:
            return wall_ns() < self._opened_ns + self._settle_s * NANOSECONDS
        return wall_ns() < call.waits_since_ns + min(call.timeout_s or AWAY_S, AWAY_S) * NANOSECONDS

    def _checked(self, call: Call) -> Capability:
        known = self.capabilities()
        capability = known.get(call.capability)
        if not 0 <= call.timeout_s <= MAX_TIMEOUT_S:
            raise CapabilityError(f'timeout_s must be from 0 to {MAX_TIMEOUT_S:g}, got {call.timeout_s}',
                                  BAD_ARGUMENTS)
        if len(self._open) >= MAX_OPEN:
            raise CapabilityError(f'at most {MAX_OPEN} calls may be open; try later', BUSY)
        away = next((gone[call.capability] for gone in self._away.values() if call.capability in gone), None)
        if capability is None and away is not None:
            raise CapabilityError(f'{away.name!r} can not be done now: the host of its agent {away.agent!r} is down; '
                                  'call it again when it is back (see: loom list)', AWAY)
        if capability is None:
            help_text = nearest(call.capability, list(known)) if known else '; no agent is there yet'
            raise CapabilityError(f'no capability named {call.capability!r}{help_text}', UNKNOWN)
        fault = jsonschema.Draft202012Validator(capability.schema)
        for error in fault.iter_errors(call.arguments):
            place = '.'.join(str(part) for part in error.path)
            raise CapabilityError(f'{call.capability}: {place + ": " if place else ""}{error.message}', BAD_ARGUMENTS)
        if self._clock.now_ns() <= 0:
            # A deadline that is counted from 0 is over as soon as the simulator's time is heard.
            raise CapabilityError('the broker has no time yet: use_sim_time is set and nobody publishes clock', AWAY)
        return capability

    def _receive(self, event: Event) -> None:
        if event.type in VERBS:
            with handling(f'loom.{ADDRESS}.{VERBS[event.type]}', event.traceparent, event.tracestate, event.type):
                self._take(event)

    def _take(self, event: Event) -> None:
        data = event.data if isinstance(event.data, dict) else {}
        call_id = str(data.get('call_id') or event.correlation_id or event.id)
        if event.type == 'capability.call':
            self.invoke(str(data.get('name')), data.get('arguments') or {}, call_id,
                        float(data.get('timeout_s') or 0.0), lambda o: self._reply(event, 'capability.result', o),
                        lambda d: self._reply(event, 'capability.feedback', d),
                        event.sender or event.source, event)
        elif event.type == 'capability.cancel':
            self.cancel(call_id)
        else:
            self._relay(event, data)

    def _relay(self, event: Event, data: dict[str, Any]) -> None:
        with self._work():
            call = self._open.get(event.correlation_id)
            if call is None or call.agent != event.sender:
                self.counts['stray'] += 1
            elif event.type == 'capability.feedback':
                call.again_ns = self._clock.now_ns() + round(AGAIN_S * NANOSECONDS)
                self._notify(call, data)
            else:
                self._finish(call, outcome(data.get('result'), int(data.get('error_code', 0)),
                                           str(data.get('error_msg', ''))))

    def _withdraw(self, call: Call, ended: Outcome) -> None:
        if call.agent:
            self._send(call.agent, self._compose(call, 'capability.cancel', {'call_id': call.id}))
        self._finish(call, ended)

    def _finish(self, call: Call, ended: Outcome) -> None:
        self._open.pop(call.id, None)
        self._done[call.id] = ended
        if len(self._done) > MAX_REMEMBERED:
            self._done.popitem(last=False)
        self.counts['failed' if ended['error_code'] else 'done'] += 1
        self._publish(call, 'capability.finished', {'name': call.capability, 'arguments': call.arguments,
                                                    'call_id': call.id, 'caller': call.caller, **ended})
        for on_outcome in call.on_outcome:
            self._outbox.append(partial(on_outcome, ended))

    def _notify(self, call: Call, data: Feedback) -> None:
        for on_feedback in call.on_feedback:
            self._outbox.append(partial(on_feedback, data))

    def _reply(self, request: Event, type: str, data: Any) -> None:
        if request.reply_to:
            self._bus.send(request.reply_to, request.child(
                type, data, source=ADDRESS, stamp_ns=self._clock.now_ns(), sender=ADDRESS,
                correlation_id=request.id))

    def _publish(self, call: Call, type: str, data: Any) -> None:
        self._outbox.append(partial(self._bus.publish, self._compose(call, type, data)))

    def _compose(self, call: Call, type: str, data: Any, **fields: Any) -> Event:
        make = Event.create if call.request is None else call.request.child
        return make(type, data, source=ADDRESS, stamp_ns=self._clock.now_ns(), sender=ADDRESS, **fields)

    def _send(self, address: str, event: Event) -> None:
        self._outbox.append(partial(self._bus.send, address, event))

    @contextmanager
    def _work(self) -> Iterator[None]:
        # What goes out leaves after the lock: a bus that delivers at once would lead back here from another thread.
        with self._lock:
            yield
        while self._outbox:
            try:
                send = self._outbox.popleft()
            except IndexError:
                return
            send()
