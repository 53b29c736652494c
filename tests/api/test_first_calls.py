"""The first calls after a start come at once, from many threads."""

from __future__ import annotations

import subprocess
import sys

_AT_ONCE = """
import sys, threading
import django
django.setup()
from allswell.api import front
from allswell.api.contract import OPERATIONS
import msgspec
sys.setswitchinterval(1e-6)
shapes = [made.body for made in OPERATIONS if made.body] + [made.query for made in OPERATIONS if made.query]
content = {shape: b"{" + b",".join(b'"%s":{}' % name.encode() for name in shape.__struct_fields__) + b"}" for shape in shapes}
ready = threading.Barrier(12)
def call():
    ready.wait()
    for shape in shapes:
        try:
            front._DECODERS[shape].decode(content[shape])
        except msgspec.ValidationError:
            pass
threads = [threading.Thread(target=call) for _ in range(12)]
for one in threads: one.start()
for one in threads: one.join()
print("answered", len(shapes) > 50)
"""


def test_first_calls_from_many_threads_at_once_end_no_process() -> None:
    """A decoder that is made while another thread makes one of the same shape reads where nothing is yet (msgspec 0.22)."""
    done = subprocess.run([sys.executable, "-c", _AT_ONCE], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "answered True"), done.stderr[-2_000:]
