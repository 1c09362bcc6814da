"""What is described, listed, tagged and registered, of whichever kind."""
