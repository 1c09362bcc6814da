"""The local cloud put together: ministack, this project's services, and the process that serves them."""
