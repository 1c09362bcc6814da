"""What an upload may be, as requests to the model and as the result that is written.

`tabular.formats` reads it; a module a format turns that into a `table.Table` and its result.
Nothing here calls the model; nothing outside knows how a result is written.
"""
