"""The functions that run on events, a folder each: `handler` wires, `logic` decides, `settings` reads.

Functions share `adapters/`, the only users of boto3, and nothing else.
"""
