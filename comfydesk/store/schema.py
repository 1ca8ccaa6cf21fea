"""The schema, migration by migration: entry n takes a library from version n to n + 1. Never change an old entry.

Seeds are text: they need 64 unsigned bits and SQLite's integers are signed. JSON is text too.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Workflow documents and API graphs, once each. `data` is zlib-compressed JSON; `hash` is the SHA-256 of the
        # canonical JSON (sorted keys, no blanks).
        "CREATE TABLE documents (hash TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
        # What a job is to make, and what came of it on which pod: kept as long as the library, whatever is done to the
        # queue. `timings` is JSON: seconds since the epoch by the name of the moment.
        """CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            workflow_id TEXT NOT NULL,
            workflow TEXT NOT NULL,
            graph_hash TEXT NOT NULL REFERENCES documents (hash),
            document_hash TEXT REFERENCES documents (hash),
            field_values TEXT NOT NULL,
            prompt TEXT NOT NULL,
            seed TEXT,
            batch TEXT NOT NULL,
            pod TEXT,
            timings TEXT NOT NULL DEFAULT '{}'
        ) WITHOUT ROWID""",
        "CREATE INDEX runs_by_batch ON runs (batch)",
        # The queue's row of a run. `target` is a pod's id or "any"; `pod` is where it is or was sent, NULL before.
        # `posted`: when its POST began that may have arrived although no answer came; kept until an answer has come.
        """CREATE TABLE jobs (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE REFERENCES runs (id),
            state TEXT NOT NULL,
            owner TEXT NOT NULL,
            remote_id TEXT NOT NULL,
            folder TEXT NOT NULL,
            target TEXT NOT NULL,
            pod TEXT,
            position REAL NOT NULL,
            created REAL NOT NULL,
            posted REAL,
            sent REAL,
            started REAL,
            finished REAL,
            error TEXT,
            warning TEXT,
            texts TEXT NOT NULL DEFAULT '[]',
            hidden INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX jobs_by_state ON jobs (state, position)",
        # People read it ORDER BY ended, place, number: what is to come, then what ended, the latest first.
        """CREATE VIEW job_rows AS SELECT jobs.*, finished IS NOT NULL AS ended, coalesce(-finished, position) AS place,
            workflow_id, workflow, graph_hash, document_hash, field_values, prompt, seed, batch
            FROM jobs JOIN runs ON runs.id = jobs.id""",
        "CREATE INDEX jobs_as_listed ON jobs (hidden, finished IS NOT NULL, coalesce(-finished, position), number)",
        """CREATE TABLE outputs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path TEXT NOT NULL UNIQUE,
            media TEXT NOT NULL,
            size INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            created REAL NOT NULL,
            run TEXT REFERENCES runs (id),
            workflow TEXT NOT NULL,
            pod TEXT NOT NULL,
            prompt TEXT NOT NULL,
            seed TEXT,
            width INTEGER,
            height INTEGER,
            duration REAL,
            remote_type TEXT NOT NULL,
            remote_subfolder TEXT NOT NULL,
            remote_filename TEXT NOT NULL,
            etag TEXT NOT NULL
        )""",
        "CREATE INDEX outputs_by_time ON outputs (created, id)",
        "CREATE INDEX outputs_by_run ON outputs (run)",
        "CREATE INDEX outputs_by_identity ON outputs (pod, remote_filename, remote_subfolder, remote_type, etag)",
        # What a finished job left on its pod, in the pod's order: saved once `output` is set. `path` is where it goes;
        # it is written down before the download begins, so that a file found there later is known to be ours.
        """CREATE TABLE job_files (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            type TEXT NOT NULL,
            subfolder TEXT NOT NULL,
            filename TEXT NOT NULL,
            path TEXT,
            output INTEGER REFERENCES outputs (id) ON DELETE SET NULL,
            lost TEXT,
            PRIMARY KEY (job, number)
        ) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX job_files_by_path ON job_files (path)",
        # Inputs that a pod has, under the name it gave them.
        """CREATE TABLE uploads (
            pod TEXT NOT NULL, sha256 TEXT NOT NULL, name TEXT NOT NULL,
            PRIMARY KEY (pod, sha256)
        ) WITHOUT ROWID""",
        # Seconds that a node took, averaged; `steps` is the maximum it reported then (0: none).
        """CREATE TABLE timings (
            pod TEXT NOT NULL, signature TEXT NOT NULL, node TEXT NOT NULL,
            seconds REAL NOT NULL, steps REAL NOT NULL,
            PRIMARY KEY (pod, signature, node)
        ) WITHOUT ROWID""",
        # What holds for the queue as a whole ("paused").
        "CREATE TABLE flags (name TEXT PRIMARY KEY) WITHOUT ROWID",
    ),
    (
        # What a scan found in a workflow file, as long as the file stays the same. `path` is bytes: names need not be
        # Unicode. `rules` is the version of the scanner; other versions' cards count as unknown.
        """CREATE TABLE workflow_cards (
            path BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            rules INTEGER NOT NULL,
            card TEXT NOT NULL
        ) WITHOUT ROWID""",
    ),
    (
        # What the user says of a workflow, by its id: `tags` is a JSON list, `opened` seconds since the epoch.
        """CREATE TABLE workflow_marks (
            workflow TEXT PRIMARY KEY,
            favourite INTEGER NOT NULL,
            opened REAL NOT NULL,
            tags TEXT NOT NULL
        ) WITHOUT ROWID""",
    ),
)
