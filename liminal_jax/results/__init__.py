"""Results as people read them: a page for each kind of result, drawn for terminals and as HTML."""
