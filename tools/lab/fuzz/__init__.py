import tools.rig  # noqa: F401  puts firmware/ on the path
