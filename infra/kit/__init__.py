"""Parts of which the constructs of every capability are made."""
