"""The search: relaxed, snapped, polished, certified."""
