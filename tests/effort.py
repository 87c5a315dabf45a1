"""How much is tried: little by default, more with `--hypothesis-profile=thorough`."""

from hypothesis import settings

_WHOLE = 100

settings.register_profile("thorough", max_examples=_WHOLE)
settings.register_profile("usual", max_examples=_WHOLE // 4)
settings.load_profile("usual")


def examples(count: int) -> int:
    """Return *count* for a thorough run, a fourth of it, but five, for the usual one."""
    return max(min(count, 5), count * settings().max_examples // _WHOLE)
