"""A keyring that is kept in memory, for as long as a block runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import keyring
from keyring.backend import KeyringBackend


class MemoryKeyring(KeyringBackend):
    """Holds one set of passwords, by service and user."""

    priority = 1
    passwords: Mapping[tuple[str, str], str] = MappingProxyType({})

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@contextmanager
def keyring_of(
    passwords: Mapping[tuple[str, str], str], kind: type[MemoryKeyring] = MemoryKeyring
) -> Iterator[MemoryKeyring]:
    """Let the keyring of this process be one of *kind* that holds *passwords*."""
    before, made = keyring.get_keyring(), kind()
    made.passwords = passwords
    keyring.set_keyring(made)
    try:
        yield made
    finally:
        keyring.set_keyring(before)
