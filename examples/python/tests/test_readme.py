"""The programs of the README, with the fake server in the place of `codex`."""

import os
import re
import shlex
import subprocess
import sys

import pytest
from conftest import FAKE, HERE

with open(os.path.join(HERE, "..", "README.md"), encoding="utf-8") as file:
    PROGRAMS = re.findall(r"```python\n(.*?)```", file.read(), re.S)

PRINTED = [
    "userMessage Say hello\ncodex echo: Say hello\n",
    "echo: Say hello",
    "echo: What is in this folder?\necho: And in its parent?\n",
    "echo: Say hello",
]


@pytest.mark.parametrize("at", range(len(PRINTED)))
def test_a_program_of_the_readme_runs(at):
    assert len(PROGRAMS) == len(PRINTED)
    env = {**os.environ, "CODEX_APP_SERVER_CMD": shlex.join(FAKE)}
    run = subprocess.run([sys.executable, "-c", PROGRAMS[at]], env=env, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == (PRINTED[at], "")


def test_the_first_program_has_five_lines():
    assert len([line for line in PROGRAMS[0].splitlines() if line]) <= 5


def test_the_bridge_to_asyncio_has_twenty_lines():
    (function,) = re.findall(r"^async def items.*?\n\n\n", PROGRAMS[3], re.S | re.M)
    assert len(function.strip().splitlines()) <= 20
