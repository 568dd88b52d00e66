"""`python -m p2pvalue_cli` is `p2pvalue`."""

from p2pvalue_cli.main import cli

cli(prog_name="p2pvalue")
