"""What is worth a page: one `Watch` an alarm."""
