"""`curation train sft` as a user gives it: names, dry runs, and wrong usage."""

from pathlib import Path

from tests.conftest import Cli

RECIPE = """
name = "plans"
[[source]]
name = "synthetic"
[judge]
backend = "offline"
accept = 0
[release]
to = "elsewhere"
licence = "apache-2.0"
candidates_per_prompt = 2
"""


def test_a_release_is_found_by_the_warehouse_and_by_its_folder(cli: Cli) -> None:
    (cli.folder / "plans.toml").write_text(RECIPE)
    cli.ok("synthesize", "--count", "60", "--mix", "1_step=1")
    cli.ok("check", "--recipe", "plans.toml")
    cli.ok("judge", "--recipe", "plans.toml")
    cli.ok("publish", "plans.toml")
    by_name = cli.json("train", "sft", "--release", "plans@1.0.0", "--preset", "tiny-gemma4", "--dry-run")
    by_folder = cli.json("train", "sft", "--release", "elsewhere/plans-v1.0.0", "--preset", "tiny-gemma4", "--dry-run")
    assert by_name == by_folder
    assert by_name["rows"] > 10
    told = cli.ok("train", "sft", "--release", "plans@1.0.0", "--preset", "gemma4-e2b", "--dry-run", "--gpu", "h100")
    assert "on a NVIDIA H100 SXM" in told
    unknown = cli("train", "sft", "--release", "plans@2.0.0", "--preset", "tiny-gemma4", "--dry-run")
    assert unknown.returncode == 1
    assert "there is no release at releases/plans-v2.0.0; give its folder, NAME@VERSION" in unknown.stderr
    on_a_cpu = cli("train", "sft", "--release", "plans@1.0.0", "--preset", "gemma4-e2b")
    assert on_a_cpu.returncode == 1
    assert on_a_cpu.stderr.count("\n") == 1
    assert "on a CPU train with --preset tiny-gemma4" in on_a_cpu.stderr


def test_pushing_every_so_often_needs_a_place(cli: Cli, release: Path) -> None:
    done = cli("train", "sft", "--release", release, "--preset", "tiny-gemma4", "--push-every", "1")
    assert done.returncode == 2
    assert "--push-to hf://owner/name where" in done.stderr
