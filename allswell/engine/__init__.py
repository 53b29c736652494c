"""The engine: what happens by itself. `run(stop)` works until the event is set.

from allswell.engine.modules import run
"""
