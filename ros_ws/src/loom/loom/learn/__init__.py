"""Training in simulation, on one machine or many."""
