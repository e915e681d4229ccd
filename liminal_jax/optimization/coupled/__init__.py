"""Problems of many members: relaxed optimum by gradients, snapped, polished, and bounded."""
