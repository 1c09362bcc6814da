"""Names that rooms must agree on: of jobs, variables, parameters, outputs, metrics, members of documents."""
