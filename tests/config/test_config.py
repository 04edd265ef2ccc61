"""The one configuration: where values come from, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from packhouse import config
from packhouse.base import home as homes
from packhouse.cli.settings import example_file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def read(home: Path, *, file: str = "", flags: dict[str, object] | None = None, **environ: str) -> config.Reading:
    home.mkdir(exist_ok=True)
    (home / "packhouse.toml").write_text(file)
    return config.read({"home": home, **(flags or {})}, {f"PACKHOUSE_{name}": value for name, value in environ.items()})


def test_everything_has_a_default(home: Path) -> None:
    found = read(home).config
    assert found.database == f"sqlite://{home}/packhouse.db"
    assert found.files == f"file://{home}/files"
    assert (found.host, found.port, found.public_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert found.max_body_size == (100 + 16) * 1024**2
    assert len(found.secret_key) >= 32


def test_flags_win_over_environment_over_file_over_default(home: Path) -> None:
    assert read(home, file="port = 1").config.port == 1
    assert read(home, file="port = 1", PORT="2").config.port == 2
    reading = read(home, file="port = 1\nworkers = 7", PORT="2", flags={"port": "3", "threads": None})
    assert (reading.config.port, reading.config.workers, reading.config.threads) == (3, 7, 8)
    assert reading.origins["port"] == "--port"
    assert reading.origins["workers"] == str(home / "packhouse.toml")
    assert reading.origins["threads"] == "default"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("file_size_limit", "64MiB", 64 * 1024**2),
        ("file_size_limit", "1.5 MB", 1_500_000),
        ("file_size_limit", "1000000", 1_000_000),
        ("idle_timeout", "15m", 900),
        ("idle_timeout", "2d", 172_800),
        ("idle_timeout", "7", 7),
        ("access_log", "off", False),
        ("access_log", "YES", True),
        ("trusted_proxies", "10.0.0.0/8, ::1", ("10.0.0.0/8", "::1/128")),
        ("public_url", "https://packages.example.org/", "https://packages.example.org"),
        ("log_level", "Debug", "debug"),
    ],
)
def test_a_value_is_read_the_same_from_environment_and_file_and_hands_itself_down(
    home: Path, name: str, text: str, value: object
) -> None:
    from_environment = read(home, **{name.upper(): text})
    from_file = read(home, file=f'{name} = "{text}"')
    assert getattr(from_environment.config, name) == getattr(from_file.config, name) == value
    handed_down = config.environment(from_file)
    (home / "packhouse.toml").unlink()
    assert getattr(config.read({}, handed_down).config, name) == value


def test_the_file_may_use_its_own_types(home: Path) -> None:
    found = read(home, file='debug = false\nport = 81\ntrusted_proxies = ["10.0.0.1", "fd00::/8"]').config
    assert (found.debug, found.port, found.trusted_proxies) == (False, 81, ("10.0.0.1/32", "fd00::/8"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "0"),
        ("port", "http"),
        ("file_size_limit", "-1"),
        ("file_size_limit", "12 parsecs"),
        ("release_open_days", "14d"),
        ("debug", "maybe"),
        ("trusted_proxies", "10.0.0.0/8,proxy.example.org"),
        ("public_url", "packages.example.org"),
        ("public_url", "https://packages.example.org/?x=1"),
        ("database", "mysql://host/name"),
        ("files", "ftp://host"),
        ("mail", "carrier-pigeon://roof"),
        ("search", "opensearch://host"),
        ("record_mismatch", "ignore"),
        ("token_prefix", "My-Index"),
        ("secret_key", "short"),
        ("max_header_size", "1KiB"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_its_origin_and_what_was_expected(
    home: Path, name: str, value: str
) -> None:
    with pytest.raises(config.ConfigError) as refused:
        read(home, **{name.upper(): value})
    text = str(refused.value)
    assert name in text
    assert f"PACKHOUSE_{name.upper()}" in text
    assert f"expected {config.declared()[name].kind.expected}" in text


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"DEBUG": "true", "HOST": "0.0.0.0"}, "debug"),
        ({"DEBUG": "true", "PUBLIC_URL": "https://packages.example.org"}, "debug"),
        ({"DEBUG": "true", "TRUSTED_PROXIES": "127.0.0.1"}, "debug"),
        ({"METRICS_PORT": "8080"}, "metrics_port"),
        ({"MAX_BODY_SIZE": "1MiB"}, "max_body_size"),
        ({"PROJECT_SIZE_LIMIT": "1MiB"}, "project_size_limit"),
    ],
)
def test_settings_that_are_unsafe_together_are_refused(home: Path, settings: dict[str, str], name: str) -> None:
    with pytest.raises(config.ConfigError, match=name):
        read(home, **settings)


def test_an_unknown_name_is_told_with_the_nearest_known_one(home: Path) -> None:
    reading = read(home, file="prot = 1", TRUSTED_PROXY="10.0.0.1")
    assert "did you mean PACKHOUSE_TRUSTED_PROXIES?" in reading.warnings[0]
    assert "did you mean port?" in reading.warnings[1]


def test_a_file_that_is_no_toml_is_refused(home: Path) -> None:
    with pytest.raises(config.ConfigError, match=r"packhouse\.toml"):
        read(home, file="port: 80")


def test_the_file_cannot_name_the_home_it_lies_in(home: Path) -> None:
    with pytest.raises(config.ConfigError, match="--home"):
        read(home, file='home = "/elsewhere"')


def test_a_secret_may_stand_in_a_file_of_its_own_but_not_in_two_places(home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    assert read(home, SECRET_KEY_FILE=str(secret)).config.secret_key == "0123456789abcdef0123456789abcdef"
    with pytest.raises(config.ConfigError, match="also given"):
        read(home, SECRET_KEY_FILE=str(secret), SECRET_KEY="x" * 40)
    with pytest.raises(config.ConfigError, match="secret_key_file"):
        read(home, SECRET_KEY_FILE=str(tmp_path / "missing"))


def test_no_secret_is_shown(home: Path) -> None:
    canary = "canary-canary-canary-canary-canary"
    reading = read(home, SECRET_KEY=canary, METRICS_TOKEN=canary, DATABASE=f"postgresql://me:{canary}@db/name")
    assert canary not in repr(reading.config)
    with pytest.raises(config.ConfigError) as refused:
        read(home, DATABASE=f"mysql://me:{canary}@db/name?password={canary}")
    assert canary not in str(refused.value)
    assert "mysql://db/name" in str(refused.value)


def test_a_configuration_cannot_be_changed(home: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        read(home).config.port = 1  # type: ignore[misc]


def test_a_server_that_others_reach_is_asked_for_its_public_url(home: Path) -> None:
    assert "public_url" in read(home, HOST="0.0.0.0").warnings[0]
    assert read(home, HOST="::1").config.public_url == "http://[::1]:8080"


def test_whoever_opens_a_new_home_first_makes_its_secret_and_all_see_the_same(home: Path) -> None:
    with ThreadPoolExecutor(8) as many:
        list(many.map(lambda _: homes.prepare(home), range(8)))
    key = read(home).config.secret_key
    assert key == read(home).config.secret_key
    assert [path.name for path in (home / "secrets").iterdir()] == ["secret-key"]
    assert (home / "secrets").stat().st_mode & 0o777 == 0o700
    assert (home / "secrets" / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_kept_secret_is_not_handed_down_in_the_environment(home: Path) -> None:
    homes.prepare(home)
    reading = read(home)
    assert "PACKHOUSE_SECRET_KEY" not in config.environment(reading)
    assert config.read({}, config.environment(reading)).config == reading.config


def test_the_newest_setup_token_alone_is_good_until_it_is_forgotten(home: Path) -> None:
    homes.prepare(home)
    old, new = homes.new_setup_token(home), homes.new_setup_token(home)
    assert not homes.is_setup_token(home, old)
    assert homes.is_setup_token(home, new)
    assert new not in (home / "secrets" / "setup-token").read_text()
    homes.forget_setup_token(home)
    assert not homes.is_setup_token(home, new)


@pytest.mark.parametrize("url", ["sqlite:///data/index.db", "sqlite:////data/index.db"])
def test_a_sqlite_address_names_an_absolute_path_however_many_slashes_it_has(url: str) -> None:
    assert config.django_database(url)["NAME"] == "/data/index.db"


def test_a_postgresql_address_may_escape_what_it_must() -> None:
    database = config.django_database("postgresql://me%40here:p%2Fw@[::1]:5433/index?sslmode=require")
    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("me@here", "p/w", "::1")
    assert (database["PORT"], database["NAME"]) == (5433, "index")
    assert database["OPTIONS"] == {**config.PATIENCE, "sslmode": "require"}


def test_the_example_file_changes_nothing_and_stays_valid_when_its_defaults_are_uncommented(home: Path) -> None:
    text = example_file()
    key = "x" * 32
    assert read(home, file=text, SECRET_KEY=key).config == read(home, SECRET_KEY=key).config
    simple = [line[1:] for line in text.splitlines() if line.startswith("#") and " = " in line and line[1] != " "]
    usable = [
        line for line in simple if "{" not in line and ' = ""' not in line and "," not in line and "+" not in line
    ]
    names = {line.split(" = ")[0] for line in usable} - {"secret_key"}
    found = read(home, file="\n".join(line for line in usable if line.split(" = ")[0] in names))
    assert found.warnings == ()
    assert {name: getattr(found.config, name) for name in names} == {
        name: getattr(read(home).config, name) for name in names
    }
