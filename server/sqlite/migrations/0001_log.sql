-- +goose Up

-- One row: this incarnation of the log.
CREATE TABLE log (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  epoch TEXT NOT NULL,
  clean INTEGER NOT NULL DEFAULT 1  -- 0 while a server holds the database
) STRICT;

-- num names a user or a room inside this database only; it keeps the log and its indexes small.
CREATE TABLE users (
  num            INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  name           TEXT NOT NULL,
  name_key       TEXT NOT NULL UNIQUE,  -- the name folded: what may not be taken twice
  password       TEXT NOT NULL,         -- hashed
  owner          INTEGER NOT NULL DEFAULT 0,
  created_at     INTEGER NOT NULL,      -- milliseconds of Unix time, as all times here
  deactivated_at INTEGER
) STRICT;

CREATE TABLE rooms (
  num     INTEGER PRIMARY KEY,
  id      TEXT NOT NULL UNIQUE,
  kind    TEXT NOT NULL,
  name    TEXT NOT NULL,
  topic   TEXT NOT NULL,
  creator INTEGER NOT NULL REFERENCES users (num),
  people  BLOB UNIQUE  -- of a direct or self room: whose it is, hashed; there is no second
) STRICT;

CREATE INDEX rooms_kind ON rooms (kind);

-- The log. The writer gives out pos and seq as one more than the newest, inside the transaction.
CREATE TABLE events (
  pos    INTEGER PRIMARY KEY,
  room   INTEGER NOT NULL REFERENCES rooms (num),
  seq    INTEGER NOT NULL,
  sender INTEGER NOT NULL REFERENCES users (num),
  at     INTEGER NOT NULL,
  kind   TEXT NOT NULL,  -- the one field of the body, or 'deleted'
  target INTEGER,  -- of an edit: the message's seq
  nonce  TEXT,     -- of the draft; null for what followed from another
  draft  BLOB,     -- the draft hashed; null for what followed from another, and when deleted
  body   TEXT      -- JSON; null when deleted
) STRICT;

CREATE        INDEX events_seq   ON events (room, seq, sender, kind);  -- a room; and what counts as unread
CREATE        INDEX events_pos   ON events (room);  -- and pos, which ends every entry: a room in log order
CREATE UNIQUE INDEX events_nonce ON events (sender, nonce) WHERE nonce IS NOT NULL;
CREATE        INDEX events_edit  ON events (room, target) WHERE target IS NOT NULL;

-- Membership: the user may read what is at from_pos <= pos < to_pos, which is
-- from_seq <= seq < to_seq. Both ends are 0 while the membership lasts.
CREATE TABLE spans (
  user     INTEGER NOT NULL REFERENCES users (num),
  room     INTEGER NOT NULL REFERENCES rooms (num),
  from_pos INTEGER NOT NULL,
  to_pos   INTEGER NOT NULL DEFAULT 0,
  from_seq INTEGER NOT NULL,
  to_seq   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, room, from_pos)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX spans_now ON spans (room, user) WHERE to_pos = 0;

-- How far each user has read: the furthest of their read marks.
CREATE TABLE marks (
  user INTEGER NOT NULL REFERENCES users (num),
  room INTEGER NOT NULL REFERENCES rooms (num),
  seq  INTEGER NOT NULL,
  PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;
