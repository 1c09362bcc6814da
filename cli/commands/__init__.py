"""The commands of `./millrace`, one module each."""
