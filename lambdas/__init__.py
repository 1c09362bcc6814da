"""What runs on events. One folder a function: `handler` wires, `logic` decides, `settings` reads.

Functions share `adapters/`, the only users of boto3, and nothing else.
"""
