from collections.abc import Callable, Mapping

import pytest

from eventsync_core.bodies import BodyReceiver, UploadState
from eventsync_core.receivers import Next, Permit, RequestRule, Script
from eventsync_core.testing._builders import make_body

Held = Callable[[], Mapping[str, str]]
"""Tells what the other end holds: path to content."""

_STATUSES = (202, 301, 400, 401, 403, 404, 408, 410, 412, 429, 500, 503)


def _permit(receiver: BodyReceiver) -> Permit:
    return Permit(receiver.target_id, "default", 1)


class BodyReceiverContract:
    """
    Subclass, and every promise of `BodyReceiver` is checked.

    Provide the fixtures `body_receiver` with all its gates open, `script`, whose `pushes` its
    other end obeys and which holds nothing yet, and `held`, a callable that tells by path what
    the other end holds.
    """

    def test_it_reaches_one_target(self, body_receiver: BodyReceiver, held: Held) -> None:
        """A permit for another is refused, and nothing is sent."""
        with pytest.raises(ValueError, match="target"):
            body_receiver.push(Permit("tgt_another", "default", 1), make_body())

        assert held() == {}

    def test_looking_at_gates_sends_nothing(self, body_receiver: BodyReceiver, held: Held) -> None:
        """None is closed."""
        assert list(body_receiver.closed_gates()) == []
        assert held() == {}

    @pytest.mark.parametrize("content", ["", "# ü 😀\r\n\x00\ufeff", '{"a": "\\ud800"}'])
    def test_a_body_arrives_as_it_is(
        self, body_receiver: BodyReceiver, held: Held, content: str
    ) -> None:
        """Whatever characters it holds."""
        upload = make_body("a", content=content)

        verdict = body_receiver.push(_permit(body_receiver), upload)

        assert verdict.state is UploadState.UPLOADED
        assert held() == {upload.key.artifact_path: content}

    def test_a_body_that_is_there_already_exists(
        self, body_receiver: BodyReceiver, held: Held
    ) -> None:
        """It is not stored twice."""
        states = [body_receiver.push(_permit(body_receiver), make_body()).state for _ in range(2)]

        assert states == [UploadState.UPLOADED, UploadState.ALREADY_EXISTS]
        assert len(held()) == 1

    @pytest.mark.parametrize("status", _STATUSES)
    def test_a_fault_is_a_verdict(
        self, body_receiver: BodyReceiver, script: Script, held: Held, status: int
    ) -> None:
        """Judged alike by every receiver; nothing is retried or followed."""
        script.pushes.append(RequestRule(status=status, headers={"Location": "/in"}))

        verdict = body_receiver.push(_permit(body_receiver), make_body())

        assert verdict.status == status
        assert not verdict.state.is_there
        assert verdict.reason
        assert (script.pushes, held()) == ([], {})

    @pytest.mark.parametrize("cut", ["before", "after"])
    def test_a_broken_connection_is_a_verdict(
        self, body_receiver: BodyReceiver, script: Script, cut: str
    ) -> None:
        """The body stays queued; what was stored all the same already exists then."""
        script.pushes.append(RequestRule(cut="after" if cut == "after" else "before"))

        verdict = body_receiver.push(_permit(body_receiver), make_body())
        again = body_receiver.push(_permit(body_receiver), make_body())

        assert (verdict.state, verdict.next) == (UploadState.QUEUED, Next.BACK_OFF)
        assert again.state is (
            UploadState.ALREADY_EXISTS if cut == "after" else UploadState.UPLOADED
        )
