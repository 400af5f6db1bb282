"""Compiles ``scanner/native.c`` while the project is built, where there is a C compiler.

Where there is none, or it fails, the build goes on without: the program does the same more slowly.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "scanner/native.c"
TARGET = "scanner/_native.so"
# Strict aliasing and the like are left at the standard's; nothing is tuned to the machine that builds.
FLAGS = ("-std=c11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden", "-s")


def compile_library(project: Path) -> str | None:
    """Make `TARGET`; gives what went wrong, None where nothing did.

    The compiler is ``CC`` of the environment, else ``cc``. The library is put in place whole: a program that
    has loaded the one before goes on with that.
    """
    source, target = project / SOURCE, project / TARGET
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    new = target.with_name(f"{target.name}.{os.getpid()}")
    command = [*shlex.split(os.environ.get("CC") or "cc"), *FLAGS, f'-DSOURCE="{digest}"']
    try:
        done = subprocess.run(
            [*command, "-o", str(new), SOURCE], cwd=project, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return done.stderr.strip() or f"the compiler ended with {done.returncode}"
        new.replace(target)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    finally:
        new.unlink(missing_ok=True)
    return None


class NativeHook(BuildHookInterface[Any]):
    """Puts the library into a wheel, or beside its source for an editable installation."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; a wheel that holds the library is one for this platform alone."""
        del version
        target = Path(self.root) / TARGET
        if sys.platform != "linux":
            return
        problem = compile_library(Path(self.root))
        if problem is not None:
            target.unlink(missing_ok=True)
            self.app.display_warning(f"built without {TARGET}, tables are read more slowly: {problem}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(f"/{TARGET}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
