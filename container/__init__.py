"""The image of jobs and model server: its entry point, where its files are, and whose fault a failure is."""
