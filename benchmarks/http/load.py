"""`python -m benchmarks.http.load`: a closed-loop HTTP client on a few kept-alive connections, in a process of its own.

It does: keep one request on its way on each connection, and count replies. It does not: keep to a rate
(benchmarks.arrivals does). The rule it keeps: one thread, one epoll loop and no framework, so that on a core of its own
it is not what limits the server; a reply that is no success is counted apart, and an end of a connection ends the run.
"""

import gc
import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count, cycle

_LARGEST = 1 << 20
_PATIENCE_SECONDS = 30
_LENGTH = b"content-length:"
_KEY_MARK = b"{key}"
_GOOD = (b"200", b"201")


@dataclass(frozen=True, slots=True)
class Plan:
    """Whole HTTP requests, taken in turn, and for how long; what comes in `warm` seconds does not count.

    `{key}` in a request becomes a key used once, `run` being part of it.
    """

    port: int
    requests: tuple[str, ...]
    seconds: float
    warm: float = 0.5
    connections: int = 16
    run: str = ""


@dataclass(slots=True)
class Counted:
    """Replies of 200 and 201 in the seconds that count, others by status, and how long one took, milliseconds.

    `sent` are all replies of the run, the warming up's included.

    `client_us` is what a request cost this client's own processor: what it could reach at most.
    """

    answered: int = 0
    sent: int = 0
    seconds: float = 0.0
    others: dict[str, int] = field(default_factory=dict)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    client_us: float = 0.0


def run(plan: Plan) -> Counted:
    """Load the server, wait for the last replies, and count."""
    requests, sockets, poll = _unique(plan), _connected(plan), select.epoll()
    sent, parts = dict[int, float](), dict.fromkeys(sockets, b"")
    for number, connection in sockets.items():
        poll.register(number, select.EPOLLIN)
        sent[number] = time.perf_counter()
        connection.sendall(next(requests))
    counted, took = Counted(), list[float]()
    begins, busy = time.perf_counter() + plan.warm, time.process_time()
    ends = last = begins + plan.seconds
    while sockets:
        ready = poll.poll(_PATIENCE_SECONDS)
        if not ready:
            raise TimeoutError("no reply for a long time")
        for number, _ in ready:
            part = sockets[number].recv(_LARGEST)
            if not part:
                raise ConnectionError("the server closed a connection")
            reply = parts[number] + part
            if not whole(reply):
                parts[number] = reply
                continue
            parts[number] = b""
            now = time.perf_counter()
            counted.sent += 1
            if reply[9:12] not in _GOOD:
                status = reply[9:12].decode()
                counted.others[status] = counted.others.get(status, 0) + 1
            elif begins <= now < ends:
                took.append(now - sent[number])
                last = now
            if now < ends:
                sent[number] = now
                sockets[number].sendall(next(requests))
            else:
                sockets.pop(number).close()  # which takes it out of the poll as well
    counted.client_us = (time.process_time() - busy) * 1e6 / max(counted.sent, 1)
    return _summed(counted, took, last - begins)


def _unique(plan: Plan) -> Iterator[bytes]:
    """The requests in turn, each with a key of its own where it has a place for one."""
    requests = [text.encode() for text in plan.requests]
    if _KEY_MARK not in requests[0]:
        return cycle(requests)
    run = plan.run.encode()
    keyed = zip(cycle(requests), count(), strict=False)
    return (text.replace(_KEY_MARK, b"load-%s-%010d" % (run, place), 1) for text, place in keyed)


def _summed(counted: Counted, took: list[float], seconds: float) -> Counted:
    took.sort()
    counted.answered, counted.seconds = len(took), seconds
    if took:
        counted.p50_ms, counted.p99_ms = (took[int(len(took) * share)] * 1_000 for share in (0.5, 0.99))
    return counted


def _connected(plan: Plan) -> dict[int, socket.socket]:
    found = {}
    for _ in range(plan.connections):
        connection = socket.create_connection(("127.0.0.1", plan.port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found[connection.fileno()] = connection
    return found


def whole(reply: bytes) -> bool:
    """Whether head and body are there; ConnectionError for a reply that does not say how long it is."""
    end = reply.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = reply[:end].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise ConnectionError("a reply without content-length")
    return len(reply) >= end + 4 + int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


def main() -> None:
    """Read a plan from standard input, carry it out, write the count to standard output."""
    told = json.load(sys.stdin)
    gc.disable()
    json.dump(asdict(run(Plan(**{**told, "requests": tuple(told["requests"])}))), sys.stdout)


if __name__ == "__main__":
    main()
