-- Times are RFC 3339 text in UTC with exactly six decimals, so that text order is time order.
-- Bodies are JSON text. Nothing here is SQLite-only except the type names, which PostgreSQL accepts too.

CREATE TABLE credentials (
    id             TEXT PRIMARY KEY,
    kind           TEXT NOT NULL,          -- api_key | environment_key | sessions_token
    hash           TEXT NOT NULL UNIQUE,   -- lower-case hex SHA-256 of the whole credential
    hint           TEXT NOT NULL,          -- last four characters, to recognise a key in a list
    name           TEXT NOT NULL,
    environment_id TEXT,                   -- environment_key, sessions_token
    session_id     TEXT,                   -- sessions_token
    work_id        TEXT,                   -- sessions_token
    delivery       INTEGER NOT NULL,       -- sessions_token: which delivery of the work item minted it
    created_at     TEXT NOT NULL,
    expires_at     TEXT,
    revoked_at     TEXT
);
CREATE INDEX credentials_by_environment ON credentials (environment_id, kind, created_at);
CREATE INDEX credentials_by_work ON credentials (work_id);

CREATE TABLE agents (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,          -- the latest
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    archived_at TEXT
);
CREATE INDEX agents_by_age ON agents (created_at, id);

CREATE TABLE agent_versions (
    agent_id   TEXT NOT NULL REFERENCES agents (id),
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    body       TEXT NOT NULL,              -- the agent object as the API shows it
    PRIMARY KEY (agent_id, version)
);

CREATE TABLE environments (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,             -- self_hosted | cloud
    body        TEXT NOT NULL,             -- the environment object as the API shows it
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    archived_at TEXT
);
CREATE UNIQUE INDEX environments_by_name ON environments (name);
CREATE INDEX environments_by_age ON environments (created_at, id);

CREATE TABLE sessions (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    self_hosted    INTEGER NOT NULL,       -- 1 when the sandbox tools run on a worker
    agent_id       TEXT NOT NULL,
    agent_version  INTEGER NOT NULL,
    agent          TEXT NOT NULL,          -- the resolved snapshot
    title          TEXT,
    metadata       TEXT NOT NULL,
    resources      TEXT NOT NULL,
    vault_ids      TEXT NOT NULL,
    budget         TEXT,
    status         TEXT NOT NULL,          -- idle | running | rescheduling | terminated
    stop_reason    TEXT,                   -- of an idle session that has had a turn
    usage          TEXT NOT NULL,
    position       INTEGER NOT NULL,       -- the last position given to an event
    turn           INTEGER NOT NULL,       -- counts turns; what an older one still says is dropped
    open_span      TEXT,                   -- the model request that has started and not ended
    active_micros  INTEGER NOT NULL,       -- time spent running, until running_since
    running_since  TEXT,
    idle_since     TEXT,
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL,
    archived_at    TEXT
);
CREATE INDEX sessions_by_age ON sessions (created_at, id);
CREATE INDEX sessions_by_agent ON sessions (agent_id, created_at);
CREATE INDEX sessions_by_environment ON sessions (environment_id);
CREATE INDEX sessions_by_status ON sessions (status);

-- A queued event is listed where it arrived and moves to where it was processed: forward only, so no reader that pages
-- ascending can miss it.
CREATE TABLE events (
    id           TEXT PRIMARY KEY,
    session_id   TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    type         TEXT NOT NULL,
    processed_at TEXT,                     -- null while queued
    body         TEXT NOT NULL             -- the event object as the API shows it
);
CREATE UNIQUE INDEX events_in_order ON events (session_id, position);
CREATE INDEX events_queued ON events (session_id, position) WHERE processed_at IS NULL;

-- Calls that somebody outside has to answer. A closed row stays: it is how a repeated answer is recognised.
CREATE TABLE calls (
    id           TEXT PRIMARY KEY,         -- the id of the tool_use event
    session_id   TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,         -- of the tool_use event
    kind         TEXT NOT NULL,            -- sandbox | custom | mcp
    name         TEXT NOT NULL,
    confirmation TEXT NOT NULL,            -- none | wanted | allow | deny
    answer_id    TEXT,                     -- the event that closed it; null while open
    answer_type  TEXT
);
CREATE INDEX calls_open ON calls (session_id, position) WHERE answer_id IS NULL;

CREATE TABLE work (
    id                 TEXT PRIMARY KEY,
    environment_id     TEXT NOT NULL,
    session_id         TEXT NOT NULL,      -- no foreign key: an item outlives its session
    state              TEXT NOT NULL,      -- queued | starting | active | stopping | stopped
    metadata           TEXT NOT NULL,
    created_at         TEXT NOT NULL,
    queued_at          TEXT NOT NULL,      -- when it (last) came into the queue
    delivered_at       TEXT,               -- of a queued item: handed out, not yet acknowledged
    delivery           INTEGER NOT NULL,   -- how often it was handed out
    delivery_base      INTEGER NOT NULL,   -- deliveries up to this one have lost the item
    worker_id          TEXT,
    acknowledged_at    TEXT,
    started_at         TEXT,
    heartbeat          TEXT,               -- the exact text the worker was given
    previous_heartbeat TEXT,
    heartbeat_by       TEXT,               -- credential id of the last beat
    deadline_at        TEXT,               -- lease end, or start deadline while starting
    stop_requested_at  TEXT,
    stopped_at         TEXT
);
CREATE INDEX work_queue ON work (environment_id, state, queued_at);
CREATE INDEX work_by_age ON work (environment_id, created_at, id);
CREATE INDEX work_by_session ON work (session_id, state);
CREATE INDEX work_deadlines ON work (deadline_at) WHERE deadline_at IS NOT NULL;
