"""What runs is kept running: the tree of supervision, what follows from a failure, and the keeper of the processes."""
