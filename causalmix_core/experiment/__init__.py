"""Plans, the store of projects, workers and statistics over runs.

store         projects: documents, data frames, files
workspace     what a project's documents mean
jobs          background jobs and their states; `worker` is the process that does them
tasks, runs   what each kind of job does
plan          tables x sizes x seeds x methods
experiment    a whole plan into a folder: `run_experiment(Plan(...), out, resume=...)`
results       runs as tables; statistics: what they say
bundle        a project as one file, and back
"""
