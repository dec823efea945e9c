"""The same bus for processes that have no ROS."""
