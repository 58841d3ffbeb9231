"""The services that ours is compared with, each as its library's documentation shows it. `PEER_MODEL` is the model."""
