"""Files that people drop on the page: received, looked at and read apart from the server."""
