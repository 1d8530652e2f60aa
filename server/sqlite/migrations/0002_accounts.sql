-- +goose Up

-- One row: how far the server is from having an owner.
CREATE TABLE setup (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  done INTEGER NOT NULL DEFAULT 0,  -- never 0 again once 1
  code BLOB                         -- of the set-up code, hashed
) STRICT;

INSERT INTO setup (one) VALUES (1);

CREATE TABLE invites (
  secret  BLOB PRIMARY KEY,  -- hashed
  by_user INTEGER NOT NULL REFERENCES users (num),
  expires INTEGER NOT NULL,
  uses    INTEGER NOT NULL   -- left
) STRICT, WITHOUT ROWID;

-- Sessions of browsers and tokens of programs.
CREATE TABLE grants (
  id      TEXT PRIMARY KEY,
  secret  BLOB NOT NULL UNIQUE,  -- hashed
  user    INTEGER NOT NULL REFERENCES users (num),
  token   INTEGER NOT NULL,
  name    TEXT NOT NULL,
  created INTEGER NOT NULL,
  seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_user ON grants (user, token);
