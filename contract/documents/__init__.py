"""The shapes of documents, for those who write them and those who read them."""
