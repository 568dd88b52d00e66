"""HTTP and events for the command line, the web and other programs on this machine."""

from p2pvalue.api.app import application
from p2pvalue.api.editors import serve_editors
from p2pvalue.api.locked import Gate, locked_application
from p2pvalue.api.server import serve

__all__ = ["Gate", "application", "locked_application", "serve", "serve_editors"]
