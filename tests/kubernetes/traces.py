"""What a cluster leaves on a machine, recorded before and taken back after: only what was not there before.

Kubernetes writes kernel settings, packet filter chains, cgroups, mounts and a few fixed directories.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from program import CannotRun

# What kubelet, kube-proxy and the network plugins set.
SETTINGS = [
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
    "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net/ipv4/conf/default/forwarding",
    "net/ipv4/conf/all/route_localnet", "net/ipv4/conf/all/arp_ignore", "net/ipv4/conf/all/arp_announce",
    "net/ipv6/conf/all/forwarding", "net/ipv6/conf/default/forwarding",
    "net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait", "net/netfilter/nf_conntrack_tcp_be_liberal",
    "net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables",
]
# Written whatever the configuration says.
DIRECTORIES = [
    "/var/lib/kubelet", "/var/log/containers", "/var/log/pods", "/var/lib/cni", "/var/lib/containerd",
    "/run/containerd", "/run/netns", "/opt/cni", "/etc/cni", "/usr/libexec/kubernetes", "/etc/kubernetes",
]
CHAINS = ("KUBE-", "CNI-")
FILTERS = ["iptables", "ip6tables"]


def record(state):
    settings = {}
    for name in SETTINGS:
        path = Path("/proc/sys") / name
        if path.exists():
            settings[name] = path.read_text().strip()
    before = {
        "settings": settings,
        "directories": [path for path in DIRECTORIES if os.path.exists(path)],
        "chains": {filter: sorted(map(list, chains(filter))) for filter in FILTERS},
        "nft": nft_tables(),
    }
    (state / "before.json").write_text(json.dumps(before, indent=2))


def restore(state):
    try:
        before = json.loads((state / "before.json").read_text())
    except FileNotFoundError:
        return  # nothing was made yet
    for filter in FILTERS:
        remove_chains(filter, {tuple(chain) for chain in before["chains"][filter]})
    for table in nft_tables():
        # The standard tables come into being with the first rule. With rules in them by now, they are somebody's.
        if table not in before["nft"] and ("kube" in table or not has_rules(table)):
            subprocess.run(["nft", "delete", "table", *table.split()], capture_output=True)
    for name, value in before["settings"].items():
        path = Path("/proc/sys") / name
        if path.exists() and path.read_text().strip() != value:
            path.write_text(value)
    for path in DIRECTORIES:
        if path not in before["directories"] and os.path.exists(path):
            unmount(Path(path))
            shutil.rmtree(path, ignore_errors=True)


# Packet filters

def rules(filter):
    """Table and line of everything in it."""
    saved = subprocess.run([f"{filter}-save"], capture_output=True, text=True)
    table = None
    for line in saved.stdout.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith((":", "-A")):
            yield table, line


def chains(filter):
    found = set()
    for table, line in rules(filter):
        name = line[1:].split()[0]
        if line.startswith(":") and name.startswith(CHAINS):
            found.add((table, name))
    return found


def remove_chains(filter, kept):
    ours = chains(filter) - kept
    for table, line in list(rules(filter)):
        words = shlex.split(line)
        if words[0] != "-A":
            continue
        target = words[words.index("-j") + 1] if "-j" in words else None
        if (table, target) in ours and (table, words[1]) not in ours:
            subprocess.run([filter, "-w", "-t", table, "-D", *words[1:]], capture_output=True)
    for action in ["-F", "-X"]:
        for table, name in ours:
            subprocess.run([filter, "-w", "-t", table, action, name], capture_output=True)


def nft_tables():
    listed = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True)
    return [line.removeprefix("table ") for line in listed.stdout.splitlines()]


def has_rules(table):
    listed = subprocess.run(["nft", "--json", "list", "table", *table.split()], capture_output=True, text=True)
    return listed.returncode != 0 or any("rule" in it for it in json.loads(listed.stdout)["nftables"])


# Cgroups

def hierarchies():
    """Where cgroups are mounted: one place for each controller in version 1, one for all in version 2."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, path, kind, options, *_ = line.split()
        if kind == "cgroup" or (kind == "cgroup2" and (Path(path) / "cgroup.controllers").read_text().strip()):
            yield Path(path), kind


def make_cgroups(name):
    for root, kind in hierarchies():
        ours = root / name
        ours.mkdir(exist_ok=True)
        for setting in ["cpuset.cpus", "cpuset.mems"]:
            if kind == "cgroup" and (root / setting).exists():
                # A new one has none, and nothing could run in it.
                (ours / setting).write_text((root / setting).read_text())
        if kind == "cgroup2":
            available = (ours / "cgroup.controllers").read_text().split()
            (ours / "cgroup.subtree_control").write_text(" ".join(f"+{it}" for it in available))


def remove_cgroups(name):
    for root, _ in hierarchies():
        for directory, _, _ in os.walk(root / name, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass  # a process is still ending in it; the next teardown finds it empty


def processes_in(name):
    found = set()
    for root, _ in hierarchies():
        for directory, _, files in os.walk(root / name):
            if "cgroup.procs" in files:
                try:
                    found.update(map(int, (Path(directory) / "cgroup.procs").read_text().split()))
                except OSError:
                    pass
    return found


def shims(state):
    """The processes that hold containers: ours are told where our containerd listens."""
    address = str(state / "containerd" / "sock").encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"containerd-shim-runc-v2") and address in words:
                yield int(entry.name)


def end_containers(name, state):
    for _ in range(100):
        left = processes_in(name) | set(shims(state))
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not left:
            return
        time.sleep(0.1)


# Mounts

def unmount(under):
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for path in sorted((it for it in mounted if Path(it).is_relative_to(under)), reverse=True):
        subprocess.run(["umount", "--lazy", path], capture_output=True)


# What must be possible

def check(link, cgroup, directory):
    """Raises CannotRun where a container could not be made, before anything is changed for good."""
    if subprocess.run(["ip", "link", "show", link], capture_output=True).returncode == 0:
        raise CannotRun(f"there is a network device {link} already, which no cluster of ours made")
    made = subprocess.run(["ip", "link", "add", link, "type", "bridge"], capture_output=True, text=True)
    if made.returncode != 0:
        raise CannotRun(f"no bridge can be made: {made.stderr.strip()}")
    subprocess.run(["ip", "link", "delete", link], capture_output=True)
    if not list(hierarchies()):
        raise CannotRun("no cgroups are mounted")
    try:
        make_cgroups(cgroup)
    except OSError as error:
        raise CannotRun(f"no cgroup can be made: {error}") from None
    finally:
        remove_cgroups(cgroup)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        for name in ["lower", "upper", "work", "whole"]:
            os.mkdir(f"{scratch}/{name}")
        options = f"lowerdir={scratch}/lower,upperdir={scratch}/upper,workdir={scratch}/work"
        mounted = subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", options, f"{scratch}/whole"], capture_output=True, text=True)
        if mounted.returncode != 0:
            raise CannotRun(f"no overlay can be mounted in {directory}: {mounted.stderr.strip()}")
        subprocess.run(["umount", f"{scratch}/whole"], capture_output=True)
    if subprocess.run(["unshare", "--net", "--pid", "--mount", "--fork", "true"], capture_output=True).returncode != 0:
        raise CannotRun("no namespaces can be made")
    listed = subprocess.run(["iptables-save"], capture_output=True, text=True)
    if listed.returncode != 0:
        raise CannotRun(f"there is no packet filter: {listed.stderr.strip()}")
