"""How much is tried: little by default, more with `--hypothesis-profile=thorough`."""

from hypothesis import settings

_WHOLE = 100

settings.register_profile("thorough", max_examples=_WHOLE)
settings.register_profile("usual", max_examples=_WHOLE // 3)
settings.load_profile("usual")


def examples(count: int) -> int:
    """Return *count* for a thorough run, a third of it, but ten, for the usual one."""
    return max(min(count, 10), count * settings().max_examples // _WHOLE)
