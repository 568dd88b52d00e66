"""Settings: defaults, and errors that name the file, the key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pvalue import config
from p2pvalue_protocol.errors import ConfigError


def write(folder: Path, text: str) -> None:
    (folder / config.CONFIG_NAME).write_text(text, encoding="utf-8")


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert config.load(tmp_path) == config.Config(data_dir=tmp_path)


def test_the_file_that_init_writes_is_the_defaults_with_its_own_port(tmp_path: Path) -> None:
    listen = config.new_listen()
    assert config.write_default(tmp_path, listen)
    assert config.load(tmp_path) == config.Config(data_dir=tmp_path, listen=listen)


def test_a_file_that_exists_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path, "# mine\n")
    assert not config.write_default(tmp_path, ())
    assert (tmp_path / config.CONFIG_NAME).read_text(encoding="utf-8") == "# mine\n"


def test_every_setting_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        '[network]\nlisten = ["/ip6/::1/tcp/0"]\nlan_discovery = false\ngossip = false\n'
        '[store]\ndurability = "kill"\n[log]\nlevel = "error"\n[blobs]\nquota_mb = 0\n'
        '[editors]\ncome_back = false\n[notify]\nhook = ["say", "{text}"]\n',
    )
    assert config.load(tmp_path) == config.Config(
        data_dir=tmp_path,
        listen=("/ip6/::1/tcp/0",),
        lan_discovery=False,
        gossip=False,
        durability="kill",
        log_level="error",
        blobs_quota_mb=0,
        editors_come_back=False,
        notify_hook=("say", "{text}"),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[store]\ndurability = "never"', ("store.durability", '"power-cut", "kill"', "'never'")),
        ("[store]\ndurability = 3", ("store.durability", '"power-cut", "kill"')),
        ("[blobs]\nquota_mb = -1", ("blobs.quota_mb", "0 to 1000000000", "-1")),
        ("[blobs]\nquota_mb = true", ("blobs.quota_mb", "whole number")),
        ('[log]\nlevel = "loud"', ("log.level", '"debug"')),
        ('[notify]\nhook = "say {text}"', ("notify.hook", "command", "arguments")),
        ('[notify]\nhook = ["say", 3]', ("notify.hook", "command")),
        ('[notify]\nhook = ["a\\u0000b"]', ("notify.hook", "command")),
        ("[editors]\ncome_back = 0", ("editors.come_back", "true or false")),
        ("[network]\nlan_discovery = 1", ("network.lan_discovery", "true or false")),
        ('[network]\nlisten = "/ip4/0.0.0.0/tcp/1"', ("network.listen", "list")),
        ('[network]\nlisten = ["0.0.0.0:80"]', ("network.listen", "0.0.0.0:80")),
        ('[network]\nlisten = ["/ip4/0.0.0.0/tcp/65536"]', ("network.listen", "65535")),
        ("[network]\nlisten = [5]", ("network.listen", "5")),
        ("[network]\nlistn = []", ("network.listn", "network.listen")),
        ("[netwrk]\nlisten = []", ("netwrk.listen", "network.listen")),
        ("level = 3", ("level", "section")),
        ("[log", ("cannot be read",)),
        ("\udcff", ("cannot be read",)),
        ("a = " + "[" * 5_000, ("cannot be read",)),
        ("a = " + "9" * 5_000, ("cannot be read",)),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    tmp_path: Path, text: str, named: tuple[str, ...]
) -> None:
    path = tmp_path / config.CONFIG_NAME
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError) as error:
        config.load(tmp_path)
    assert [word for word in (str(path), *named) if word not in str(error.value)] == []


def test_the_folder_can_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(config.DATA_DIR_VARIABLE, str(tmp_path))
    assert config.default_data_dir() == tmp_path
    monkeypatch.delenv(config.DATA_DIR_VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert config.default_data_dir() == tmp_path / "data" / "p2pvalue"


def test_a_folder_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shorter path"):
        config.socket_path(tmp_path / ("x" * config.SOCKET_PATH_BYTES_MAX))
