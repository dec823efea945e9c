"""A world that behaves like the robot: MuJoCo in process, Gazebo and Isaac over ROS."""
