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
        # A deletion that can still be undone; its outputs are hidden until their files go to the trash.
        "CREATE TABLE deletions (id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL)",
        # A file of the library. What is below `facts` is read out of the graph and the form's values, as far as it is
        # known; `facts` is the version of the rules that did it (0: not done yet). `settings` is JSON (name -> value)
        # of files that carry values but no graph. `created`, `width`, `height`, `aspect` (width / height, 1.0 where
        # unknown) and `batch` never change: see listing. `path` is a BLOB where the name is no Unicode; `seconds` is
        # how long the pod worked. `models` and `tags` repeat output_models and output_tags for the full-text index,
        # a name a line.
        """CREATE TABLE outputs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path TEXT NOT NULL UNIQUE,
            media TEXT NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL DEFAULT 0,
            sha256 TEXT NOT NULL,
            created REAL NOT NULL,
            width INTEGER,
            height INTEGER,
            aspect REAL NOT NULL DEFAULT 1.0,
            duration REAL,
            rating INTEGER NOT NULL DEFAULT 0,
            favourite INTEGER NOT NULL DEFAULT 0,
            deletion INTEGER REFERENCES deletions (id),
            missing REAL,
            run TEXT REFERENCES runs (id),
            batch TEXT NOT NULL DEFAULT '',
            workflow TEXT NOT NULL,
            workflow_id TEXT NOT NULL DEFAULT '',
            pod TEXT NOT NULL,
            graph_hash TEXT REFERENCES documents (hash),
            document_hash TEXT REFERENCES documents (hash),
            seed TEXT,
            facts INTEGER NOT NULL DEFAULT 0,
            model TEXT NOT NULL DEFAULT '',
            sampler TEXT NOT NULL DEFAULT '',
            scheduler TEXT NOT NULL DEFAULT '',
            steps REAL,
            cfg REAL,
            seconds REAL,
            remote_type TEXT NOT NULL,
            remote_subfolder TEXT NOT NULL,
            remote_filename TEXT NOT NULL,
            etag TEXT NOT NULL,
            name TEXT NOT NULL DEFAULT '',
            prompt TEXT NOT NULL,
            negative TEXT NOT NULL DEFAULT '',
            note TEXT NOT NULL DEFAULT '',
            models TEXT NOT NULL DEFAULT '',
            tags TEXT NOT NULL DEFAULT '',
            settings TEXT
        )""",
        # `outputs_as_listed` covers what a listing reads of every row.
        "CREATE INDEX outputs_as_listed ON outputs (created, id, aspect)",
        "CREATE INDEX outputs_by_run ON outputs (run)",
        "CREATE INDEX outputs_by_batch ON outputs (batch)",
        "CREATE INDEX outputs_by_workflow ON outputs (workflow)",
        "CREATE INDEX outputs_by_model ON outputs (model)",
        "CREATE INDEX outputs_by_media ON outputs (media)",
        "CREATE INDEX outputs_by_name ON outputs (name COLLATE NOCASE, id)",
        "CREATE INDEX outputs_by_size ON outputs (size, created)",
        "CREATE INDEX outputs_by_hash ON outputs (sha256)",
        "CREATE INDEX outputs_by_seed ON outputs (seed)",
        "CREATE INDEX outputs_by_rating ON outputs (rating, created) WHERE rating > 0",
        "CREATE INDEX outputs_favourite ON outputs (created) WHERE favourite",
        "CREATE INDEX outputs_deleted ON outputs (deletion) WHERE deletion IS NOT NULL",
        "CREATE INDEX outputs_missing ON outputs (missing) WHERE missing IS NOT NULL",
        "CREATE INDEX outputs_unread ON outputs (facts, id) WHERE graph_hash IS NOT NULL",
        "CREATE INDEX outputs_by_identity ON outputs (pod, remote_filename, remote_subfolder, remote_type, etag)",
        # Words of outputs, kept by the triggers. The order of columns is search.WORD_COLUMNS.
        """CREATE VIRTUAL TABLE output_words USING fts5 (
            prompt, negative, note, models, workflow, name, tags,
            content = 'outputs', content_rowid = 'id', prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
        )""",
        """CREATE TRIGGER output_words_new AFTER INSERT ON outputs BEGIN
            INSERT INTO output_words (rowid, prompt, negative, note, models, workflow, name, tags) VALUES
                (new.id, new.prompt, new.negative, new.note, new.models, new.workflow, new.name, new.tags);
        END""",
        """CREATE TRIGGER output_words_gone AFTER DELETE ON outputs BEGIN
            INSERT INTO output_words (output_words, rowid, prompt, negative, note, models, workflow, name, tags) VALUES
                ('delete', old.id, old.prompt, old.negative, old.note, old.models, old.workflow, old.name, old.tags);
        END""",
        """CREATE TRIGGER output_words_other
        AFTER UPDATE OF prompt, negative, note, models, workflow, name, tags ON outputs BEGIN
            INSERT INTO output_words (output_words, rowid, prompt, negative, note, models, workflow, name, tags) VALUES
                ('delete', old.id, old.prompt, old.negative, old.note, old.models, old.workflow, old.name, old.tags);
            INSERT INTO output_words (rowid, prompt, negative, note, models, workflow, name, tags) VALUES
                (new.id, new.prompt, new.negative, new.note, new.models, new.workflow, new.name, new.tags);
        END""",
        # Every model file an output was made with. `kind`: checkpoint, lora, or other.
        """CREATE TABLE output_models (
            output INTEGER NOT NULL REFERENCES outputs (id) ON DELETE CASCADE,
            model TEXT NOT NULL,
            kind TEXT NOT NULL,
            PRIMARY KEY (output, model)
        ) WITHOUT ROWID""",
        "CREATE INDEX output_models_by_name ON output_models (model, output, kind)",
        "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE)",
        """CREATE TABLE output_tags (
            output INTEGER NOT NULL REFERENCES outputs (id) ON DELETE CASCADE,
            tag INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            PRIMARY KEY (output, tag)
        ) WITHOUT ROWID""",
        "CREATE INDEX output_tags_by_tag ON output_tags (tag, output)",
        """CREATE TABLE albums (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            position REAL NOT NULL,
            created REAL NOT NULL
        )""",
        """CREATE TABLE album_outputs (
            album INTEGER NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
            output INTEGER NOT NULL REFERENCES outputs (id) ON DELETE CASCADE,
            position REAL NOT NULL,
            PRIMARY KEY (album, output)
        ) WITHOUT ROWID""",
        "CREATE INDEX album_outputs_by_output ON album_outputs (output)",
        # `filter` is JSON: what of an OutputFilter is not as in an empty one.
        """CREATE TABLE saved_searches (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            filter TEXT NOT NULL,
            position REAL NOT NULL
        )""",
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
    (
        # Batches. `drawn` is JSON: field id, the text its wildcards were drawn in. `cell` is a job's place in its
        # grid as JSON: sheet, page, row, column. `verdict` is how a job that left results all the same is to end, JSON.
        "ALTER TABLE runs ADD COLUMN drawn TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE runs ADD COLUMN cell TEXT",
        "ALTER TABLE jobs ADD COLUMN template TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE jobs ADD COLUMN verdict TEXT",
        # Jobs with hidden = 2 are being added: held by nobody, and no part of the queue before all of their batch are.
        "DROP VIEW job_rows",
        """CREATE VIEW job_rows AS SELECT jobs.*, finished IS NOT NULL AS ended, coalesce(-finished, position) AS place,
            workflow_id, workflow, graph_hash, document_hash, field_values, prompt, seed, batch, drawn, cell
            FROM jobs JOIN runs ON runs.id = jobs.id""",
        # The contact sheets that are to be made when all of their jobs are over. `columns` and `rows` are JSON lists of
        # labels, `owner` the session that makes it. `path` is written down before the file is; `made` is when it was
        # done with, whatever came of it.
        """CREATE TABLE sheets (
            batch TEXT NOT NULL,
            sheet INTEGER NOT NULL,
            page INTEGER NOT NULL,
            title TEXT NOT NULL,
            columns TEXT NOT NULL,
            rows TEXT NOT NULL,
            folder TEXT NOT NULL,
            owner TEXT NOT NULL,
            path TEXT,
            made REAL,
            output INTEGER REFERENCES outputs (id) ON DELETE SET NULL,
            PRIMARY KEY (batch, sheet, page)
        ) WITHOUT ROWID""",
        "CREATE INDEX sheets_to_make ON sheets (made, batch)",
    ),
    (
        # Files that were looked at and are no outputs by their path, as long as they stay the same: copies of what is
        # there, what was copied into the library, what was deleted from it, what cannot be read (`why`). `path` is
        # bytes: names need not be Unicode.
        """CREATE TABLE seen_files (
            path BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            why TEXT NOT NULL
        ) WITHOUT ROWID""",
        # Imports that are under way. `copy`: files are copied into the library's folder.
        """CREATE TABLE imports (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            folder BLOB NOT NULL,
            copy INTEGER NOT NULL,
            begun REAL NOT NULL
        )""",
        # What the user deleted from the library: it is not offered again by a pod, nor taken from a watched folder.
        """CREATE TABLE forgotten (
            sha256 TEXT NOT NULL,
            pod TEXT NOT NULL,
            type TEXT NOT NULL,
            subfolder TEXT NOT NULL,
            filename TEXT NOT NULL,
            etag TEXT NOT NULL,
            PRIMARY KEY (sha256, pod, type, subfolder, filename)
        ) WITHOUT ROWID""",
        "CREATE INDEX forgotten_by_identity ON forgotten (pod, filename, subfolder, type)",
        # Files of a pod's earlier jobs that the user wants here. `path` is where it goes, written down before the
        # download begins; `made` is when the pod made it, where it says so; `lost` why it cannot be had.
        """CREATE TABLE pod_fetches (
            pod TEXT NOT NULL,
            type TEXT NOT NULL,
            subfolder TEXT NOT NULL,
            filename TEXT NOT NULL,
            job TEXT NOT NULL,
            made REAL,
            graph_hash TEXT REFERENCES documents (hash),
            document_hash TEXT REFERENCES documents (hash),
            path TEXT,
            lost TEXT,
            PRIMARY KEY (pod, type, subfolder, filename)
        ) WITHOUT ROWID""",
    ),
    (
        # Enhancing. `originals` is JSON: field id, the text before a language model enhanced it.
        "ALTER TABLE runs ADD COLUMN originals TEXT NOT NULL DEFAULT '{}'",
        "DROP VIEW job_rows",
        """CREATE VIEW job_rows AS SELECT jobs.*, finished IS NOT NULL AS ended, coalesce(-finished, position) AS place,
            workflow_id, workflow, graph_hash, document_hash, field_values, prompt, seed, batch, drawn, cell, originals
            FROM jobs JOIN runs ON runs.id = jobs.id""",
        # What was enhanced, the latest some hundred.
        """CREATE TABLE enhancements (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            created REAL NOT NULL,
            original TEXT NOT NULL,
            enhanced TEXT NOT NULL,
            style TEXT NOT NULL,
            family TEXT NOT NULL,
            engine TEXT NOT NULL,
            model TEXT NOT NULL
        )""",
    ),
    (
        # 1: taken in quickly; its hash (then empty) or its workflow is still to be read.
        "ALTER TABLE outputs ADD COLUMN pending INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX outputs_pending ON outputs (id) WHERE pending",
    ),
    (
        # Who adds many outputs raises a flag for its transaction, and adds their words at once: see output_words. For
        # each row by itself the full-text index writes a segment.
        "DROP TRIGGER output_words_new",
        """CREATE TRIGGER output_words_new AFTER INSERT ON outputs
        WHEN NOT EXISTS (SELECT 1 FROM flags WHERE name = 'words later') BEGIN
            INSERT INTO output_words (rowid, prompt, negative, note, models, workflow, name, tags) VALUES
                (new.id, new.prompt, new.negative, new.note, new.models, new.workflow, new.name, new.tags);
        END""",
    ),
    (
        # 1: on its way to the system's trash. From then on nobody brings it back, and no job is told that it is here.
        "ALTER TABLE outputs ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0",
        # Each output that is forgotten has to be looked for there.
        "CREATE INDEX job_files_by_output ON job_files (output) WHERE output IS NOT NULL",
    ),
)
