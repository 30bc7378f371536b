"""How passwords are kept."""

from __future__ import annotations

from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from argon2.profiles import RFC_9106_LOW_MEMORY

from scheduler.engine.account import passwords


def test_passwords_are_kept_as_argon2id_with_the_parameters_of_rfc_9106(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(passwords, "hasher", PasswordHasher)
    hash_ = passwords.hashed("a heron over the marsh")
    assert extract_parameters(hash_) == RFC_9106_LOW_MEMORY
    assert RFC_9106_LOW_MEMORY.type is Type.ID
    assert passwords.matches("a heron over the marsh", hash_)
    assert not passwords.matches("a heron over the march", hash_)
    assert not passwords.is_outdated(hash_)


def test_a_made_up_password_is_accepted_and_never_the_same() -> None:
    made = {passwords.made_up() for _ in range(50)}
    assert len(made) == 50
    assert [one for one in made if list(passwords.refusals_of_password(one, ["marie"]))] == []


def test_a_hash_of_other_parameters_is_made_anew() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash("x"))
