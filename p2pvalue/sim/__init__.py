"""Fault simulation of the core: many machines in one process, on virtual time, from one seed.

The machines are those of the node; the shell around them is replaced by dictionaries and a queue of
events. Nothing here waits, draws from the system or reads a clock, so a seed replays to the byte.
A scenario and a seed make a plan, a plan makes a world, and a world is judged (decision record
0019). `p2pvalue sim run --seed 7 --scenario split` runs one and prints what became of it.
"""

from p2pvalue.sim.scenario import Event, Plan, Scenario, Weather
from p2pvalue.sim.world import Report, World

__all__ = ["Event", "Plan", "Report", "Scenario", "Weather", "World"]
