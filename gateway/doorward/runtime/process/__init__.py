"""A program as a process: started, watched, ended; its files, its threads, its lock."""
