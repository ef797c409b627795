"""The tasks of each sheet, and the checked questions of its lesson: ``sheet_NN.TASKS``, found by ``checks.find_task``."""
