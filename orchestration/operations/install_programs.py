"""``make programs``: install the Debian packages of programs that this machine lacks. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from kodomo.programs import NO_PROGRAM, Program, locate, programs


def missing_packages() -> list[str]:
    """Debian packages of the list that this machine lacks, each once, in the order of the list."""
    return list(dict.fromkeys(program.package for program in programs() if not _is_there(program)))


def _is_there(program: Program) -> bool:
    if program.name != NO_PROGRAM:
        return locate(program.name) is not None
    asked = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", program.package],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() == "installed"


def privileges() -> list[str] | None:
    """What stands before a command that needs root: nothing for root, else sudo; None where there is neither."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def main() -> int:
    """Install what is missing; exit code 1, saying what to do, where this account may not."""
    packages = missing_packages()
    if not packages:
        return 0
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        print(f"This system has no apt-get. Install what Debian calls: {names}", file=sys.stderr)
        return 1
    before = privileges()
    if before is None:
        print(f"These packages are missing; as root: apt-get install --no-install-recommends {names}", file=sys.stderr)
        return 1
    print(f"Installing {names}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    keep = [*before, "--preserve-env=DEBIAN_FRONTEND"] if before else []
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run([*keep, *command], env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            print(f"{' '.join(command[:2])} failed: install by hand {names}", file=sys.stderr)
            return 1
    left = missing_packages()
    if left:
        print(f"Still missing after the installation: {' '.join(left)}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
