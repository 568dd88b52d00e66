"""The public library of p2pvalue: tools for communities that make something together."""

__version__ = "0.1.0"
