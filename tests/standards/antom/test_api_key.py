"""API keys as they travel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comptoir.standards.antom.api_key import ApiKey, Kind, build, parse_header

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@given(kind=st.sampled_from(Kind), test=st.booleans(), key_id=TEXT, secret=TEXT)
def test_a_key_is_read_as_it_was_written(kind: Kind, test: bool, key_id: str, secret: str) -> None:
    made = ApiKey(kind, test, key_id.replace("_", "-"), secret)
    assert parse_header(f"Bearer {build(made)}") == made


@given(text=st.text(max_size=700))
def test_any_header_is_read_or_is_none(text: str) -> None:
    found = parse_header(text)
    assert found is None or text.lower().startswith("bearer ")


def test_a_secret_is_not_printed() -> None:
    assert "5ec2e7" not in repr(parse_header("Bearer isak_PROD_1_5ec2e7"))
    for wrong in ("isak_PROD_1_5ec2e7", "Bearer isak_LIVE_1_x", "Bearer isak_PROD__x", "Bearer isak_PROD_1_",
                  "Bearer xsak_PROD_1_x", "Bearer isak_PROD_1_x y", "Basic isak_PROD_1_x"):  # fmt: skip
        assert parse_header(wrong) is None
