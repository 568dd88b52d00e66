"""Fault simulation of the core: many machines in one process, on virtual time, from one seed.

The machines are those of the node; the shell around them is replaced by dictionaries and a queue of
events. Nothing here waits, draws from the system or reads a clock, so a seed replays to the byte.
`python -m p2pvalue.sim --seed 7 --machines 5` runs one world and prints what became of it.
"""

from p2pvalue.sim.network import Faults
from p2pvalue.sim.world import Report, World, simulate

__all__ = ["Faults", "Report", "World", "simulate"]
