"""Twenty thousand answers, most of them nearly right: none invents a delivery."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import attrs
import pytest

from eventsync_core.receivers import Answer, Next, Outcome, Verdict, interpret

_COUNT = 20_000
_PARTS = 10
_IDS = (
    "e-1",
    "e-2",
    "E-1",
    "Ünï",
    " e",
    "01JMBYAAAAAAAAAAAAAAAAAAAA",
    "01jmbyaaaaaaaaaaaaaaaaaaab",
    "0e8c6c2a-5b7f-4c39-9e0a-1b2c3d4e5f60",
    "0E8C6C2A5B7F4C399E0A1B2C3D4E5F61",
)
_GOOD = ("success", "accepted", "warning", "duplicate", "SUCCESS", " Duplicate\n")
_WORDS = (*_GOOD, "pending", "queued", "rejected", "stored", "succes", "", "not success")
_ODD: tuple[Any, ...] = (None, 0, 1, True, "", [], {}, ["success"], {"status": "success"}, 1e308)
_STATUSES = (200, 200, 200, 200, 201, 202, 207, 204, 299, 199, 300, 301, 400, 401, 403, 404, 408)
_FAULTS = (410, 412, 413, 422, 429, 500, 503, 599, 600, -1)
_CATEGORIES = ("project_refused", "schema_mismatch", 5)
_MEANINGS = {"pending": "pending", "queued": "pending", "rejected": "rejected"}

Item = dict[str, Any]


@attrs.frozen
class Case:
    """What was sent, what came back, and whether nothing was spoilt on the way."""

    sent: tuple[str, ...]
    answer: Answer
    words: tuple[str, ...]
    is_clean: bool


def _drop(rng: Random, items: list[Any]) -> None:
    items.pop(rng.randrange(len(items)))


def _repeat(rng: Random, items: list[Any]) -> None:
    items.insert(rng.randrange(len(items) + 1), rng.choice(items))


def _contradict(rng: Random, items: list[Any]) -> None:
    items.append({**_some(rng, items), "status": rng.choice(_WORDS)})


def _add_foreign(rng: Random, items: list[Any]) -> None:
    items.append({"event_id": rng.choice(("e-3", "", "e-1 ", "x" * 300)), "status": "success"})


def _respell(rng: Random, items: list[Any]) -> None:
    item = _some(rng, items)
    spell: Callable[[str], str] = rng.choice(
        (str.upper, str.lower, str.swapcase, lambda text: text.replace("-", ""), str.strip)
    )
    items[items.index(item)] = {**item, "event_id": spell(str(item.get("event_id")))}


def _change_word(rng: Random, items: list[Any]) -> None:
    item = _some(rng, items)
    items[items.index(item)] = {**item, "status": rng.choice((*_WORDS, *_ODD))}


def _change_id(rng: Random, items: list[Any]) -> None:
    item = _some(rng, items)
    items[items.index(item)] = {**item, "event_id": rng.choice((*_IDS, *_ODD))}


def _lose_key(rng: Random, items: list[Any]) -> None:
    item = _some(rng, items)
    kept = {key: value for key, value in item.items() if key != rng.choice(("event_id", "status"))}
    items[items.index(item)] = kept


def _replace(rng: Random, items: list[Any]) -> None:
    items[rng.randrange(len(items))] = rng.choice(_ODD)


def _shuffle(rng: Random, items: list[Any]) -> None:
    rng.shuffle(items)


_SPOIL_LIST = (
    _drop,
    _repeat,
    _contradict,
    _add_foreign,
    _respell,
    _change_word,
    _change_id,
    _lose_key,
    _replace,
    _shuffle,
)


def _some(rng: Random, items: list[Any]) -> Item:
    if not any(isinstance(item, dict) for item in items):
        items.append({})
    return rng.choice([item for item in items if isinstance(item, dict)])


def _document(rng: Random, items: list[Any]) -> Any:
    """Return a document around the list, at times another one."""
    kind = rng.randrange(12)
    if kind == 0:
        return {"Results": items}
    if kind == 1:
        return {"results": {str(index): item for index, item in enumerate(items)}}
    if kind == 2:
        return [{"results": items}]
    if kind == 3:
        return {"results": json.dumps(items)}
    if kind == 4:
        return {"data": {"results": items}}
    details = rng.choice((items, json.dumps(items), "too large", None, [items], {"x": items}))
    limits = {"max_events_per_batch": rng.choice((0, 5, 10**40, "x", None, True))}
    more = {"error": rng.choice(("no", "oversized", None, 5)), "limits": rng.choice((limits, 5))}
    return {"details": details, **more, "results": items}


def _spoilt_text(rng: Random, body: bytes) -> bytes:
    kind, at = rng.randrange(8), rng.randrange(len(body) + 1)
    if kind == 0:
        return body[:at]
    if kind == 1:
        return body[:at] + rng.randbytes(rng.randint(1, 3)) + body[at:]
    if kind == 2:
        return body[:at] + body[at + 1 :]
    if kind == 3:
        return body + rng.choice((b"\n", b"}", b"{}", b"\x00"))
    if kind == 4:
        return b"\xef\xbb\xbf" + body
    if kind == 5:
        return body.replace(b'"status"', b'"status":"rejected","status"', 1)
    if kind == 6:
        return body.replace(b'"results"', b'"results":[],"results"', 1)
    return body.decode("utf-8").encode("utf-16")


def _case(seed: int) -> Case:
    rng = Random(seed)
    sent = tuple(rng.sample(_IDS, rng.randint(1, len(_IDS))))
    words = tuple(rng.choice(_WORDS) if rng.random() < 0.4 else rng.choice(_GOOD) for _ in sent)
    items: list[Any] = []
    for event_id, word in zip(sent, words, strict=True):
        item: Item = {"event_id": event_id, "status": word}
        if rng.random() < 0.2:
            item["error"] = rng.choice(("why", None, "\ud800", 5))
            item["code"] = rng.choice(_CATEGORIES)
        items.append(item)
    is_clean = rng.random() < 0.2
    if is_clean:
        body = json.dumps({"results": items}).encode()
        return Case(sent, Answer(status=rng.choice((200, 201, 207)), body=body), words, is_clean)
    for _ in range(rng.randint(0, 3)):
        if items:
            rng.choice(_SPOIL_LIST)(rng, items)
    body = json.dumps(_document(rng, items)).encode()
    if rng.random() < 0.3:
        body = _spoilt_text(rng, body)
    answer = Answer(
        status=rng.choice((*_STATUSES, *_FAULTS, None)) if rng.random() < 0.5 else 200,
        headers={"Retry-After": rng.choice(("5", "-1", "x", "9" * 40))},
        body=body,
        is_whole=rng.random() > 0.05,
        exceeds=rng.random() < 0.02,
    )
    return Case(sent, answer, words, is_clean)


def _letters(text: object) -> str:
    return "".join(c for c in str(text) if c.isalnum()).lower()


def _pairs(pairs: list[tuple[str, Any]]) -> Any:
    """Read an object as the list of its pairs where a key stands twice."""
    return dict(pairs) if len(dict(pairs)) == len(pairs) else pairs


def _is_acknowledged(event_id: str, answer: Answer) -> bool:
    """
    Say, dumbly and apart from the program, whether the answer takes that very event.

    Everything the answer says under its id has to be a positive word; a long id may also be
    spelt otherwise, as long as nothing stands under the exact one.
    """
    if answer.status is None or answer.status // 100 != 2 or not answer.is_whole:
        return False
    try:
        document = json.loads(answer.body, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        return False
    items = [item for item in document["results"] if isinstance(item, dict)]
    said = [item.get("status") for item in items if item.get("event_id") == event_id]
    if not said and len(event_id) >= 26:
        wanted = _letters(event_id)
        said = [item.get("status") for item in items if _letters(item.get("event_id")) == wanted]
    return bool(said) and all(
        isinstance(word, str) and word.lower().strip() in _GOOD[:4] for word in said
    )


def _complaints(case: Case, verdict: Verdict) -> Iterator[str]:
    if len(verdict.outcomes) != len(case.sent):
        yield "not one outcome per event"
    for event_id, outcome in zip(case.sent, verdict.outcomes, strict=False):
        if outcome.is_delivered and not _is_acknowledged(event_id, case.answer):
            yield f"{event_id!r} was not acknowledged"
    if not set(verdict.details) <= set(range(len(case.sent))):
        yield "a detail of no event"
    if not verdict.guidance.isprintable() or any(
        not text.isprintable()
        for detail in verdict.details.values()
        for text in (detail.reason, detail.category or "")
    ):
        yield "a text that cannot be printed"
    if Outcome.TERMINAL_FAILED in verdict.outcomes and case.answer.status not in (400, 413, 422):
        yield "parked without a reason"
    if Outcome.REJECTED in verdict.outcomes and verdict.next is Next.HALVE:
        yield "an event blamed for the size of its batch"
    if case.is_clean and [outcome.value for outcome in verdict.outcomes] != _plain(case.words):
        yield "a plain answer misread"


def _plain(words: tuple[str, ...]) -> list[str]:
    positive = dict.fromkeys(("success", "accepted", "warning"), "success")
    known = {**positive, "duplicate": "duplicate", **_MEANINGS}
    return [known.get(word.strip().lower(), "unknown_effect") for word in words]


@pytest.mark.requirement("M1")
@pytest.mark.requirement("M5")
@pytest.mark.requirement("M6")
@pytest.mark.parametrize(
    "part",
    [
        part if part < _PARTS // 3 else pytest.param(part, marks=pytest.mark.long)
        for part in range(_PARTS)
    ],
)
def test_no_answer_is_misread(part: int) -> None:
    """Never an error, one outcome per event, delivered only what was acknowledged by its id."""
    delivered = 0
    for seed in range(part, _COUNT, _PARTS):
        case = _case(seed)
        try:
            verdict = interpret(case.sent, case.answer)
        except Exception as error:
            raise AssertionError(f"seed {seed} raised: {case}") from error
        wrong = list(_complaints(case, verdict))
        assert not wrong, f"seed {seed}: {wrong} of {case} as {verdict}"
        delivered += sum(outcome.is_delivered for outcome in verdict.outcomes)

    assert delivered > _COUNT // _PARTS  # the answers are not all broken
