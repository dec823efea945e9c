"""The only glue to ROS: bus, QoS profiles, message conversion, base node, executor."""
