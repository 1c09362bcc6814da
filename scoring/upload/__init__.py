"""An upload read, asked of a model, and its one result written: for functions and jobs alike."""
