"""The live model, asked about an upload: rows in requests of a bounded size, or a whole file at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import IO, TypeVar

from adapters.errors import ModelRefused
from adapters.ordered_map import ordered_map
from adapters.ports import ModelServer, Response
from adapters.retry import RetryPolicy
from scoring.upload.formats.parquet import check_response
from scoring.upload.formats.result import ResultWriter
from scoring.upload.formats.table import Chunk, Table, chunks, halves
from scoring.upload.kit.errors import ModelChanged
from scoring.upload.kit.responses import Counts, rejected_row, row_responses, unscorable_of

IN_FLIGHT = 4
"""Requests at a time for one upload; the queue's concurrency multiplies it."""

Request = TypeVar("Request")
Result = TypeVar("Result")


@dataclass(frozen=True)
class EndpointScorer:
    """Asks while there is time.

    Both ways of scoring write a result to `out` and count its rows. They raise Unscorable where
    the model says that the upload is not its table, and a Fault or AwsError where it did not say,
    this time.
    """

    server: ModelServer
    retry: RetryPolicy

    def score_rows(self, table: Table, out: IO[bytes]) -> Counts:
        """Score a table's rows in order, several requests at a time."""
        writer = table.result(out)
        try:
            self._fill(writer, table)
        except ModelRefused as refusal:
            raise _judged(refusal, table, answered=writer.rows > 0) from refusal
        writer.finish()
        return Counts(writer.scored, writer.rejected, writer.unseen)

    def score_whole(self, body: bytes, content_type: str, out: IO[bytes]) -> Counts:
        """Score a file whose answer is its result."""
        with closing(self._asked(partial(self._answer, content_type), [body])) as answered:
            try:
                ((_, answer),) = answered
            except ModelRefused as refusal:
                raise unscorable_of(refusal) or refusal from refusal
        counts = check_response(answer)
        out.write(answer.body)
        return counts

    def _fill(self, writer: ResultWriter, table: Table) -> None:
        above = table.header_is_accepted
        requests = chunks(table, request_bytes=self.server.max_bytes)
        with closing(self._asked(partial(self._answers, table), requests)) as answered:
            for chunk, answer in (part for _, parts in answered for part in parts):
                answers = row_responses(answer, above + len(chunk.rows))[above:]
                for row, given in zip(chunk.rows, answers, strict=True):
                    response = rejected_row(row.flaw, given) if row.flaw else given
                    writer.write(row.own, response, answer.model_version)

    def _asked(
        self, ask: Callable[[Request], Result], requests: Iterable[Request]
    ) -> Generator[tuple[Request, Result]]:
        remaining_seconds = self.retry.remaining_seconds
        return ordered_map(ask, requests, in_flight=IN_FLIGHT, remaining_seconds=remaining_seconds)

    def _answers(self, table: Table, chunk: Chunk) -> list[tuple[Chunk, Response]]:
        """The answer to a request, or to parts of it where it is longer than an answer may be."""
        try:
            return [(chunk, self._answer(table.content_type, chunk.body))]
        except ModelRefused as refusal:
            if refusal.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or len(chunk.rows) == 1:
                raise
        return [each for half in halves(chunk, table) for each in self._answers(table, half)]

    def _answer(self, content_type: str, body: bytes) -> Response:
        return self.retry(lambda: self.server.predict(body, content_type))


def _judged(refusal: ModelRefused, table: Table, *, answered: bool) -> Exception:
    unscorable = unscorable_of(refusal)
    if unscorable is None:
        return refusal
    if answered:
        # The model before scored rows of this very table.
        return ModelChanged("a model went live in the middle of the file that needs other columns")
    # What the model refuses is the header, which is the first line of every request.
    return replace(unscorable, line=table.header_line)
