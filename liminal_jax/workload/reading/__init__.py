"""What readers of configs share: fields, parts, and how a family of models is announced."""
