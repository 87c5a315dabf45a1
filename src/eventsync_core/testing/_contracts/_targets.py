import attrs
import pytest

from eventsync_core.errors import UnknownTargetError
from eventsync_core.stores import Stores
from eventsync_core.targets import Deployment
from eventsync_core.testing._builders import make_stub_target
from eventsync_core.testing._contracts._steps import NOW


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
