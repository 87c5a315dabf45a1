from contextlib import suppress

from eventsync_core.stores import Stores
from eventsync_core.testing._contracts._steps import STREAM

_ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_OTHER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00"


class TracesContract:
    """Subclass, provide a `stores` fixture, and every promise of `Traces` is checked."""

    def test_a_context_is_kept(self, stores: Stores) -> None:
        """Of each entry its own; of another there is none."""
        stores.traces.note(STREAM, 1, _ONE)
        stores.traces.note("ß", 1, _OTHER)

        places = ((STREAM, 1), ("ß", 1), (STREAM, 2), ("unknown", 1))
        assert [stores.traces.of(*place) for place in places] == [_ONE, _OTHER, None, None]

    def test_the_first_stays(self, stores: Stores) -> None:
        """Whoever comes later with the same event was not the one who captured it."""
        stores.traces.note(STREAM, 1, _ONE)
        stores.traces.note(STREAM, 1, _OTHER)

        assert stores.traces.of(STREAM, 1) == _ONE

    def test_what_is_undone_is_not_kept(self, stores: Stores) -> None:
        """As everything in a unit of work."""
        with suppress(RuntimeError), stores.atomic():
            stores.traces.note(STREAM, 1, _ONE)
            raise RuntimeError

        assert stores.traces.of(STREAM, 1) is None
