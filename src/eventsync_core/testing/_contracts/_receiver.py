from collections.abc import Callable, Sequence
from threading import Thread

import pytest

from eventsync_core.codec import read_document, write_document
from eventsync_core.events import read_event
from eventsync_core.receivers import (
    DeliveryReceiver,
    Effect,
    Next,
    Outcome,
    RequestRule,
    Script,
    Verdict,
)
from eventsync_core.testing._builders import make_batch, make_event, make_events

Arrived = Callable[[], Sequence[tuple[str, ...]]]
"""Tells the event ids of each request that arrived, in order."""

_STATUSES = (301, 401, 403, 404, 408, 410, 412, 429, 500, 503)


class ReceiverContract:
    """
    Subclass, and every promise of `DeliveryReceiver` is checked.

    Provide the fixtures `receiver` with all its gates open, `script`, which its other end
    obeys and which holds nothing yet, and `arrived`, a callable that tells the ids of each
    request that arrived.
    """

    def test_it_reaches_one_target(self, receiver: DeliveryReceiver, arrived: Arrived) -> None:
        """A batch for another is refused, and nothing is sent."""
        with pytest.raises(ValueError, match="target"):
            receiver.deliver(make_batch("tgt_another", make_event()))

        assert list(arrived()) == []

    def test_looking_at_gates_and_limits_sends_nothing(
        self, receiver: DeliveryReceiver, arrived: Arrived
    ) -> None:
        """Both are told without a request, and no gate is closed."""
        assert list(receiver.closed_gates()) == []
        assert receiver.limits().max_events > 0
        assert list(arrived()) == []

    def test_a_batch_is_one_request(self, receiver: DeliveryReceiver, arrived: Arrived) -> None:
        """Its events arrive together and in order."""
        receiver.deliver(make_batch(receiver.target_id, *make_events(3)))

        assert list(arrived()) == [("e1", "e2", "e3")]

    def test_packing_sends_nothing(self, receiver: DeliveryReceiver, arrived: Arrived) -> None:
        """It codes the body once and names the same events; a packed batch stays as it is."""
        batch = make_batch(receiver.target_id, *make_events(2))

        packed = receiver.pack(batch)

        assert packed.coded is not None
        assert (packed.event_ids, packed.permit) == (batch.event_ids, batch.permit)
        assert receiver.pack(packed) == packed
        assert list(arrived()) == []

    def test_a_packed_batch_is_delivered(
        self, receiver: DeliveryReceiver, arrived: Arrived
    ) -> None:
        """Like one that was not packed before."""
        verdict = receiver.deliver(receiver.pack(make_batch(receiver.target_id, *make_events(2))))

        assert verdict.outcomes == (Outcome.SUCCESS,) * 2
        assert list(arrived()) == [("e1", "e2")]

    def test_a_batch_is_packed_while_another_is_delivered(self, receiver: DeliveryReceiver) -> None:
        """Both are what they would be one after the other."""
        batches = [
            receiver.pack(make_batch(receiver.target_id, make_event(f"e{number}")))
            for number in range(20)
        ]
        verdicts: list[Verdict] = []
        sender = Thread(target=lambda: verdicts.extend(map(receiver.deliver, batches)))
        sender.start()
        packed = [receiver.pack(make_batch(receiver.target_id, *make_events(3))) for _ in batches]
        sender.join()

        assert [verdict.outcomes for verdict in verdicts] == [(Outcome.SUCCESS,)] * len(batches)
        assert len({batch.coded for batch in packed}) == 1

    def test_asking_who_it_is_delivers_nothing(
        self, receiver: DeliveryReceiver, arrived: Arrived
    ) -> None:
        """It answers with a document or with nothing, and never with a fault."""
        document = receiver.health()

        assert document is None or read_document(write_document(document)) == document
        assert list(arrived()) == []

    def test_new_events_are_delivered(self, receiver: DeliveryReceiver) -> None:
        """One outcome each, and the drain goes on."""
        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(3)))

        assert verdict.outcomes == (Outcome.SUCCESS,) * 3
        assert Next.GO_ON is verdict.next

    def test_what_the_target_has_is_a_duplicate(self, receiver: DeliveryReceiver) -> None:
        """Delivered as well, and told apart."""
        receiver.deliver(make_batch(receiver.target_id, make_event("e1")))

        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(2)))

        assert verdict.outcomes == (Outcome.DUPLICATE, Outcome.SUCCESS)

    def test_every_event_has_its_own_outcome(
        self, receiver: DeliveryReceiver, script: Script
    ) -> None:
        """They stand in the order of the batch, with the server's reasons."""
        script.events["e2"] = {"status": "rejected", "error": "no such field"}
        script.events["e3"] = {"status": "queued"}
        script.events["e4"] = {"status": "perhaps"}

        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(4)))

        assert verdict.outcomes == (
            Outcome.SUCCESS,
            Outcome.REJECTED,
            Outcome.PENDING,
            Outcome.UNKNOWN_EFFECT,
        )
        assert verdict.details[1].reason == "no such field"

    def test_unusual_text_arrives(self, receiver: DeliveryReceiver, arrived: Arrived) -> None:
        """Ids and contents beyond ASCII are delivered like any other."""
        event = read_event('{"event_id":"Ünï","text":"\\ud800 😀","n":1.50}')

        verdict = receiver.deliver(make_batch(receiver.target_id, event))

        assert verdict.outcomes == (Outcome.SUCCESS,)
        assert list(arrived()) == [("Ünï",)]

    def test_a_poisoned_batch_is_to_be_cut(
        self, receiver: DeliveryReceiver, script: Script, arrived: Arrived
    ) -> None:
        """It is refused whole; the receiver does not cut it itself."""
        script.poison = frozenset({"e2"})

        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(3)))

        assert (verdict.next, verdict.effect) == (Next.BISECT, Effect.NONE)
        assert verdict.outcomes == (Outcome.TRANSIENT,) * 3
        assert len(arrived()) == 1

    def test_one_poisoned_event_is_rejected(
        self, receiver: DeliveryReceiver, script: Script
    ) -> None:
        """Alone in its batch, the refusal is its own, with the server's reason."""
        script.poison = frozenset({"e1"})

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event("e1")))

        assert verdict.outcomes == (Outcome.REJECTED,)
        assert verdict.details[0].reason == "batch validation failed"

    def test_a_limit_is_learnt(self, receiver: DeliveryReceiver, script: Script) -> None:
        """What a batch too large is answered with holds from then on."""
        script.max_bytes = 40

        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(3)))

        assert Next.HALVE is verdict.next
        assert receiver.limits().hard_bytes == 40

    @pytest.mark.parametrize("status", _STATUSES)
    def test_a_fault_is_an_outcome(
        self, receiver: DeliveryReceiver, script: Script, arrived: Arrived, status: int
    ) -> None:
        """Nothing is raised, retried or followed, and every event is transient."""
        script.requests.append(RequestRule(status=status, headers={"location": "/elsewhere"}))

        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(2)))

        assert verdict.outcomes == (Outcome.TRANSIENT, Outcome.TRANSIENT)
        assert status == verdict.status
        assert len(arrived()) == 1

    def test_the_time_to_wait_is_handed_on(
        self, receiver: DeliveryReceiver, script: Script
    ) -> None:
        """What the server asked for stands in the guidance."""
        script.requests.append(RequestRule(status=429, headers={"retry-after": "7"}))

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

        assert verdict.next is Next.BACK_OFF
        assert verdict.guidance.endswith("it asks for 7 s")

    def test_an_answer_cut_off_is_of_unknown_effect(
        self, receiver: DeliveryReceiver, script: Script, arrived: Arrived
    ) -> None:
        """The target may have the events; nothing is sent a second time."""
        script.requests.append(RequestRule(cut="after"))

        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(2)))

        assert verdict.outcomes == (Outcome.UNKNOWN_EFFECT,) * 2
        assert Effect.UNKNOWN is verdict.effect
        assert len(arrived()) == 1

    def test_a_refusal_that_is_cut_off_is_not_heard(
        self, receiver: DeliveryReceiver, script: Script
    ) -> None:
        """It is of unknown effect like any other answer that did not come."""
        script.requests.append(RequestRule(cut="after"))
        script.poison = frozenset({"e1"})

        verdict = receiver.deliver(make_batch(receiver.target_id, *make_events(2)))

        assert verdict.outcomes == (Outcome.UNKNOWN_EFFECT,) * 2
        assert Effect.UNKNOWN is verdict.effect

    def test_what_was_stored_before_a_cut_is_a_duplicate(
        self, receiver: DeliveryReceiver, script: Script
    ) -> None:
        """Offering it again is safe."""
        script.requests.append(RequestRule(cut="after"))
        batch = make_batch(receiver.target_id, make_event())
        receiver.deliver(batch)

        assert receiver.deliver(batch).outcomes == (Outcome.DUPLICATE,)

    def test_a_cut_before_the_answer_is_not_delivery(
        self, receiver: DeliveryReceiver, script: Script
    ) -> None:
        """Whatever is known of its effect, the event is offered again."""
        script.requests.append(RequestRule(cut="before"))

        (outcome,) = receiver.deliver(make_batch(receiver.target_id, make_event())).outcomes

        assert outcome in (Outcome.TRANSIENT, Outcome.UNKNOWN_EFFECT)

    @pytest.mark.parametrize("body", ["", "<html>", "[]", '{"results":null}'])
    def test_a_200_that_is_no_batch_answer_delivers_nothing(
        self, receiver: DeliveryReceiver, script: Script, body: str
    ) -> None:
        """Every event is of unknown effect, and the pass stops."""
        script.requests.append(RequestRule(body=body))

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

        assert verdict.outcomes == (Outcome.UNKNOWN_EFFECT,)
        assert Next.PROTOCOL is verdict.next

    def test_an_event_the_answer_leaves_out_is_of_unknown_effect(
        self, receiver: DeliveryReceiver, script: Script
    ) -> None:
        """Only a listed acknowledgement delivers."""
        script.requests.append(RequestRule(body='{"results":[]}'))

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

        assert verdict.outcomes == (Outcome.UNKNOWN_EFFECT,)
