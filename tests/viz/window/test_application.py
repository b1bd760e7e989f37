"""The one application: what a frame asks for is not given back and cleared again for the next."""

from __future__ import annotations

import os
import subprocess
import sys

FAULTS = """
import resource
import numpy as np
from bellwire.viz.window.application import application

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(1 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

app = application()
faults()
print(faults())
"""
PAGES = 20 * (1 << 20) // 4096  # that twenty times a megabyte has


def test_a_frame_finds_the_room_of_the_one_before() -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    ran = subprocess.run([sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True)
    assert int(ran.stdout) < PAGES / 10
