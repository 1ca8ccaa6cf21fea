"""The schema, migration by migration: entry n takes a library from version n to n + 1. Never change an old entry.

Seeds are text: they need 64 unsigned bits and SQLite's integers are signed. JSON is text too.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Workflow documents and API graphs, once each. `data` is zlib-compressed JSON; `hash` is the SHA-256 of the
        # canonical JSON (sorted keys, no blanks).
        "CREATE TABLE documents (hash TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
        """CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            state TEXT NOT NULL,
            owner TEXT NOT NULL,
            remote_id TEXT NOT NULL,
            folder TEXT NOT NULL,
            workflow TEXT NOT NULL,
            pod TEXT NOT NULL,
            graph_hash TEXT NOT NULL REFERENCES documents (hash),
            document_hash TEXT REFERENCES documents (hash),
            field_values TEXT NOT NULL,
            prompt TEXT NOT NULL,
            seed TEXT,
            position REAL NOT NULL,
            created REAL NOT NULL,
            -- When its POST began that may have arrived although no answer came; kept until an answer has come.
            posted REAL,
            sent REAL,
            started REAL,
            finished REAL,
            error TEXT,
            warning TEXT
        )""",
        "CREATE INDEX jobs_by_state ON jobs (state, position)",
        "CREATE INDEX jobs_by_end ON jobs (finished)",
        """CREATE TABLE outputs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path TEXT NOT NULL UNIQUE,
            media TEXT NOT NULL,
            size INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            created REAL NOT NULL,
            job TEXT,
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
        "CREATE INDEX outputs_by_time ON outputs (created)",
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
    # What nodes such as PreviewAny said: a JSON list.
    ("ALTER TABLE jobs ADD COLUMN texts TEXT NOT NULL DEFAULT '[]'",),
)
