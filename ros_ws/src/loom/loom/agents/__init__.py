"""The SDK: Agent, Context, teamwork, directory, host."""
