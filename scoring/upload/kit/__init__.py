"""What reading, asking and writing share: errors, and the model server's responses, checked."""
