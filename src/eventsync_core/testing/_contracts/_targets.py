import attrs
import pytest

from eventsync_core.errors import UnknownTargetError
from eventsync_core.stores import Stores
from eventsync_core.targets import BackOff, Deployment, Health, Limits, Reset, Target
from eventsync_core.testing._builders import make_stub_target
from eventsync_core.testing._contracts._steps import NOW

_SERVER = Deployment(server_instance_id="s1", environment_name="prod", deployment_id="d1")
_OTHER = Deployment(server_instance_id="s2", environment_name="prod", git_sha="abc")
_FAULT = BackOff(
    failures=3,
    retry_at=NOW + 7,
    probe_until=NOW + 9,
    reason="no connection",
    no_connection=True,
)


def known(stores: Stores, name: str = "one") -> Target:
    """Register a target of that name."""
    return stores.targets.register(make_stub_target(name), at=NOW)


class TargetRegistryContract:
    """Subclass, provide a `stores` fixture, and every promise of `TargetRegistry` is checked."""

    def test_a_registered_target_is_found(self, stores: Stores) -> None:
        """What register returns is what get returns."""
        target = make_stub_target()

        assert target == stores.targets.register(target, at=NOW)
        assert target == stores.targets.get(target.target_id)

    def test_an_unknown_target_is_an_error(self, stores: Stores) -> None:
        """Nothing that was not registered can be had."""
        with pytest.raises(UnknownTargetError):
            stores.targets.get("tgt_unknown")

    def test_a_target_is_one_row(self, stores: Stores) -> None:
        """The same target any number of times is listed once."""
        for _ in range(3):
            stores.targets.register(make_stub_target(), at=NOW)

        assert [make_stub_target()] == stores.targets.targets()

    def test_targets_come_in_order_of_first_sight(self, stores: Stores) -> None:
        """Registering again does not move a target."""
        for name in ("zebra", "ant", "zebra"):
            stores.targets.register(make_stub_target(name), at=NOW)

        assert [make_stub_target("zebra"), make_stub_target("ant")] == stores.targets.targets()

    def test_no_target_is_an_empty_list(self, stores: Stores) -> None:
        """Nothing registered, nothing listed."""
        assert stores.targets.targets() == []

    def test_a_deployment_is_noted(self, stores: Stores) -> None:
        """It comes back from register, get and targets."""
        deployment = Deployment(server_instance_id="s1", git_sha="abc")
        target = attrs.evolve(make_stub_target(), deployment=deployment)

        stored = stores.targets.register(target, at=NOW)

        assert deployment == stored.deployment
        assert deployment == stores.targets.get(target.target_id).deployment
        assert [deployment] == [found.deployment for found in stores.targets.targets()]

    def test_a_target_without_deployment_keeps_the_one_noted(self, stores: Stores) -> None:
        """Facts that are not named stay, and register returns them."""
        deployment = Deployment(server_instance_id="s1")
        stores.targets.register(attrs.evolve(make_stub_target(), deployment=deployment), at=NOW)

        assert deployment == stores.targets.register(make_stub_target(), at=NOW).deployment

    def test_a_deployment_replaces_only_the_facts_it_names(self, stores: Stores) -> None:
        """The others stay, and the target is still one."""
        old = Deployment(server_instance_id="s1", environment_name="prod", deployment_id="d1")
        new = Deployment(deployment_id="d2", git_sha="abc")
        for deployment in (old, new):
            stores.targets.register(attrs.evolve(make_stub_target(), deployment=deployment), at=NOW)

        (stored,) = stores.targets.targets()

        assert stored.deployment == Deployment(
            server_instance_id="s1",
            environment_name="prod",
            deployment_id="d2",
            git_sha="abc",
        )

    def test_a_target_rests_for_a_reason(self, stores: Stores) -> None:
        """The reason stands on it until an empty one ends the rest."""
        target = stores.targets.register(make_stub_target(), at=NOW)

        stores.targets.pause(target.target_id, "it is gone")
        assert stores.targets.get(target.target_id).paused == "it is gone"
        stores.targets.pause(target.target_id, "")
        assert stores.targets.get(target.target_id).paused == ""

    def test_registering_again_does_not_end_a_rest(self, stores: Stores) -> None:
        """Only pause changes the pause."""
        target = stores.targets.register(make_stub_target(), at=NOW)
        stores.targets.pause(target.target_id, "it is gone")

        assert stores.targets.register(make_stub_target(), at=NOW).paused == "it is gone"

    def test_a_rest_is_one_target_s_own(self, stores: Stores) -> None:
        """Other targets go on."""
        other = stores.targets.register(make_stub_target("other"), at=NOW)
        target = stores.targets.register(make_stub_target(), at=NOW)
        stores.targets.pause(target.target_id, "it is gone")

        assert stores.targets.get(other.target_id).paused == ""

    def test_an_unknown_target_cannot_rest(self, stores: Stores) -> None:
        """Pausing what was never registered is an error and registers nothing."""
        with pytest.raises(UnknownTargetError):
            stores.targets.pause("tgt_unknown", "why not")

        assert stores.targets.targets() == []

    def test_a_back_off_is_kept_until_the_next(self, stores: Stores) -> None:
        """It replaces the one before, for this target alone, and an empty one ends it."""
        target, other = known(stores), known(stores, "other")
        assert target.back_off == BackOff()

        stores.targets.set_back_off(target.target_id, _FAULT)
        assert stores.targets.get(target.target_id).back_off == _FAULT
        assert stores.targets.get(other.target_id).back_off == BackOff()

        stores.targets.set_back_off(target.target_id, BackOff())
        assert [BackOff()] * 2 == [found.back_off for found in stores.targets.targets()]

    def test_a_back_off_of_bodies_is_kept_apart(self, stores: Stores) -> None:
        """Neither changes the other; that no connection came about is none of a body's."""
        target_id = known(stores).target_id
        stores.targets.set_back_off(target_id, _FAULT)
        stores.targets.set_body_back_off(target_id, attrs.evolve(_FAULT, failures=9))

        target = stores.targets.get(target_id)
        of_bodies = attrs.evolve(_FAULT, failures=9, no_connection=False)
        assert (target.back_off, target.body_back_off) == (_FAULT, of_bodies)
        stores.targets.set_back_off(target_id, BackOff())
        assert stores.targets.register(make_stub_target(), at=NOW).body_back_off == of_bodies

    def test_what_is_known_survives_registering_and_resting(self, stores: Stores) -> None:
        """Neither register nor pause changes the rest of what is known."""
        target_id = known(stores).target_id
        stores.targets.observe(target_id, Health(deployment=_SERVER), at=NOW + 1)
        stores.targets.observe(
            target_id, Health(deployment=_OTHER, limits=Limits(max_events=5)), at=NOW + 2
        )
        stores.targets.set_back_off(target_id, _FAULT)
        before = stores.targets.get(target_id)

        stores.targets.pause(target_id, "gone")
        after = known(stores)

        assert after.paused == "gone"
        assert (before.back_off, before.limits) == (after.back_off, after.limits)
        assert (before.checked_at, before.reset) == (after.checked_at, after.reset)
        assert (after.back_off, after.checked_at) == (_FAULT, NOW + 2)

    def test_what_a_target_says_of_itself_is_kept(self, stores: Stores) -> None:
        """Facts, limits and the time are returned and found again; first facts are no reset."""
        target_id = known(stores).target_id
        health = Health(deployment=_SERVER, limits=Limits(max_events=9, max_bytes=1_000))

        said = stores.targets.observe(target_id, health, at=NOW + 1)

        for target in (said, stores.targets.get(target_id)):
            assert (target.deployment, target.limits) == (_SERVER, health.limits)
            assert (target.checked_at, target.reset) == (NOW + 1, None)

    def test_limits_named_later_replace_those_before(self, stores: Stores) -> None:
        """All of them; an answer without limits leaves them."""
        target_id = known(stores).target_id
        before = Limits(max_events=9, max_bytes=1_000)
        stores.targets.observe(target_id, Health(limits=before), at=NOW)

        now = Limits(max_bytes=2_000)
        stores.targets.observe(target_id, Health(limits=now), at=NOW)
        assert now == stores.targets.get(target_id).limits
        stores.targets.observe(target_id, Health(), at=NOW)
        assert now == stores.targets.get(target_id).limits

    def test_a_target_that_does_not_answer_was_asked(self, stores: Stores) -> None:
        """Only the time changes."""
        target_id = known(stores).target_id
        health = Health(deployment=_SERVER, limits=Limits(max_events=9))
        stores.targets.observe(target_id, health, at=NOW + 1)

        target = stores.targets.observe(target_id, None, at=NOW + 2)

        assert (target.deployment, target.limits) == (_SERVER, health.limits)
        assert stores.targets.get(target_id).checked_at == NOW + 2

    def test_a_reset_is_noted_before_its_facts_are_replaced(self, stores: Stores) -> None:
        """With what changed, what was before, and when; the new facts are stored."""
        target_id = known(stores).target_id
        stores.targets.observe(target_id, Health(deployment=_SERVER), at=NOW + 1)

        said = stores.targets.observe(target_id, Health(deployment=_OTHER), at=NOW + 2)

        expected = Reset(changed_fields=("server_instance_id",), previous=_SERVER, seen_at=NOW + 2)
        assert expected == said.reset == stores.targets.get(target_id).reset
        assert said.deployment == attrs.evolve(_OTHER, deployment_id="d1")

    def test_a_reset_stays_until_it_is_settled(self, stores: Stores) -> None:
        """Further changes are added to it; after that a new one is noted anew."""
        target_id = known(stores).target_id
        for seconds, facts in enumerate(
            (_SERVER, _OTHER, _OTHER, Deployment(environment_name="test"))
        ):
            stores.targets.observe(target_id, Health(deployment=facts), at=NOW + seconds)

        assert stores.targets.get(target_id).reset == Reset(
            changed_fields=("server_instance_id", "environment_name"),
            previous=_SERVER,
            seen_at=NOW + 1,
        )
        stores.targets.settle_reset(target_id)
        assert stores.targets.get(target_id).reset is None
        stores.targets.observe(target_id, Health(deployment=_SERVER), at=NOW + 9)
        found = stores.targets.get(target_id).reset
        assert found is not None
        assert (found.previous.server_instance_id, found.seen_at) == ("s2", NOW + 9)

    def test_another_release_is_no_reset(self, stores: Stores) -> None:
        """A deployment id, a commit, or facts not named do not tell."""
        target_id = known(stores).target_id
        for facts in (_SERVER, Deployment(deployment_id="d2", git_sha="def")):
            stores.targets.observe(target_id, Health(deployment=facts), at=NOW)

        assert stores.targets.get(target_id).reset is None

    def test_registering_other_facts_notes_a_reset(self, stores: Stores) -> None:
        """It matters not on which way they come."""
        for facts in (_SERVER, _OTHER):
            target = attrs.evolve(make_stub_target(), deployment=facts)
            stored = stores.targets.register(target, at=NOW)

        assert stored.reset is not None
        assert stored.reset.previous == _SERVER

    def test_nothing_is_noted_of_an_unknown_target(self, stores: Stores) -> None:
        """Each is an error and registers nothing."""
        targets = stores.targets
        for note in (
            lambda: targets.set_back_off("tgt_unknown", _FAULT),
            lambda: targets.set_body_back_off("tgt_unknown", _FAULT),
            lambda: targets.observe("tgt_unknown", Health(deployment=_SERVER), at=NOW),
            lambda: targets.observe("tgt_unknown", None, at=NOW),
            lambda: targets.settle_reset("tgt_unknown"),
        ):
            with pytest.raises(UnknownTargetError):
                note()

        assert targets.targets() == []
