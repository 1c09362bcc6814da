"""What Millrace costs, beside what others cost or the limit, measured in one run.

`python -m benchmarks serving|files|uploads|cold_start`. The figures of one machine on one
day are in `docs/performance.md`.
"""
