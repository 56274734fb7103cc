"""Builds the library with cargo and puts it into the wheel.

`CODEX_BLOCKING_LIBRARY=path` takes a library that is built already, `CODEX_BLOCKING_PROFILE` is cargo's profile
("release"; "dev" is built faster). The wheel is for any Python 3 and for one platform:
on Linux with glibc, the oldest that has what the library needs (`manylinux_2_N`); else the one that Python names.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {"darwin": "libcodex_blocking.dylib", "win32": "codex_blocking.dll", "cygwin": "codex_blocking.dll"}
NAME = NAMES.get(sys.platform, "libcodex_blocking.so")
PLATFORM = sysconfig.get_platform().replace("-", "_").replace(".", "_")
# What every Linux with glibc has.
SYSTEM = re.compile(r"(libc|libm|libgcc_s|libpthread|libdl|librt|ld-linux-[a-z0-9-]+)\.so\.\d+")


def library():
    """Return the path of the library, which is built if it is not given."""
    given = os.environ.get("CODEX_BLOCKING_LIBRARY")
    if given:
        if not os.path.isfile(given):
            raise SystemExit(f"CODEX_BLOCKING_LIBRARY is no file: {given}")
        return given
    crate = os.path.join(HERE, "..", "..")
    if not os.path.exists(os.path.join(crate, "Cargo.toml")):
        raise SystemExit("build this package in the repository of codex-blocking, or set CODEX_BLOCKING_LIBRARY")
    profile = os.environ.get("CODEX_BLOCKING_PROFILE") or "release"
    command = ["cargo", "rustc", "--profile", profile, "--lib", "--features", "capi,tls", "--crate-type", "cdylib"]
    built = subprocess.run(
        [*command, "--message-format", "json-render-diagnostics"], cwd=crate, stdout=subprocess.PIPE, check=True
    )
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message["target"]["name"] == "codex_blocking":
            for path in message["filenames"]:
                if os.path.basename(path) == NAME:
                    return path
    raise SystemExit(f"cargo has not built {NAME}")


def platform_of(path):
    """Return the tag of the platforms that the library runs on."""
    if PLATFORM.startswith("macosx_"):
        # Python itself may be for two processors; the library is for one, and for what rustc builds for.
        machine = platform.machine()
        oldest = os.environ.get("MACOSX_DEPLOYMENT_TARGET") or ("11.0" if machine == "arm64" else "10.12")
        return f"macosx_{oldest.replace('.', '_')}_{machine}"
    if not PLATFORM.startswith("linux_"):
        return PLATFORM
    with open(path, "rb") as file:
        content = file.read()
    versions = [int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)", content)]
    needed = {name.decode() for name in re.findall(rb"(?<=\0)([a-zA-Z0-9_+-]+\.so\.\d+)(?=\0)", content)}
    strange = sorted(name for name in needed if not SYSTEM.fullmatch(name))
    if not versions or strange:
        print(f"no manylinux tag: {strange or 'not for glibc'}", file=sys.stderr)
        return PLATFORM
    # 17 is the oldest that pip knows under such a name.
    return f"manylinux_2_{max(17, *versions)}_{PLATFORM[len('linux_'):]}"


class BuildPy(build_py):
    def run(self):
        super().run()
        # What is installed for editing is the folder itself.
        target = HERE if getattr(self, "editable_mode", False) else self.build_lib
        target = os.path.join(target, "codex_blocking")
        self.mkpath(target)
        # Not over a library that is loaded.
        path = os.path.join(target, NAME)
        shutil.copyfile(library(), path + ".new")
        os.replace(path + ".new", path)


class BdistWheel(bdist_wheel):
    def get_tag(self):
        path = os.path.join(self.bdist_dir, "codex_blocking", NAME)
        # What is installed for editing is for this machine, and its tag is asked for before it is built.
        return "py3", "none", platform_of(path) if os.path.exists(path) else PLATFORM


class Binary(Distribution):
    """It has a binary, though not an extension module."""

    def has_ext_modules(self):
        return True


setup(cmdclass={"build_py": BuildPy, "bdist_wheel": BdistWheel}, distclass=Binary)
