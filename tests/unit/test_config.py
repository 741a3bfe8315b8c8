"""Where each setting comes from, and what is said about those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from citystream.cli.init import settings_text
from citystream.config import SETTINGS, Config, load
from citystream.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "citystream.toml"
    path.write_text(text)
    return path


def origin(config: Config, name: str) -> str:
    return config.values[name].origin


def test_defaults(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load()
    assert config.file is None
    assert {origin(config, each.name) for each in SETTINGS} == {"default"}
    assert config.data == Path("citystream-data")
    assert config.listed("datasets") == ()


def test_flag_beats_environment_beats_file_beats_default(tmp_path) -> None:
    path = written(tmp_path, 'data = "in-file"\nbatch_rows = 1\npause = 2.5\nmemory_limit = "1GB"')
    environ = {"CITYSTREAM_DATA": "in-environment", "CITYSTREAM_BATCH_ROWS": "2_000"}
    config = load({"data": Path("in-flag"), "batch_rows": None}, environ, path)
    assert (config.data, origin(config, "data")) == (Path("in-flag"), "flag")
    assert (config.integer("batch_rows"), origin(config, "batch_rows")) == (2000, "CITYSTREAM_BATCH_ROWS")
    assert (config.number("pause"), origin(config, "pause")) == (2.5, str(path))
    assert (config.number("patience"), origin(config, "patience")) == (300.0, "default")


def test_an_empty_variable_is_none(tmp_path) -> None:
    assert origin(load({}, {"CITYSTREAM_DATA": ""}, written(tmp_path, "")), "data") == "default"


def test_the_file_of_this_folder_is_found(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "pause = 3")
    assert load().number("pause") == 3
    assert load().file == Path("citystream.toml")


def test_folders_in_a_file_are_meant_from_there(tmp_path) -> None:
    config = load({}, {}, written(tmp_path, 'data = "d"\ncities = ["mine", "/abs"]'))
    assert config.data == tmp_path / "d"
    assert config.cities == (tmp_path / "mine", Path("/abs"))
    assert load({}, {"CITYSTREAM_DATA": "d"}, config.file).data == Path("d")


def test_cities_beside_the_file_need_not_be_said(tmp_path) -> None:
    (tmp_path / "cities").mkdir()
    assert load({}, {}, written(tmp_path, "")).cities == (tmp_path / "cities",)
    assert load({}, {}, written(tmp_path, 'cities = ["cities"]')).cities == (tmp_path / "cities",)


def test_lists(tmp_path) -> None:
    path = written(tmp_path, 'datasets = ["chicago/crimes", " seattle/fire "]')
    assert load({}, {}, path).listed("datasets") == ("chicago/crimes", "seattle/fire")
    environ = {"CITYSTREAM_DATASETS": "a/b, c/d,,"}
    assert load({}, environ, path).listed("datasets") == ("a/b", "c/d")


def test_secrets_are_not_shown() -> None:
    config = load({}, {"CITYSTREAM_SOCRATA_TOKEN": "s3cr3t"})
    shown = {name: value for name, value, _, _ in config.shown()}
    assert shown["socrata_token"] == "(set)"
    assert config.text("socrata_token") == "s3cr3t"
    assert "s3cr3t" not in str(config.shown())
    assert "s3cr3t" not in repr(config)
    assert {name: value for name, value, _, _ in load().shown()}["socrata_token"] == "(not set)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bach_rows = 1", "bach_rows: no such setting (did you mean batch_rows?)"),
        ("zzz = 1", "zzz: no such setting (known: batch_rows,"),
        ("[windows]\nx = 1", "windows: no such setting"),
        ('socrata_token = "x"', "socrata_token: secrets are read from CITYSTREAM_SOCRATA_TOKEN only"),
        ("batch_rows = 0", "batch_rows: 0 is below 1"),
        ('batch_rows = "many"', "batch_rows: 'many' is not a int"),
        ("batch_rows = 1.5", "batch_rows: 1.5 is not a int"),
        ("batch_rows = true", "batch_rows: True is not a int"),
        ("pause = -1", "pause: -1.0 is below 0"),
        ("pause = nan", "pause: nan is not a float"),
        ("patience = inf", "patience: inf is not a float"),
        ('pause = "soon"', "pause: 'soon' is not a float"),
        ("data = ['a']", "data: ['a'] is not a str"),
        ("datasets = 5", "datasets: 5 is not a list of names"),
        ("data = ", "citystream.toml: Invalid value"),
        ("data = 'a'\ndata = 'b'", "citystream.toml: Cannot overwrite a value"),
    ],
)
def test_what_cannot_be_used_in_a_file(tmp_path, text, said) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load({}, {}, path)
    assert said in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_all_unknown_settings_are_named_at_once(tmp_path) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {}, written(tmp_path, "one = 1\ntwo = 2"))
    assert len(caught.value.message.splitlines()) == 2


def test_a_file_that_is_not_text(tmp_path) -> None:
    path = tmp_path / "citystream.toml"
    path.write_bytes(b"data = '\xff'")
    with pytest.raises(ConfigError, match=r"citystream\.toml"):
        load({}, {}, path)


@pytest.mark.parametrize(
    ("flags", "environ", "said"),
    [
        ({"threads": 0}, {}, "flag: threads: 0 is below 1"),
        ({}, {"CITYSTREAM_THREADS": "two"}, "CITYSTREAM_THREADS: threads: 'two' is not a int"),
        ({}, {"CITYSTREAM_PAUSE": "nan"}, "CITYSTREAM_PAUSE: pause: 'nan' is not a float"),
    ],
)
def test_what_cannot_be_used_elsewhere(flags, environ, said) -> None:
    with pytest.raises(ConfigError) as caught:
        load(flags, environ)
    assert said in caught.value.message


@pytest.mark.parametrize("name", ["missing.toml", "folder"])
def test_a_file_that_is_not_there(tmp_path, name) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="there is no configuration file") as caught:
        load({}, {}, tmp_path / name)
    assert "citystream init" in caught.value.hint


def test_every_setting_says_what_it_is_for() -> None:
    assert all(
        each.purpose and each.variable == f"CITYSTREAM_{each.name.upper().replace('.', '_')}" for each in SETTINGS
    )


def test_names_in_a_table(tmp_path) -> None:
    text = 'data = "d"\n[notify]\nurls = ["mailto://me:hidden@example.org"]\natom = "a.atom"\nwithdrawn = false'
    config = load({}, {"CITYSTREAM_NOTIFY_QUIET": "22:00-07:00"}, written(tmp_path, text))
    assert config.listed("notify.urls") == ("mailto://me:hidden@example.org",)
    assert config.text("notify.atom") == str(tmp_path / "a.atom")
    assert config.text("notify.quiet") == "22:00-07:00"
    assert config.flag("notify.withdrawn") is False
    assert load({}, {"CITYSTREAM_NOTIFY_WITHDRAWN": "True"}, config.file).flag("notify.withdrawn") is True


def test_of_an_address_that_may_hold_a_password_only_the_beginning_is_shown(tmp_path) -> None:
    text = '[notify]\nurls = ["mailto://me:hidden@example.org", "tgram://hidden/1"]\nwebhook = "https://example.org/hidden"'
    shown = {name: value for name, value, _, _ in load({}, {}, written(tmp_path, text)).shown()}
    assert shown["notify.urls"] == "mailto://..., tgram://..."
    assert shown["notify.webhook"] == "https://..."
    with pytest.raises(ConfigError) as caught:
        load({}, {}, written(tmp_path, '[notify]\nwebhook = ["hidden"]'))
    assert "hidden" not in str(caught.value)


def test_what_init_writes_can_be_read_with_every_line_used(tmp_path) -> None:
    lines = settings_text().splitlines()
    used = [line.removeprefix("# ") if " = " in line else line for line in lines if "Folders are" not in line]
    config = load({}, {}, written(tmp_path, "\n".join(used)))
    assert config.flag("notify.withdrawn") is True
    assert {origin(config, each.name) for each in SETTINGS if not each.secret} == {str(tmp_path / "citystream.toml")}
