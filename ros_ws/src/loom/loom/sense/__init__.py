"""The world becomes events: sound, pictures, depth, network."""
