"""The unmodified aws CLI, as its users run it: a process of its own, pointed here by environment variables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Result:
    """What a command came to."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The answer; only of a command that succeeded."""
        assert self.status == 0, f"exit status {self.status}: {self.stderr}"
        return json.loads(self.stdout) if self.stdout.strip() else None


@dataclass
class Cli:
    """The CLI with the credentials of an account."""

    endpoint: str
    account: str
    region: str
    # An empty directory: no configuration of this machine may reach the CLI.
    home: Path

    def run(self, *arguments: str, within: float = 120.0) -> Result:
        """`aws ecs ARGUMENTS...`"""
        aws = Path(sys.executable).with_name("aws")
        done = subprocess.run(
            [sys.executable, str(aws), "ecs", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "AWS_CONFIG_FILE": str(self.home / "none"),
                "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "none"),
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_ACCESS_KEY_ID": self.account,
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_REGION": self.region,
                "AWS_DEFAULT_REGION": self.region,
                "AWS_DEFAULT_OUTPUT": "json",
                "AWS_MAX_ATTEMPTS": "1",
                "AWS_PAGER": "",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def __call__(self, *arguments: str) -> Any:
        """The answer of a command that must succeed."""
        return self.run(*arguments).json
