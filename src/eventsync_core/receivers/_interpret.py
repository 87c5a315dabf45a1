"""The meaning of every answer: one pure, total function (wire contract: docs/batch-contract.md)."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from eventsync_core.codec import read_unambiguous
from eventsync_core.ids import one_line
from eventsync_core.receivers._answer import Answer, Detail, Next, Verdict
from eventsync_core.receivers._model import Effect, Outcome
from eventsync_core.receivers._results import (
    REASONS,
    Results,
    category_of,
    reason_given,
    refuses_project,
    respelt,
)
from eventsync_core.receivers._retry import read_wait
from eventsync_core.targets import Limits, read_limits

_REFUSALS_OF_THE_CALLER = frozenset({401, 403, 429})
_TOO_LARGE = ("too large", "oversized")
_LONGEST_LINE = 300
_BATCH_ANSWER = b'"results"'


def interpret(sent: Sequence[str], answer: Answer) -> Verdict:
    """
    Say what *answer* means for the event ids *sent*, one outcome each, in order.

    Delivered needs a positive acknowledgement of that very id; whatever the status, headers
    and body, this neither raises nor invents a delivery.
    """
    if answer.status is None:
        return _no_answer(sent, answer)
    document = _document(answer)
    verdict = _by_status(sent, answer.status, document, answer)
    return attrs.evolve(verdict, status=answer.status)


def _by_status(sent: Sequence[str], status: int, document: Any, answer: Answer) -> Verdict:
    if 200 <= status < 300:
        return _accepted(sent, document, answer)
    if status in (400, 422):
        return _refused(sent, status, document)
    if status == 413:
        return _too_large(sent, document)
    if status == 410:
        return _all(sent, Outcome.TRANSIENT, Effect.NONE, Next.PAUSE_TARGET, "410: it is gone")
    if 300 <= status < 400:
        place = _line(answer.headers.get("location", "elsewhere"))
        return _all(
            sent,
            Outcome.TRANSIENT,
            Effect.NONE,
            Next.PROTOCOL,
            f"{status}: it redirects to {place}; redirects are not followed",
        )
    if status in _REFUSALS_OF_THE_CALLER:
        return _fault(sent, answer, document, Effect.NONE)
    if status == 408 or 500 <= status < 600:
        return _fault(sent, answer, document, Effect.UNKNOWN)
    effect, unsaid = Effect.UNKNOWN, "an answer this program does not know"
    if status == 412:
        effect, unsaid = Effect.NONE, "the server does not take what this version sends"
    guidance = _guidance(document) or unsaid
    return _all(sent, Outcome.TRANSIENT, effect, Next.PROTOCOL, f"{status}: {guidance}")


def _all(
    sent: Sequence[str], outcome: Outcome, effect: Effect, then: Next, guidance: str
) -> Verdict:
    return Verdict(outcomes=(outcome,) * len(sent), next=then, effect=effect, guidance=guidance)


def _fault(sent: Sequence[str], answer: Answer, document: Any, effect: Effect) -> Verdict:
    said = reason_given(document)
    guidance = f"{answer.status}: {said}" if said else f"the server answered {answer.status}"
    wait = _line(answer.headers.get("retry-after", ""))
    if wait:
        guidance += f"; it asks to wait until {wait}" if ":" in wait else f"; it asks for {wait} s"
    asked = read_wait(answer.headers, document)
    return attrs.evolve(
        _all(sent, Outcome.TRANSIENT, effect, Next.BACK_OFF, guidance),
        retry_after=asked.after,
        retry_at=asked.at,
    )


def _no_answer(sent: Sequence[str], answer: Answer) -> Verdict:
    fault = _line(answer.fault) or "no answer"
    if answer.reached:
        return _all(sent, Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN, Next.BACK_OFF, fault)
    verdict = _all(sent, Outcome.TRANSIENT, Effect.NONE, Next.BACK_OFF, fault)
    return attrs.evolve(verdict, no_connection=answer.no_connection)


def _accepted(sent: Sequence[str], document: Any, answer: Answer) -> Verdict:
    if answer.exceeds and len(sent) > 1 and _BATCH_ANSWER in answer.body[:_LONGEST_LINE]:
        return _answered_at_length(sent, answer)
    listed = document.get("results") if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or not answer.is_whole:
        what = "an answer that breaks off" if not answer.is_whole else "no batch answer"
        return _all(
            sent,
            Outcome.UNKNOWN_EFFECT,
            Effect.UNKNOWN,
            Next.PROTOCOL,
            f"{answer.status}: {what}; is this really an event endpoint?",
        )
    return Results(listed).verdict(sent)


def _answered_at_length(sent: Sequence[str], answer: Answer) -> Verdict:
    """
    Return what a batch answer means that is larger than the reader's bound.

    What it says of each event cannot be known. Batches half as large get answers half as
    large, so the drain goes on with these; a single event has nothing to halve.
    """
    guidance = f"{answer.status}: the answer to {len(sent)} events is too large to be read"
    verdict = _all(sent, Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN, Next.GO_ON, guidance)
    return attrs.evolve(verdict, limits=Limits(max_events=len(sent) // 2))


def _refused(sent: Sequence[str], status: int, document: Any) -> Verdict:
    listed, plain = _details(document)
    said = _said(document, plain) or f"the server answered {status}"
    named = _named(sent, listed, said)
    if not named:
        if _says_too_large(document, plain):
            return _too_large(sent, document)
        if len(sent) == 1:
            detail = Detail(said, category_of(document))
            return Verdict(
                outcomes=(Outcome.REJECTED,),
                next=Next.GO_ON,
                effect=Effect.ANSWERED,
                details={0: detail},
                pauses_grant=refuses_project(detail),
            )
        return _all(sent, Outcome.TRANSIENT, Effect.NONE, Next.BISECT, f"{status}: {said}")
    return Verdict(
        outcomes=tuple(
            Outcome.REJECTED if index in named else Outcome.TRANSIENT for index in range(len(sent))
        ),
        next=Next.RESEND_REST if len(named) < len(sent) else Next.GO_ON,
        effect=Effect.NONE,
        details=named,
        guidance=f"{status}: {said}",
        pauses_grant=any(refuses_project(detail) for detail in named.values()),
    )


def _details(document: Any) -> tuple[list[Any], str]:
    """Return the `details` of a refusal: a list, that list as a JSON text, or plain text."""
    details = document.get("details") if isinstance(document, Mapping) else None
    if isinstance(details, list):
        return details, ""
    if not isinstance(details, str):
        return [], ""
    try:
        read = read_unambiguous(details)
    except ValueError:
        return [], _line(details)
    return (read, "") if isinstance(read, list) else ([], _line(details))


def _said(document: Any, plain: str) -> str:
    """Return the reason of a refusal, with the `details` that are *plain* text."""
    said = reason_given(document)
    return said if plain in said else f"{said}: {plain}" if said else plain


def _says_too_large(document: Any, plain: str) -> bool:
    if not isinstance(document, Mapping):
        return False
    texts = [plain, *(text for key in REASONS if isinstance(text := document.get(key), str))]
    return any(mark in text.lower() for text in texts for mark in _TOO_LARGE)


def _named(sent: Sequence[str], details: Sequence[Any], said: str) -> dict[int, Detail]:
    """Return what the *details* of a refusal say of events that were sent."""
    listed: dict[str, Detail] = {}
    for item in details:
        if _has_text_id(item) and item["event_id"] not in listed:
            listed[item["event_id"]] = Detail(reason_given(item) or said, category_of(item))
    listed_as = respelt(sent, listed)
    names = [listed_as.get(event_id, event_id) for event_id in sent]
    return {index: listed[name] for index, name in enumerate(names) if name in listed}


def _has_text_id(item: object) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("event_id"), str)


def _too_large(sent: Sequence[str], document: Any) -> Verdict:
    limits = read_limits(document.get("limits")) if isinstance(document, Mapping) else None
    if len(sent) > 1:
        verdict = _all(sent, Outcome.TRANSIENT, Effect.NONE, Next.HALVE, "the batch is too large")
        return attrs.evolve(verdict, limits=limits)
    said = reason_given(document) or "the server says it is too large"
    if limits is not None and limits.max_bytes is not None:
        said += f"; its limit is {limits.max_bytes} bytes"
    return Verdict(
        outcomes=(Outcome.TERMINAL_FAILED,) * len(sent),
        next=Next.GO_ON,
        effect=Effect.NONE,
        details={index: Detail(said, "oversized_event") for index in range(len(sent))},
        limits=limits,
    )


def _document(answer: Answer) -> Any:
    try:
        return read_unambiguous(answer.body)
    except ValueError:
        return None


def _guidance(document: Any) -> str:
    """Return what the server tells a person: upgrade guidance, else its description."""
    if not isinstance(document, Mapping):
        return ""
    protocol = document.get("sync_protocol")
    for text in (
        protocol.get("upgrade_guidance") if isinstance(protocol, Mapping) else None,
        document.get("error_description"),
    ):
        if isinstance(text, str) and text.strip():
            return _line(text)
    code = document.get("error_code")
    return reason_given(document) or (_line(code) if isinstance(code, str) else "")


def _line(text: str) -> str:
    return one_line(text, _LONGEST_LINE)
