"""Pages, plots and cards that people read about a run. No AWS, no network."""
