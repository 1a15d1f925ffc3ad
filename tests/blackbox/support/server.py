"""The `kecs` process under test: started on free ports, stopped, killed, started again."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .patience import until

ROOT = Path(__file__).resolve().parents[3]

# A debug build on a busy machine takes its time; a good start takes some 100 ms.
READY_WITHIN = 30.0
GONE_WITHIN = 30.0

READY = re.compile(r"^kecs ready:(?P<fields>( \S+=\S+)+)$", re.MULTILINE)


def binary() -> Path:
    """The `kecs` to test: `$KECS_BIN`, else what cargo built last in the usual place."""
    given = os.environ.get("KECS_BIN")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = Path(given) if given else target / "debug" / "kecs"
    if not path.is_file():
        raise FileNotFoundError(f"no kecs at {path}: build it, or set KECS_BIN")
    return path


def orchestrator(data_dir: Path) -> dict[str, str]:
    """What runs the tasks: the simulation, or the Kubernetes that the whole run is for."""
    if not kubernetes_asked_for():
        return {"--orchestrator": "simulated"}
    kubeconfig = real_cluster()
    assert kubeconfig, "KECS_TEST_ORCHESTRATOR=kubernetes needs KECS_TEST_KUBECONFIG"
    # Who starts again on the same data finds its Pods again.
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    return {"--orchestrator": "kubernetes", "--kubeconfig": kubeconfig, "--installation": f"blackbox-{name}"}


def kubernetes_asked_for() -> bool:
    """Whether the suites run against Kubernetes: `KECS_TEST_ORCHESTRATOR=kubernetes`."""
    return os.environ.get("KECS_TEST_ORCHESTRATOR") == "kubernetes"


def real_cluster() -> str | None:
    """The kubeconfig for kecs itself: `KECS_TEST_KUBECONFIG_KECS`, else `KECS_TEST_KUBECONFIG`."""
    return os.environ.get("KECS_TEST_KUBECONFIG_KECS") or os.environ.get("KECS_TEST_KUBECONFIG")


def command(data_dir: Path, *extra: str, storage: str = "duckdb") -> list[str]:
    """The command line of a server on free ports."""
    flags = {
        "--listen": "127.0.0.1:0",
        "--admin-listen": "127.0.0.1:0",
        "--data-dir": str(data_dir),
        "--storage": storage,
        **orchestrator(data_dir),
    }
    given = {flag for flag in extra if flag.startswith("--")}
    kept = [part for flag, value in flags.items() if flag not in given for part in (flag, value)]
    return [str(binary()), "serve", *kept, *extra]


def environment() -> dict[str, str]:
    """This process's environment without any setting for the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KECS_")}


@dataclass
class Server:
    """A running `kecs serve`."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    stdout: Path
    stderr: Path
    fields: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, data_dir: Path, *extra: str, storage: str = "duckdb") -> Server:
        """Starts a server and waits until it says that it is ready."""
        data_dir.mkdir(parents=True, exist_ok=True)
        logs = data_dir.parent / f"{data_dir.name}-logs"
        logs.mkdir(exist_ok=True)
        life = len(list(logs.glob("*.out")))
        stdout, stderr = logs / f"{life}.out", logs / f"{life}.err"
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                command(data_dir, *extra, storage=storage),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment(),
            )
        server = cls(process, data_dir, stdout, stderr)
        try:
            server.fields = until(server._ready, bool, within=READY_WITHIN, what="the ready line")
        except BaseException:
            server.kill()
            raise
        return server

    def _ready(self) -> dict[str, str]:
        found = READY.search(self.stdout.read_text())
        if found:
            return dict(part.split("=", 1) for part in found["fields"].split())
        status = self.process.poll()
        assert status is None, f"kecs ended with {status} before it was ready:\n{self.log()}"
        return {}

    @property
    def api(self) -> str:
        """The URL of the API."""
        return self.fields["api"]

    @property
    def admin(self) -> str:
        """The URL of the admin pages."""
        return self.fields["admin"]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the API."""
        url = urlsplit(self.api)
        assert url.hostname
        assert url.port
        return url.hostname, url.port

    def log(self) -> str:
        """What it wrote to standard error, the end of it."""
        return self.stderr.read_text(errors="replace")[-8000:]

    def kill(self) -> None:
        """SIGKILL: nothing can be tidied up."""
        self.process.kill()
        self.process.wait(GONE_WITHIN)

    def terminate(self) -> None:
        """SIGTERM, without waiting for the end."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(GONE_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
