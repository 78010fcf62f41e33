"""The key that signs: kept, private, made anew when it is damaged."""

import pytest

from pages.shared import signing


def test_the_key_is_kept_and_private(cache):
    signing.signer(cache, "x")
    path = cache.cache_dir / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text()) == 64


@pytest.mark.parametrize("damaged", [b"", b"0" * 63, b"0" * 64 + b"\n", b"G" * 64, b"\xff" * 64, b"0" * 65])
def test_a_damaged_key_is_made_anew(cache, damaged):
    path = cache.cache_dir / "secret"
    path.write_bytes(damaged)
    path.chmod(0o644)
    made = signing.secret(cache)
    assert signing._SECRET.fullmatch(made.encode()) and made == path.read_text() == signing.secret(cache)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_signed_for_one_purpose_is_none_of_another(cache):
    said = signing.signer(cache, "thumbnails").sign("pack")
    assert signing.signer(cache, "thumbnails").unsign(said) == b"pack" and not signing.signer(cache, "seen").validate(said)
