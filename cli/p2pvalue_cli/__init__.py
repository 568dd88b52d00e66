"""The command line: questions to a running node, asked over its API.

A call imports click, http.client and its own command, and nothing of the node: it feels instant.
"""
