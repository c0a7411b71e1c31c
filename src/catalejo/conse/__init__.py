"""The embedded encoder, piece by piece: checkpoint, graph, labels, space."""
