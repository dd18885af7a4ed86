"""Paths, clock formats and result codes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from datetime import UTC, datetime, timedelta

import com.alipay.ams.api.request as sdk_requests
import pytest
from com.alipay.ams.api.model import antom_path_constants

from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.paths import CATALOGUE, Operation, operation_of, path_of_target, signed_paths
from comptoir.standards.antom.results import ResultCode, ResultStatus
from comptoir.standards.antom.times import format_time, parse_time


def sdk_paths() -> set[str]:
    """Every path that any request class of the official SDK has, and its path constants."""
    found = {
        value
        for owner in (antom_path_constants.AntomPathConstants,)
        for value in vars(owner).values()
        if isinstance(value, str) and value.startswith("/")
    }
    for module in pkgutil.walk_packages(sdk_requests.__path__, sdk_requests.__name__ + "."):
        if "-" in module.name:
            continue  # one file of the SDK has a hyphen in its name and cannot be imported
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if not kind.__module__.startswith("com.alipay"):
                continue
            try:
                path = getattr(kind(), "path", None)
            except (TypeError, IndexError):
                continue
            if isinstance(path, str) and path.startswith("/"):
                found.add(path)
    return found


def test_every_path_of_the_sdk_is_in_the_catalogue_in_both_forms() -> None:
    paths = sdk_paths()
    assert len(paths) > 100
    for path in paths:
        assert operation_of(path), path
        assert operation_of(path.replace("/ams/api", "/ams/sandbox/api", 1)) == operation_of(path), path


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/ams/api/v1/payments/pay", Operation("ams", "payments/pay")),
        ("/ams/sandbox/api/v1/payments/pay", Operation("ams", "payments/pay")),
        ("/aps/api/v1/payments/pay", Operation("aps", "payments/pay")),
        ("/aps/api/v1/payments/cancelPayment", Operation("aps", "payments/cancelPayment")),
        ("/ams/api//v1/payments/retrievePaymentSession", Operation("ams", "payments/retrievePaymentSession")),
        ("/ams/api/v1/payments/retrievePaymentSession", None),
        ("/ams/api//v1/payments/pay", None),
        ("//ams/api/v1/payments/pay", None),
        ("/ams/api/v1/payments/pay/", None),
        ("/ams/api/v1/payments/Pay", None),
        ("/ams/api/v1/payments/cancelPayment", None),
        ("/gateway.do", None),
        ("", None),
    ],
)
def test_operations(path: str, operation: Operation | None) -> None:
    assert operation_of(path) == operation


def test_the_catalogue_names_each_operation_once_per_prefix() -> None:
    names = [operation.name for path, operation in CATALOGUE.items() if path.startswith("/ams/api")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/ams/api/v1/payments/pay", "/ams/api/v1/payments/pay"),
        ("https://localhost/ams/api/v1/payments/pay", "/ams/api/v1/payments/pay"),
        ("HTTPS://localhost:443/ams/api?x=1", "/ams/api"),
        ("https://h//ams/api//v1/x", "//ams/api//v1/x"),
        ("https://host", "/"),
        ("//ams/api", "//ams/api"),
        ("/ams%2Fapi?q#f", "/ams%2Fapi"),
    ],
)
def test_targets(target: str, path: str) -> None:
    assert path_of_target(target) == path


def test_signed_paths_collapse_the_leading_slashes_only() -> None:
    assert signed_paths("/a//b") == ("/a//b",)
    assert signed_paths("//a//b") == ("//a//b", "/a//b")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T09:20:36+00:00",
        "2026-11-23T10:20:36+0100",
        "2026-11-23T17:20:36+08:00",
        "1795425636000",
        "1795425636",
        "2026-11-23T09:20:36.0000000Z",
        "2026-11-23t09:20:36z",
        "2026-11-23 09:20:36+00",
    ],
)
def test_times_of_every_sdk(text: str) -> None:
    assert parse_time(text, "Request-Time") == datetime(2026, 11, 23, 9, 20, 36, tzinfo=UTC)


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert parse_time("2026-11-23T09:20:36.1234567Z", "f").microsecond == 123456
    assert parse_time("1795425636789", "f").microsecond == 789000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T09:20:36",
        "2026-13-01T00:00:00Z",
        "2026-W48-1",
        "12345",
        "-1795425636000",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1795425636000.5",
        "１７９５４２５６３６０００",
        "2026-11-23T25:00:00Z",
    ],
)
def test_times_that_name_no_instant_are_refused(text: str) -> None:
    with pytest.raises(ParamIllegal) as refusal:
        parse_time(text, "Request-Time")
    assert refusal.value.field == "Request-Time"


def test_times_go_out_in_utc() -> None:
    instant = datetime(2026, 11, 23, 9, 20, 36, 999, tzinfo=UTC) + timedelta()
    assert format_time(instant) == "2026-11-23T09:20:36+00:00"


def test_statuses_and_messages() -> None:
    unknown = {code.value for code in ResultCode if code.status is ResultStatus.UNKNOWN}
    assert unknown == {
        "PAYMENT_IN_PROCESS", "REFUND_IN_PROCESS", "CAPTURE_IN_PROCESS", "VERIFICATION_IN_PROCESS",
        "UNKNOWN_EXCEPTION", "REQUEST_TRAFFIC_EXCEED_LIMIT",
    }  # fmt: skip
    assert [code for code in ResultCode if code.status is ResultStatus.SUCCESS] == [ResultCode.SUCCESS]
    assert all(0 < len(code.message) <= 256 and len(code.value) <= 64 for code in ResultCode)
    assert ResultCode.SUCCESS.message == "success"
