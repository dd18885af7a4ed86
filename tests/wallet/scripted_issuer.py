"""An issuer for tests that behaves as it is told: late, lost, lying, and the same seen from every process.

Its books are one SQLite file. A test writes with `script` what happens to the calls about one payment
code, verb by verb; gateways and workers in other processes reach it through `connect`, which is what the
table of issuers names:

    COMPTOIR_ISSUERS = {"SCRIPTED": {
        "connector": "tests.wallet.scripted_issuer.connect", "prefixes": ["2599"],
        "options": {"path": "/some/folder/issuer.sqlite"}}}

Each call takes the next act of its script; the last one stays. Without a script every call is PLAIN. The
truth (`truth`, `moved`) is what the books say, whatever was answered. CNY at 8 to the unit of the charge.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from comptoir.kernel.money import Money
from comptoir.wallet.api import (
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerAnswer,
    RefundRequest,
    errors,
)

_TABLES = """
CREATE TABLE IF NOT EXISTS script (code TEXT, verb TEXT, acts TEXT, PRIMARY KEY (code, verb));
CREATE TABLE IF NOT EXISTS call (n INTEGER PRIMARY KEY, verb TEXT, id TEXT, act TEXT);
CREATE TABLE IF NOT EXISTS authorization (
    id TEXT PRIMARY KEY, code TEXT, charge INTEGER, currency TEXT, state TEXT, reason TEXT,
    back INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS refund (id TEXT PRIMARY KEY, authorization_id TEXT, amount INTEGER);
"""

#: Wallet minor units (fen) for one minor unit of a charge with two decimals.
PRICE = 8


class Act(StrEnum):
    """What happens to one call."""

    PLAIN = "plain"
    """It is done and the true answer comes back."""
    REFUSE = "refuse"
    """The wallet says no, for good."""
    ASK = "ask"
    """The traveller is asked: PENDING, until `decide`."""
    LOST = "lost"
    """The request never arrives; we time out: UNKNOWN."""
    ANSWER_LOST = "answer_lost"
    """It is done, but the answer never arrives: UNKNOWN."""
    LATE = "late"
    """UNKNOWN now; it is done by the next call about the same authorization, whatever that asks."""
    LIE_FAILED = "lie_failed"
    """It is done, and the answer says that it failed."""
    LIE_SUCCEEDED = "lie_succeeded"
    """It is not done, and the answer says that it was."""
    HANG = "hang"
    """It is done, and no answer ever comes: only a deadline of the caller's ends the call."""
    BREAK = "break"
    """The connector itself raises."""


class ScriptedIssuer:
    """The connector, and for the test the script and the truth behind it."""

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)
        with self._books() as books:
            for statement in _TABLES.split(";"):
                books.execute(statement)

    # ------------------------------------------------------------ for the test

    def script(self, code: str, **acts: list[Act]) -> None:
        """What happens to the calls about `code`, by verb: authorise, query, reverse, refund."""
        with self._books() as books:
            for verb, wanted in acts.items():
                books.execute("REPLACE INTO script VALUES (?, ?, ?)", (code, verb, json.dumps(wanted)))

    def decide(self, authorization_id: UUID, approved: bool) -> None:
        """The traveller answers what they were asked."""
        with self._books() as books:
            if approved:
                books.execute(
                    "UPDATE authorization SET state = 'paid' WHERE id = ? AND state = 'asked'",
                    (authorization_id.hex,),
                )
            else:
                books.execute(
                    "UPDATE authorization SET state = 'failed', reason = ? WHERE id = ? AND state = 'asked'",
                    (errors.DECLINED, authorization_id.hex),
                )

    def truth(self, authorization_id: UUID) -> str | None:
        """State in the issuer's books: late, asked, paid, failed, reversed, barred, or None if never seen."""
        row = self._row(authorization_id)
        return None if row is None else str(row["state"])

    def moved(self, authorization_id: UUID) -> int:
        """What the traveller is truly out of pocket, in minor units of the charge."""
        row = self._row(authorization_id)
        return 0 if row is None or row["state"] != "paid" else int(row["charge"]) - int(row["back"])

    def authorizations(self, code: str) -> list[UUID]:
        """Every authorization that was ever asked for with `code`: the engine chooses the ids."""
        with self._books() as books:
            rows = books.execute("SELECT id FROM authorization WHERE code = ?", (code,)).fetchall()
        return [UUID(row["id"]) for row in rows]

    def calls(self) -> list[tuple[str, UUID, Act]]:
        """Every call so far, from every process, in order."""
        with self._books() as books:
            rows = books.execute("SELECT verb, id, act FROM call ORDER BY n").fetchall()
        return [(row["verb"], UUID(row["id"]), Act(row["act"])) for row in rows]

    # ------------------------------------------------------------ the connector

    async def authorise(self, request: AuthoriseRequest) -> IssuerAnswer:
        def work(books: sqlite3.Connection, act: Act) -> None:
            books.execute(
                "INSERT OR IGNORE INTO authorization (id, code, charge, currency, state, reason)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    request.authorization_id.hex,
                    request.code,
                    request.charge.minor,
                    request.charge.currency,
                    {Act.REFUSE: "failed", Act.ASK: "asked", Act.LATE: "late"}.get(act, "paid"),
                    errors.DECLINED if act is Act.REFUSE else None,
                ),
            )

        return await self._call("authorise", request.authorization_id, request.code, work)

    async def query(self, asked: Authorization) -> IssuerAnswer:
        return await self._call("query", asked.authorization_id, None, lambda books, act: None)

    async def reverse(self, asked: Authorization) -> IssuerAnswer:
        authorization_id = asked.authorization_id

        def work(books: sqlite3.Connection, act: Act) -> None:
            if act is Act.REFUSE:
                return
            books.execute(
                "INSERT OR IGNORE INTO authorization (id, state, reason) VALUES (?, 'barred', ?)",
                (authorization_id.hex, errors.CANCELLED),
            )
            books.execute(
                "UPDATE authorization SET state = 'reversed', reason = ?"
                " WHERE id = ? AND state IN ('paid', 'asked')",
                (errors.CANCELLED, authorization_id.hex),
            )

        return await self._call("reverse", authorization_id, None, work)

    async def refund(self, request: RefundRequest) -> IssuerAnswer:
        ident, back = request.authorization_id.hex, request.amount.minor

        def work(books: sqlite3.Connection, act: Act) -> None:
            row = _find(books, request.authorization_id)
            known = books.execute("SELECT 1 FROM refund WHERE id = ?", (request.refund_id.hex,)).fetchone()
            fits = row is not None and row["state"] == "paid" and row["back"] + back <= row["charge"]
            if act is Act.REFUSE or known or not fits:
                return
            books.execute("INSERT INTO refund VALUES (?, ?, ?)", (request.refund_id.hex, ident, back))
            books.execute("UPDATE authorization SET back = back + ? WHERE id = ?", (back, ident))

        return await self._call("refund", request.authorization_id, None, work, request)

    async def aclose(self) -> None:
        """Nothing is held between calls."""

    # ------------------------------------------------------------ how it works

    async def _call(
        self,
        verb: str,
        authorization_id: UUID,
        code: str | None,
        work: Any,
        refund: RefundRequest | None = None,
    ) -> IssuerAnswer:
        with self._books() as books:
            act = self._next_act(books, verb, authorization_id, code)
            books.execute(
                "INSERT INTO call (verb, id, act) VALUES (?, ?, ?)", (verb, authorization_id.hex, act)
            )
            books.execute(
                "UPDATE authorization SET state = 'paid' WHERE id = ? AND state = 'late'",
                (authorization_id.hex,),
            )
            if act not in (Act.LOST, Act.LIE_SUCCEEDED, Act.BREAK):
                work(books, act)
            answer = self._answer(books, verb, authorization_id, refund)
        if act is Act.BREAK:
            raise RuntimeError("the connector broke, as scripted")
        if act is Act.HANG:
            await asyncio.Event().wait()
        if act in (Act.LOST, Act.ANSWER_LOST, Act.LATE):
            return IssuerAnswer(state=AnswerState.UNKNOWN)
        if act is Act.LIE_FAILED:
            return IssuerAnswer(state=AnswerState.FAILED, code=errors.DECLINED)
        if act is Act.LIE_SUCCEEDED:
            amount = Money(PRICE, "CNY")
            return IssuerAnswer(state=AnswerState.SUCCEEDED, wallet_amount=amount, issuer_ref="never")
        return answer

    def _next_act(
        self, books: sqlite3.Connection, verb: str, authorization_id: UUID, code: str | None
    ) -> Act:
        known = _find(books, authorization_id)
        about = code or (known["code"] if known else None)
        row = books.execute("SELECT acts FROM script WHERE code = ? AND verb = ?", (about, verb)).fetchone()
        acts = json.loads(row["acts"]) if row else [Act.PLAIN]
        if len(acts) > 1:
            books.execute(
                "UPDATE script SET acts = ? WHERE code = ? AND verb = ?", (json.dumps(acts[1:]), about, verb)
            )
        return Act(acts[0])

    def _answer(
        self, books: sqlite3.Connection, verb: str, authorization_id: UUID, refund: RefundRequest | None
    ) -> IssuerAnswer:
        """The truth, as an answer to `verb`."""
        row = _find(books, authorization_id)
        if row is None or row["state"] == "late":
            return IssuerAnswer(state=AnswerState.UNKNOWN)
        if refund is not None:
            done = books.execute("SELECT amount FROM refund WHERE id = ?", (refund.refund_id.hex,)).fetchone()
            return (
                _succeeded(refund.refund_id, done["amount"]) if done else _failed(errors.AUTHORIZATION_CLOSED)
            )
        if verb == "reverse":
            undone = row["state"] in ("reversed", "barred", "failed")
            return _succeeded(authorization_id, 0) if undone else _failed(errors.AUTHORIZATION_CLOSED)
        match row["state"]:
            case "paid":
                return _succeeded(authorization_id, row["charge"])
            case "asked":
                return IssuerAnswer(state=AnswerState.PENDING, issuer_ref=_ref(authorization_id))
            case _:
                return _failed(row["reason"])

    def _row(self, authorization_id: UUID) -> sqlite3.Row | None:
        with self._books() as books:
            return _find(books, authorization_id)

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """One immediate transaction: processes wait for each other."""
        books = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        books.row_factory = sqlite3.Row
        try:
            books.execute("BEGIN IMMEDIATE")
            yield books
            books.execute("COMMIT")
        finally:
            books.close()


def connect(path: str) -> ScriptedIssuer:
    """What the table of issuers names."""
    return ScriptedIssuer(path)


def _find(books: sqlite3.Connection, authorization_id: UUID) -> sqlite3.Row | None:
    rows = books.execute("SELECT * FROM authorization WHERE id = ?", (authorization_id.hex,))
    return next(iter(rows.fetchall()), None)


def _ref(ident: UUID) -> str:
    return f"scripted-{ident.hex[-12:]}"


def _succeeded(ident: UUID, charge: int) -> IssuerAnswer:
    return IssuerAnswer(
        state=AnswerState.SUCCEEDED,
        wallet_amount=Money(charge * PRICE, "CNY"),
        issuer_ref=_ref(ident),
        decided_at=datetime.now(UTC),
    )


def _failed(code: str) -> IssuerAnswer:
    return IssuerAnswer(state=AnswerState.FAILED, code=code)
