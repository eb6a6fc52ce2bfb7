"""The page that a newcomer follows runs: from a market to a release that is tried, promoted and rolled back."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.server import Server, environment, serving

HERE = Path(__file__).resolve().parents[2]
PAGE = (HERE / "docs" / "walkthrough.md").read_text().partition("## On real loans")[0]
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)  # kind and text
# The same, smaller: what teaches, and how many apply.
SMALLER = {
    "--businesses 6000": "--businesses 1200", "--count 300": "--count 100", "--first 300": "--first 100",
    "--first 360": "--first 160", "--seed 7 ": "--threads 1 --seed 7 ", "--seed 8 ": "--threads 1 --seed 8 ",
}  # fmt: skip
FOLLOWED = {"creditline-train promote second": "second", "creditline-train rollback": "first"}
_MOST_SECONDS = 300
_FOLLOWED_SECONDS = 20


def commands(text: str) -> list[str]:
    """A block's commands, each on one line, for a smaller market."""
    lines = text.replace("\\\n", " ").splitlines()
    for words, fewer in SMALLER.items():
        lines = [line.replace(words, fewer) for line in lines]
    return [line for line in lines if line.startswith(("creditline", "mkdir"))]


class Newcomer:
    """Somebody who types the page's commands in a folder of their own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.service: Server | None = None
        (folder / "training").symlink_to(HERE / "training")
        self.variables = environment(url, CREDITLINE_RELEASES=str(folder / "var/desk/releases"))
        self.variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def waits_for(self, release: str) -> None:
        """Until the service says that a release is in force."""
        assert self.service is not None
        ends = time.monotonic() + _FOLLOWED_SECONDS
        while self.service.ask("GET", "/ready", secret=None).json()["release"] != release:
            assert time.monotonic() < ends, f"{release} was not taken up"
            time.sleep(0.1)

    def types(self, command: str, status: int = 0) -> str:
        """Run one command; what it prints."""
        if command.startswith("creditline applicants") and self.service is not None:
            command += f" --url http://127.0.0.1:{self.service.port} --key-file key"
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False,
            timeout=_MOST_SECONDS,
        )  # fmt: skip
        assert done.returncode == status, (command, done.stdout[-2_000:], done.stderr[-2_000:])
        return done.stdout + done.stderr


@pytest.fixture
def newcomer(tmp_path: Path, sqlite_url: str) -> Newcomer:
    """A newcomer with a database and an empty folder."""
    return Newcomer(tmp_path, sqlite_url)


def test_the_page_runs_from_a_market_to_a_roll_back(newcomer: Newcomer) -> None:
    """Every command of the page does what it says, the gate's refusal included, against a service over a socket."""
    told = dict[str, str]()
    steps = iter(BLOCKS)
    for _, text in steps:
        if text.startswith("make run"):
            break
        for command in commands(text):
            told[command.split(" --")[0]] = newcomer.types(command)
    assert "a first release" in told["creditline-train publish var/desk/first"]
    assert (newcomer.folder / "var/desk/first.html").stat().st_size > 100_000
    market = newcomer.folder / "var/desk/market.sqlite"
    releases = {"CREDITLINE_RELEASES": newcomer.variables["CREDITLINE_RELEASES"]}
    with serving(newcomer.url, newcomer.folder, market, more=releases) as service:
        newcomer.service = service
        (newcomer.folder / "key").write_text(service.secret)
        for kind, text in steps:
            if kind == "toml":
                (newcomer.folder / "var/desk/causes.toml").write_text(text)
                refused = told["creditline-train publish var/desk/second"]
                assert 'kind = "model"' in refused
                newcomer.types(PUBLISH + " --causes var/desk/causes.toml")
                continue
            for command in commands(text):
                told[command.split(" --")[0]] = newcomer.types(command, int(command == PUBLISH))
                for act, release in FOLLOWED.items():
                    if command.startswith(act):
                        newcomer.waits_for(release)
        assert "Traceback" not in service.log
    assert "ended: promoted" in newcomer.types("creditline rollout")
    assert "0 different" in told["creditline replay"]
    assert "nothing is published" in told["creditline-train publish var/desk/second"]
    assert (newcomer.folder / "var/desk/releases/CHAMPION").read_text().startswith("first ")
    assert "record and pictures in" in told["creditline-train monitor"]


PUBLISH = next(command for _, text in BLOCKS for command in commands(text) if "publish var/desk/second" in command)
