"""The search finds what is known to be there, and says that a fence stands before it."""

import subprocess
import sys
from pathlib import Path

SEARCH = Path(__file__).with_name("search.py")


def test_a_known_crash_is_found_and_fenced():
    command = [sys.executable, "-W", "ignore", str(SEARCH), "--ops", "lu_unpack", "--cases", "150", "--seed", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    rows = [line.split("\t") for line in ended.stdout.splitlines() if "\t" in line]
    assert ["fenced", "lu_unpack"] in [row[:2] for row in rows], ended.stdout + ended.stderr
    assert {row[2] for row in rows} & {"SIGSEGV", "SIGABRT"}
    assert not [row for row in rows if row[0] == "NEW"]
    assert ended.returncode == 0
