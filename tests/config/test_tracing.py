"""Spans are made through OpenTelemetry's API when wanted, and everything is told on."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace as otel

from comptoir.config.environment import read_environment
from comptoir.config.observers import Observers
from comptoir.config.tracing import Traces
from comptoir.kernel.watch import NOBODY, BatchDone, Trace, Watch


class Recorder:
    """Stands for an SDK: keeps what it is asked to start."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, dict[str, Any], int, list[int]]] = []

    def start_span(self, name: str, *, start_time: int, attributes: dict[str, Any], kind: Any = None) -> Any:
        ends: list[int] = []
        self.spans.append((name, attributes, start_time, ends))
        return type("Span", (), {"end": staticmethod(ends.append)})


class Told(Watch):
    """Counts what arrives."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if hasattr(Watch, name) and not name.startswith("_"):
            return lambda *_: self.names.append(name)
        return super().__getattribute__(name)


def test_a_request_and_its_batch_are_spans_that_name_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, told = Recorder(), Told()
    monkeypatch.setattr(otel, "get_tracer", lambda _: recorder)
    traces = Traces(told)
    traces.request_begun()
    traces.batch_done(BatchDone("p-1", [("Pay", "ok")], 0.1, 0.5, 0.01), 0)
    traces.request_ended("payments/pay", "SUCCESS", 2.0, Trace("r1", "p-1", 0.1, 0.5))
    (batch, batch_says, began, batch_ends), (name, says, request_began, ends) = recorder.spans
    assert (batch, batch_says["comptoir.batch"], batch_says["comptoir.commands"]) == ("batch", "p-1", 1)
    assert (name, says["comptoir.request_id"], says["comptoir.batch"]) == ("payments/pay", "r1", "p-1")
    assert batch_ends == [began + 500_000_000]
    assert ends == [request_began + 2_000_000_000]
    assert told.names == ["request_begun", "batch_done", "request_ended"]


def test_everything_else_is_told_on() -> None:
    told = Told()
    traces = Traces(told)
    traces.batch_retried("x")
    traces.step_done("x", 1.0)
    traces.job_failed("x")
    traces.notified("x", "dead", 1.0)
    traces.backlog([])
    assert told.names == ["batch_retried", "step_done", "job_failed", "notified", "backlog"]


def test_traces_are_made_only_where_they_are_wanted() -> None:
    assert Observers.of(read_environment({})).watch is NOBODY
    assert isinstance(Observers.of(read_environment({"COMPTOIR_TRACES": "1"})).watch, Traces)
