"""What the test cluster is made of: Debian's packages, and the one program that is all parts of Kubernetes."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import images

HERE = Path(__file__).resolve().parent
VERSION = "1.37.2"  # of k8s.io/kubernetes in node/go.mod
PACKAGES = {  # by a program that each brings
    "/usr/bin/containerd": "containerd",
    "/usr/sbin/runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/usr/sbin/ip": "iproute2",
    "/usr/sbin/iptables": "iptables",
    "/usr/sbin/nft": "nftables",
    "/usr/sbin/conntrack": "conntrack",
    "/bin/busybox": "busybox-static",
    "/usr/bin/catatonit": "catatonit",
    "/usr/bin/openssl": "openssl",
}
# Modules, Go's build cache, and the program.
ROOM = 7 << 30


class CannotRun(Exception):
    """This machine can't run the cluster."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def install_packages():
    missing = sorted({package for program, package in PACKAGES.items() if not os.path.exists(program)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise CannotRun(f"these packages are missing, and there is no apt-get: {' '.join(missing)}")
    say(f"installing {' '.join(missing)}")
    # RUNLEVEL=1 keeps Debian's scripts from starting containerd as a service.
    environment = os.environ | {"RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
        subprocess.run(["apt-get", "update", "-q"], stdout=subprocess.DEVNULL)
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
            raise CannotRun(f"these packages can't be installed: {' '.join(missing)}")


def node_binary():
    """The program that is all parts of Kubernetes; built once for each state of its sources."""
    given = os.environ.get("KECS_TEST_NODE_BINARY")
    if given:
        return Path(given)
    source = HERE / "node"
    key = images.sha256(b"".join((source / name).read_bytes() for name in ["go.mod", "go.sum", "main.go"]))[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kecs" / "kubernetes" / f"{VERSION}-{key}"
    binary = cache / "node"
    if not binary.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with open(cache / "lock", "w") as lock:
            # Two that build would only take longer.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not binary.exists():
                build(source, binary)
    return binary


def build(source, binary):
    if not shutil.which("go"):
        raise CannotRun("there is no Go to build Kubernetes with")
    if shutil.disk_usage(binary.parent).free < ROOM:
        raise CannotRun(f"building Kubernetes takes {ROOM >> 30} GiB of disk, and {binary.parent} has less")
    # Go's own caches are where Go keeps them: outside of the checkout, and good for the next version too.
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    say(f"fetching the sources of Kubernetes {VERSION}")
    if subprocess.run(["go", "mod", "download"], cwd=source, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
        raise CannotRun("the sources of Kubernetes can't be fetched")
    say(f"building Kubernetes {VERSION} (once; ten minutes or more on two cores)")
    major, minor, _ = VERSION.split(".")
    stamps = []
    # Without these the servers call themselves by an unexpanded placeholder, and the kubelet refuses to parse it.
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]:
        stamps += [f"-X {package}.gitVersion=v{VERSION}", f"-X {package}.gitMajor={major}", f"-X {package}.gitMinor={minor}"]
    unfinished = binary.with_suffix(".new")
    command = ["go", "build", "-trimpath", f"-ldflags=-s -w {' '.join(stamps)}", "-o", str(unfinished), "."]
    subprocess.run(command, cwd=source, env=environment, check=True)
    unfinished.rename(binary)
