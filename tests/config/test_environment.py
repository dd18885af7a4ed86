from __future__ import annotations

import base64
from pathlib import Path

import pytest

from comptoir.config.environment import EnvironmentInvalid, read_environment
from comptoir.config.settings import database_settings
from comptoir.fx.api import DEFAULT_MAX_AGE_DAYS

KEY = bytes(range(32))


def test_defaults(tmp_path: Path) -> None:
    read = read_environment({"COMPTOIR_HOME": str(tmp_path)})
    assert (read.port, read.public_url, read.embedded) == (8400, "http://localhost:8400", True)
    assert read.database_url.startswith("postgresql://comptoir@/comptoir?host=%2F")
    assert read.master_key is None
    with pytest.raises(EnvironmentInvalid) as refused:
        read.require_master_key()
    assert refused.value.field == "COMPTOIR_MASTER_KEY"


def test_everything_can_be_given(tmp_path: Path) -> None:
    read = read_environment(
        {
            "COMPTOIR_HOME": str(tmp_path),
            "COMPTOIR_PORT": "9000",
            "COMPTOIR_PUBLIC_URL": "https://pay.example/",
            "COMPTOIR_MASTER_KEY": base64.b64encode(KEY).decode(),
            "DATABASE_URL": "postgresql://db.example/books",
        }
    )
    assert (read.port, read.public_url, read.embedded) == (9000, "https://pay.example", False)
    assert read.database_url == "postgresql://db.example/books"
    assert read.require_master_key() == KEY


def test_the_key_file_of_the_home_is_read_when_none_is_given(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text(base64.b64encode(KEY).decode() + "\n")
    assert read_environment({"COMPTOIR_HOME": str(tmp_path)}).master_key == KEY


def test_the_master_key_is_in_no_repr(tmp_path: Path) -> None:
    text = base64.b64encode(KEY).decode()
    shown = repr(read_environment({"COMPTOIR_HOME": str(tmp_path), "COMPTOIR_MASTER_KEY": text}))
    assert text not in shown
    assert repr(KEY) not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMPTOIR_PORT", "0"),
        ("COMPTOIR_STAFF_MFA", "maybe"),
        ("COMPTOIR_TRUSTED_PROXIES", "-1"),
        ("COMPTOIR_PORT", "65536"),
        ("COMPTOIR_PORT", "-1"),
        ("COMPTOIR_PORT", "８４００"),
        ("COMPTOIR_PORT", "http"),
        ("COMPTOIR_FX_MAX_AGE_DAYS", "-1"),
        ("COMPTOIR_FX_MAX_AGE_DAYS", "five"),
        ("COMPTOIR_ENGINE_MAX_BATCH", "0"),
        ("COMPTOIR_ENGINE_MAX_BATCH", "1001"),
        ("COMPTOIR_ENGINE_MAX_WAITING", "0"),
        ("COMPTOIR_MASTER_KEY", "short"),
        ("COMPTOIR_MASTER_KEY", base64.b64encode(KEY[:31]).decode()),
        ("COMPTOIR_MASTER_KEY", "!" + base64.b64encode(KEY).decode()),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read_environment({"COMPTOIR_HOME": str(tmp_path), name: value})
    assert refused.value.field == name
    if name == "COMPTOIR_MASTER_KEY":
        assert value not in refused.value.message


def test_old_rates_are_refused_as_the_desk_would_unless_told_otherwise(tmp_path: Path) -> None:
    assert read_environment({"COMPTOIR_HOME": str(tmp_path)}).fx_max_age_days == DEFAULT_MAX_AGE_DAYS
    told = read_environment({"COMPTOIR_HOME": str(tmp_path), "COMPTOIR_FX_MAX_AGE_DAYS": "90"})
    assert told.fx_max_age_days == 90


def test_how_many_share_a_commit_can_be_told(tmp_path: Path) -> None:
    assert read_environment({"COMPTOIR_HOME": str(tmp_path)}).engine_max_batch == 128
    told = read_environment({"COMPTOIR_HOME": str(tmp_path), "COMPTOIR_ENGINE_MAX_BATCH": "1"})
    assert told.engine_max_batch == 1


def test_a_database_url_becomes_django_settings() -> None:
    given = database_settings("postgresql://ann:p%40ss@db.example:6432/books?sslmode=require&host=/run/pg")
    assert (given["NAME"], given["USER"], given["PASSWORD"]) == ("books", "ann", "p@ss")
    assert (given["HOST"], given["PORT"]) == ("/run/pg", "6432")
    assert given["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(("text", "private"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_merchants_in_private_networks_are_notified_only_when_that_is_said(
    tmp_path: Path, text: str | None, private: bool
) -> None:
    variables = {"COMPTOIR_HOME": str(tmp_path)} | ({} if text is None else {"COMPTOIR_NOTIFY_PRIVATE": text})
    assert read_environment(variables).notify_private is private


def test_a_flag_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read_environment({"COMPTOIR_HOME": str(tmp_path), "COMPTOIR_NOTIFY_PRIVATE": "yes"})
    assert refused.value.field == "COMPTOIR_NOTIFY_PRIVATE"


def test_several_master_keys_the_first_of_which_seals(tmp_path: Path) -> None:
    old, new = (base64.b64encode(key).decode() for key in (KEY, bytes(32)))
    one = read_environment({"COMPTOIR_MASTER_KEY": old})
    assert (one.master_key, one.master_key_version, one.other_master_keys) == (KEY, 1, {})
    both = read_environment({"COMPTOIR_MASTER_KEY": f"2:{new},1:{old}"})
    assert (both.master_key, both.master_key_version, both.other_master_keys) == (bytes(32), 2, {1: KEY})
    joined = read_environment({"COMPTOIR_MASTER_KEY": f"{old},2:{new}"})
    assert (joined.master_key, joined.master_key_version, joined.other_master_keys) == (
        KEY,
        1,
        {2: bytes(32)},
    )
    (tmp_path / "master.key").write_text(f"2:{new}\n1:{old}\n")
    assert read_environment({"COMPTOIR_HOME": str(tmp_path)}).other_master_keys == {1: KEY}


@pytest.mark.parametrize("versions", ["1:{0},1:{1}", "0:{0}", "256:{0}", "x:{0}", "{0},{1}", ":{0}", "2:"])
def test_master_keys_that_are_refused(versions: str) -> None:
    keys = [base64.b64encode(key).decode() for key in (KEY, bytes(32))]
    with pytest.raises(EnvironmentInvalid) as refused:
        read_environment({"COMPTOIR_MASTER_KEY": versions.format(*keys)})
    assert refused.value.field == "COMPTOIR_MASTER_KEY"
    assert keys[0] not in refused.value.message
