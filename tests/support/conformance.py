"""What every source's client keeps, whatever it speaks: a suite to be inherited, with one subject to fill in.

It does: spoil a source's answers in every place, and look at what the client makes of them. It does not: know a format;
the subject does. The rule it keeps: only SourceFailed or an answer ever comes of it, in time, and nobody's data is
shown.

    class TestMyBureau(Conformance):
        subject = Subject("bureau", MyBureau, told, required={"/report": ("score", "subject.abn")})
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.sandbox import MARK, Ask, Told
from api.sources import Source, Why
from api.sources.exchange import Exchange
from api.sources.ladder import Ladder, Post
from engine.facts import Fact
from tests.support.exchanging import leaving_nothing
from tests.support.laddering import now
from tests.support.subjects import (
    APPLICATION,
    MOST_BYTES,
    Outcome,
    Path,
    Subject,
    Tell,
    asking_of,
    at,
    having,
    line_of,
    places,
    playing,
    tried,
    without,
)

OTHER_ABN = "51824753556"
CANARY = "canary-5e1f"  # stands in what a source says, and nowhere else
SHORT_S, GENEROUS_S = 0.3, 2.0  # time given to a source that never answers; and over that, for a busy machine

NO_JSON = (b"", b" ", b"{", b"}", b"nul", b"<html><body>Sorry</body></html>", b"{'single': 1}", b"[1,]", b"\xff\xfe{}")
OTHER_JSON = (b"null", b"true", b"0", b'"text"', b"[]", b"[[]]", b"{}", b'{"a": 1, "a": 2}', b"[" * 100_000, b"NaN")
REFUSALS = (204, 206, 301, 302, 400, 401, 403, 404, 409, 429, 451, 500, 502, 503)
EXCUSES = (b"", b"<html>Not Found</html>", b"{}", b'{"code": "not_found"}', b'{"errors": [{"code": "x"}]}')
OTHER_TYPES: tuple[Any, ...] = (True, -1.5, 10**30, [], {}, [CANARY], {CANARY: CANARY})
STRANGE = (None, "", CANARY, "\x00", "\ud800", "9" * 400, -1, float("nan"), float("inf"), "2026-02-30", "x" * 100_000)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
# The same tests run for several clients: they are one class each.
inherited = settings(suppress_health_check=[HealthCheck.differing_executors], max_examples=60)


class Conformance:
    """Inherit it, and name the subject."""

    subject: Subject

    # -- a good answer --

    def test_a_good_answer_is_the_fact(self) -> None:
        """What the source knows comes out of the client as engine facts, with a digest that repeats."""
        first, second = (tried(self.subject, self.subject.good) for _ in range(2))
        assert first.why is None
        assert self.subject.is_right(first.value)
        assert first.digest == second.digest
        assert first.digest is not None
        assert len(first.digest) == 64

    def test_the_fact_is_stamped(self) -> None:
        """On the ladder it is present, with the line's name, the moment and the digest."""
        began, fact = now(), self._on_the_ladder(self.subject.good, development=False)
        assert (fact.status, fact.source) == ("present", self.subject.name)
        assert self.subject.is_right(fact.value)
        assert began <= fact.fetched_at <= now()
        assert fact.digest is not None

    def test_a_sandbox_is_no_source_in_production(self) -> None:
        """The sandbox's mark makes the fact synthetic in development, and failed elsewhere."""

        def marked(ask: Ask) -> Told:
            told = self.subject.good(ask)
            return replace(told, headers={**told.headers, MARK[0]: MARK[1]})

        assert self._on_the_ladder(marked, development=True).source == f"synthetic/sandbox/{self.subject.name}"
        refused = self._on_the_ladder(marked, development=False)
        assert (refused.status, refused.failure) == ("failed", "pretended")

    def test_new_fields_are_no_fault(self) -> None:
        """A field that nobody has heard of, in every object of every answer, changes nothing."""

        def tell(ask: Ask) -> Told:
            told = self.subject.good(ask)
            return self.subject.saying(told, extended(self.subject.json_of(told)))

        outcome = tried(self.subject, tell)
        assert outcome.why is None
        assert self.subject.is_right(outcome.value)

    def test_without_consent_nobody_is_asked(self) -> None:
        """Where the fact needs a consent that was not given, it is absent, and no request leaves."""
        if self.subject.consent is None:
            pytest.skip("no consent is needed for a public register")
        consents = tuple(
            each.model_copy(update={"given": each.given and each.kind != self.subject.consent})
            for each in APPLICATION.consents
        )
        asked = asking_of(APPLICATION.model_copy(update={"consents": consents}))
        outcome = tried(self.subject, self.subject.good, asked)
        assert (outcome.value, outcome.why, outcome.asks) == (None, None, ())

    # -- spoiled answers --

    def test_each_required_field_is_required(self) -> None:
        """Without a field that the subject names an answer is none: `schema`, or `status` where it said why."""
        wrong = []
        for ask, content in self._answers():
            for name in self._required_of(ask):
                outcome = self._edited(ask, without(content, name))
                if outcome.why not in {"schema", "status"}:
                    wrong.append((ask.path, name, outcome.why))
        assert wrong == []

    def test_whatever_is_left_out_is_never_read_as_nothing_there(self) -> None:
        """Any one field left out: a failure, or an answer that did not need it; never "there is nothing"."""
        wrong = []
        for ask, content in self._answers():
            for place in places(content):
                outcome = self._edited(ask, without(content, place))
                if outcome.why is None and not outcome.present:
                    wrong.append((ask.path, place))
        assert wrong == []

    def test_other_types_in_required_fields_are_refused(self) -> None:
        """Another type in a required field is `schema`, the value not shown."""
        wrong = []
        for ask, content in self._answers():
            for name in self._required_of(ask):
                for other in OTHER_TYPES:
                    if type(other) is type(at(content, name)):
                        continue
                    outcome = self._edited(ask, having(content, name, other))
                    self._check_shown(outcome)
                    if outcome.why not in {"schema", "status"}:
                        wrong.append((ask.path, name, other, outcome.why))
        assert wrong == []

    def test_strange_values_only_fail(self) -> None:
        """Whatever stands in any one field: SourceFailed or an answer, nothing of it shown."""
        for ask, content in self._answers():
            for place in places(content):
                for strange in STRANGE:
                    self._check_shown(self._edited(ask, having(content, place, strange)))

    def test_what_is_not_its_json_is_refused(self) -> None:
        """Other bodies, whole and with status 200: `malformed`, `schema`, `encoding` or `status`; never absent."""
        bodies = (*NO_JSON, *OTHER_JSON, b'"' + CANARY.encode() * 1_000 + b'"')
        wrong = []
        for ask, _ in self._answers():
            for body in (*bodies, *(self.subject.dressed(body) for body in bodies)):
                outcome = self._answering(ask, Told(body))
                self._check_shown(outcome)
                if outcome.why not in {"malformed", "schema", "encoding", "status"}:
                    wrong.append((ask.path, body[:40], outcome.why))
        assert wrong == []

    def test_a_key_twice_and_depth_without_end_only_fail(self) -> None:
        """A repeated key, or an unknown field nested ten thousand deep, gives SourceFailed or the good answer."""
        for ask, _ in self._answers():
            text = self.subject.bare(self.subject.good(ask).body).lstrip()
            for more in (b'{"x_new": 1, "x_new": 2,', b'{"x_new": ' + b"[" * 10_000 + b"]" * 10_000 + b","):
                outcome = self._answering(ask, Told(self.subject.dressed(more + text[1:])))
                assert outcome.why is not None or self.subject.is_right(outcome.value)

    def test_too_much_is_cut_off(self) -> None:
        """An answer longer than the line allows is `oversized`."""
        for ask, _ in self._answers():
            assert self._answering(ask, Told(b" " * (MOST_BYTES + 1))).why == "oversized"

    def test_an_answer_about_somebody_else_is_none(self) -> None:
        """With another business's ABN in its place the whole answer is `schema`."""
        if not self.subject.says_whom:
            pytest.skip("this source does not say whom it speaks of")
        abn = APPLICATION.business.abn.encode()
        whys: set[Why | None] = set()
        for ask, _ in self._answers():
            body = self.subject.good(ask).body
            if abn in body:
                whys.add(self._answering(ask, Told(body.replace(abn, OTHER_ABN.encode()))).why)
        assert whys == {"schema"}

    @inherited
    @given(st.one_of(st.binary(max_size=200), json_values))
    def test_garbage_is_only_ever_a_failed_source(self, garbage: Any) -> None:
        """Random bytes and random JSON in place of any answer give SourceFailed, never a fact and never absent."""
        for ask, _ in self._answers():
            body = garbage if isinstance(garbage, bytes) else self.subject.dressed(json.dumps(garbage).encode())
            assert self._answering(ask, Told(body)).why is not None

    # -- a source that is ill --

    def test_a_refusal_is_never_read_as_nothing_there(self) -> None:
        """No status with an empty, foreign or unknown body means "not found": whichever request it meets, it fails."""
        wrong = []
        for ask, _ in self._answers():
            for status in REFUSALS:
                for body in EXCUSES if status in {403, 404} else EXCUSES[:1]:
                    outcome = self._answering(ask, Told(body, status))
                    if outcome.why is None:
                        wrong.append((ask.path, status, body, outcome.value))
        assert wrong == []

    def test_its_time_is_kept(self) -> None:
        """A source that falls silent at any one request costs no more than the time there is."""
        for ask, _ in self._answers():
            began = time.monotonic()
            outcome = tried(self.subject, self._telling(ask, lambda _: None), seconds=SHORT_S)
            assert outcome.why == "timeout"
            assert time.monotonic() - began < SHORT_S + GENEROUS_S

    # -- how it is done --

    def _answers(self) -> Iterator[tuple[Ask, Any]]:
        """Every request of a good conversation, with the JSON of its answer."""
        asks = {ask.path: ask for ask in tried(self.subject, self.subject.good).asks}
        assert asks
        return ((ask, self.subject.json_of(self.subject.good(ask))) for ask in asks.values())

    def _required_of(self, ask: Ask) -> Iterator[Path]:
        named = [names for pattern, names in self.subject.required.items() if fnmatchcase(ask.path, pattern)]
        assert len(named) == 1, f"`required` has to name {ask.path} once"
        for name in named[0]:
            yield tuple(int(part) if part.isdigit() else part for part in name.split("."))

    def _telling(self, ask: Ask, answer: Callable[[Ask], Told | None]) -> Tell:
        return lambda each: answer(each) if each.path == ask.path else self.subject.good(each)

    def _answering(self, ask: Ask, told: Told) -> Outcome:
        return tried(self.subject, self._telling(ask, lambda _: told))

    def _edited(self, ask: Ask, content: Any) -> Outcome:
        return self._answering(ask, self.subject.saying(self.subject.good(ask), content))

    def _check_shown(self, outcome: Outcome) -> None:
        """Neither what the source said, nor whom it was about, nor our credential is in an error or a log."""
        business = APPLICATION.business
        secrets = (CANARY, business.abn, business.acn or business.abn, business.legal_name, "Robin Sample")
        words = (*secrets, *(value.split(" ")[-1] for value in self.subject.headers.values()))
        assert [word for word in words if word in outcome.shown] == []

    def _on_the_ladder(self, tell: Tell, *, development: bool) -> Fact[Any]:
        name: Source = self.subject.name

        async def work() -> Fact[Any]:
            async with playing(tell, []) as url:
                post = Post(self.subject.make(), Exchange(line_of(self.subject, url)))
                ladder = Ladder({name: post}, None, now, development=development)
                async with ladder.opened():
                    return (await ladder.gather(asking_of())).of(name)

        return leaving_nothing(work())


def extended(value: Any) -> Any:
    """A copy with a field that nobody has heard of in every object."""
    if isinstance(value, dict):
        return {**{key: extended(item) for key, item in value.items()}, "x_new": {CANARY: [1, None, CANARY]}}
    return [extended(item) for item in value] if isinstance(value, list) else value
