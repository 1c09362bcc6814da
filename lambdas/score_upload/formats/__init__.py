"""What an upload may be, read and written in bounded memory.

`detection` says which format it is, `compression` and `encoding` turn its bytes into text and
back, and a module a format turns that into a `table.Table` and its result. Nothing here calls
the model; nothing outside knows a format's syntax.
"""
