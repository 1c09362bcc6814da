"""What `validate` finds in a dataset: values that break the contract, and what only the whole can show.

`collecting` reads the rows once and keeps counts, digests and a sample; `judging` makes the checks of
`contract.checks` of them; `document` and `page` tell it.
"""
