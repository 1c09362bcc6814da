"""The one front door, `./millrace …`: what people run by hand, against the laptop or an account."""
