"""What `run.py` calls inside `.venv`: execute notebooks, generate exercises, reset and check a sheet."""
