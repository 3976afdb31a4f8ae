"""What a job reports besides its exit code: three files that it may write, and what they say.

`files` says where they are and reads them whatever a job made of them, `reading` understands them, `headway`
tells of the progress while the job runs.
"""
