"""``packhouse organization``: what operators do with organizations."""

from pathlib import Path

from tests.servers.packhouse import run_cli


def test_organizations_are_made_listed_joined_and_put_to_rest(tmp_path: Path, live_database: str | None) -> None:
    def cli(*arguments: str, check: bool = True) -> tuple[int, str]:
        done = run_cli(tmp_path / "home", *arguments, database=live_database, check=check)
        return done.returncode, done.stdout + done.stderr

    def organization(*arguments: str, check: bool = True) -> tuple[int, str]:
        return cli("organization", *arguments, check=check)

    (tmp_path / "password").write_text("correct horse battery staple")
    for name in ("ada", "bob"):
        made = ("user", "create", name, "--email", f"{name}@example.org", "--verified")
        cli(*made, "--password-file", str(tmp_path / "password"))
    assert organization("create", "Acme", "--owner", "ada", "--kind", "company") == (0, "Created Acme.\n")
    taken = organization("create", "acme", "--owner", "bob", check=False)
    assert taken == (1, "packhouse: The name “acme” is taken.\n")
    assert organization("add-member", "acme", "bob", "--role", "billing manager")[0] == 0
    refused = organization("add-member", "acme", "ada", "--role", "Member", check=False)
    assert refused == (1, "packhouse: ada is the last owner of acme\n")
    assert organization("list")[1] == "Acme  company  0 projects  owned by ada\n"
    organization("deactivate", "acme")
    assert organization("list")[1] == "Acme  not active  0 projects  owned by ada\n"
    assert organization("approve", "1", check=False) == (1, "packhouse: there is no request 1\n")
    assert organization("create", "other", "--owner", "eve", check=False) == (1, "packhouse: there is no user eve\n")
