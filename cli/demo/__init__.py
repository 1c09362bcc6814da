"""`./millrace demo`: the whole loop on the local cloud, in a minute."""
