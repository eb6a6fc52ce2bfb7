"""What can go wrong with a cluster: each is one line that says what to do, within a bounded time."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from distributed import LocalCluster
from distributed.security import Security

from tests.training.cluster.conftest import asked
from training.cli import main
from training.cluster import Cluster, ClusterFault, Made, fit_on, fitting, joined, joining
from training.cluster.joining import read_security, require_same_versions, versions
from training.cluster.waiting import WorkerLost

FIT = ("fit", "--train-to", "2024-08-31", "--validate-to", "2024-10-31", "--out")


# -- no such cluster -----------------------------------------------------------------------------------------


def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, described: Path) -> None:
    """Nothing listens: the command ends with one line that names the address, and leaves nothing."""
    monkeypatch.setattr(joining, "_CONNECT_SECONDS", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        told = CliRunner().invoke(
            main, [*FIT, str(tmp_path / "draft"), "--described-by", str(described), "--cluster", where]
        )
    assert told.exit_code == 1
    assert f"Error: no cluster is reached at {where}" in told.output
    assert "is the scheduler running" in told.output
    assert not (tmp_path / "draft").exists()


@pytest.mark.parametrize("where", ["local:0", "local", "127.0.0.1:8786", "http://127.0.0.1:1", "tcp://host"])
def test_an_address_that_is_none(where: str) -> None:
    """What is no address is refused with what would be one."""
    with (
        pytest.raises(ClusterFault, match="names no cluster: give tcp://host:port, tls://host:port, or local:2"),
        joined(where),
    ):
        pass


def test_a_scheduler_without_workers() -> None:
    """A cluster that nobody works in is refused with the command that starts a worker."""
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None, protocol="tcp") as empty:
        where = empty.scheduler_address
        with pytest.raises(ClusterFault, match=f"has no workers: start some with `dask worker {where}`"), joined(where):
            pass


def test_the_packages_that_are_missing_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, described: Path
) -> None:
    """Without the extra the command names what to install."""
    for name in [name for name in sys.modules if name.startswith("training.cluster")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "distributed", None)
    told = CliRunner().invoke(
        main, [*FIT, str(tmp_path / "draft"), "--described-by", str(described), "--cluster", "local:2"]
    )
    assert 'pip install "creditline[training,distributed]", here and on every worker' in told.output
    assert told.exit_code == 1


def test_versions_are_compared_worker_by_worker() -> None:
    """Each worker that differs is named with what it has, what is here, and one that cannot say."""
    here = versions()
    require_same_versions({"tcp://a:1": here}, here)
    theirs = {
        "tcp://a:1": here,
        "tcp://b:1": {**here, "lightgbm": "4.6.0"},
        "tcp://c:1": ModuleNotFoundError("no training"),
    }
    with pytest.raises(ClusterFault) as caught:
        require_same_versions(theirs, here)
    said = str(caught.value)
    assert f"tcp://b:1 has lightgbm 4.6.0 (here {here['lightgbm']})" in said
    assert "tcp://c:1 cannot say its versions (no training): install creditline[training,distributed]" in said
    assert "tcp://a:1" not in said


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--search-trials", "3"), "a search works on one machine"),
        (("--segment", "kind"), "--segment works on one machine"),
    ],
)
def test_what_a_cluster_cannot_do_is_said_first(
    tmp_path: Path, described: Path, option: tuple[str, ...], says: str
) -> None:
    """Options for one machine are refused before a cluster is joined."""
    told = CliRunner().invoke(
        main, [*FIT, str(tmp_path / "d"), "--described-by", str(described), "--cluster", "local:2", *option]
    )
    assert told.exit_code == 2
    assert says in told.output


# -- a worker ------------------------------------------------------------------------------------------------


def test_a_fit_whose_worker_is_killed_begins_anew(cluster: Cluster, described: Path, usual: Made) -> None:
    """SIGKILL amid the trees: the worker comes back, and the fit ends with the very bytes of an unbroken one."""
    victim = next(iter(cluster.client.run(os.getpid, workers=[cluster.alive[1]]).values()))
    told: list[str] = []

    def kill(doing: str, done: int, of: int) -> None:
        if doing == "growing trees" and "growing trees" not in told:
            os.kill(victim, signal.SIGKILL)
        told.append(doing)

    assert fit_on(cluster, asked(described), kill).fitted.model_text == usual.fitted.model_text
    assert any("begins anew" in doing for doing in told)


def test_a_fit_that_keeps_losing_workers_ends(
    cluster: Cluster, described: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the third attempt the error says why, how often it was tried, and that nothing was written."""
    tried = []

    def lost(*arguments: object) -> None:
        tried.append(arguments)
        raise WorkerLost("worker tcp://a:1 is gone")

    monkeypatch.setattr(fitting, "attempt", lost)
    with pytest.raises(
        ClusterFault, match="a:1 is gone, for the 3rd time; nothing was written: look at the workers' logs"
    ):
        fit_on(cluster, asked(described))
    assert len(tried) == 3


def test_a_worker_that_says_nothing_is_named(cluster: Cluster) -> None:
    """A step longer than the time-out ends with an error that names the worker."""
    hasty = Cluster(cluster.client, 0.5)
    with pytest.raises(ClusterFault, match=f"worker {cluster.alive[0]} gave nothing for 0 s.*--cluster-timeout"):
        hasty.results([hasty.on(cluster.alive[0], time.sleep, 3)])
    with pytest.raises(ClusterFault, match="nothing came for 0 s"):
        list(hasty.each(time.sleep, [(3,)]))


def test_one_fit_at_a_time_on_a_worker(cluster: Cluster, described: Path) -> None:
    """A worker that is in a fit refuses another, and the first goes on."""
    wanted = asked(described)
    seen: list[str] = []

    def second(doing: str, done: int, of: int) -> None:
        if doing == "growing trees" and not seen:
            seen.append(doing)
            with pytest.raises(ClusterFault, match="another fit is running on this worker"):
                fit_on(cluster, wanted)

    fit_on(cluster, wanted, second)
    assert seen


def test_a_scheduler_that_ends_is_told() -> None:
    """Without its scheduler work ends with one line, and does not wait."""
    with (
        LocalCluster(n_workers=1, processes=False, host="127.0.0.1", protocol="tcp", dashboard_address=None) as short,
        joined(short.scheduler_address) as cluster,
    ):
        assert list(cluster.each(abs, [(-1,)])) == [1]
        short.close()
        with pytest.raises(ClusterFault, match="the scheduler is gone; nothing was written"):
            list(cluster.each(abs, [(-2,)]))


# -- TLS -----------------------------------------------------------------------------------------------------


def test_a_cluster_under_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ca, cert and key from a small file a TLS cluster is joined; without them it is not reached."""
    monkeypatch.setattr(joining, "_CONNECT_SECONDS", 2)
    made = Security.temporary()
    (tmp_path / "ca.pem").write_text(made.tls_ca_file)
    (tmp_path / "cert.pem").write_text(made.tls_client_cert)
    (tmp_path / "key.pem").write_text(made.tls_client_key)
    file = tmp_path / "tls.toml"
    file.write_text('ca = "ca.pem"\ncert = "cert.pem"\nkey = "key.pem"\n')
    with LocalCluster(
        n_workers=1, processes=False, host="tls://127.0.0.1", dashboard_address=None, security=made
    ) as closed:
        where = closed.scheduler_address
        assert where.startswith("tls://")
        with joined(where, file) as cluster:
            assert list(cluster.each(abs, [(-1,), (-2,)])) == [1, 2]
        with pytest.raises(ClusterFault, match=r"no cluster is reached.*give --cluster-security"), joined(where):
            pass


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ca = 1", "must name ca, cert and key"),
        ('ca = "a"\ncert = "b"\nkey = "c"', "there is no ca at"),
        ("ca", "not TOML"),
    ],
)
def test_a_wrong_security_file(tmp_path: Path, text: str, says: str) -> None:
    """What is wrong with the file is named."""
    (tmp_path / "tls.toml").write_text(text)
    with pytest.raises(ClusterFault, match=says):
        read_security(tmp_path / "tls.toml")
