"""What the benchmarks compare with; runs in the environment of `benchmarks/requirements.txt`."""
