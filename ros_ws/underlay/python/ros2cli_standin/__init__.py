"""The verbs of the ``ros2`` command for machines whose ROS 2 came from pip and has no ros2cli."""
