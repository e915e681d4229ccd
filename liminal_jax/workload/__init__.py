"""What must be computed: the model and the request."""
