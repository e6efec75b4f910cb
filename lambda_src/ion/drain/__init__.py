"""One run over the queue: receive, admit, send, settle."""
