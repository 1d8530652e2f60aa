CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
CREATE TABLE log (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  epoch TEXT NOT NULL,
  clean INTEGER NOT NULL DEFAULT 1  -- 0 while a server holds the database
) STRICT;
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
CREATE TABLE spans (
  user     INTEGER NOT NULL REFERENCES users (num),
  room     INTEGER NOT NULL REFERENCES rooms (num),
  from_pos INTEGER NOT NULL,
  to_pos   INTEGER NOT NULL DEFAULT 0,
  from_seq INTEGER NOT NULL,
  to_seq   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, room, from_pos)
) STRICT, WITHOUT ROWID;
CREATE TABLE marks (
  user INTEGER NOT NULL REFERENCES users (num),
  room INTEGER NOT NULL REFERENCES rooms (num),
  seq  INTEGER NOT NULL,
  PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_kind ON rooms (kind);
CREATE INDEX events_seq   ON events (room, seq, sender, kind);
CREATE INDEX events_pos   ON events (room);
CREATE UNIQUE INDEX events_nonce ON events (sender, nonce) WHERE nonce IS NOT NULL;
CREATE INDEX events_edit  ON events (room, target) WHERE target IS NOT NULL;
CREATE UNIQUE INDEX spans_now ON spans (room, user) WHERE to_pos = 0;
INSERT INTO goose_db_version VALUES (1, 0, 1, '2026-11-23 15:00:00');
INSERT INTO goose_db_version VALUES (2, 1, 1, '2026-11-23 15:00:00');
INSERT INTO log VALUES (1, 'EPOCHOFTHEFIXTURESOFSCHEMAS', 1);
INSERT INTO users VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaa', 'Ana', 'ana', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$Ana', 1, 1764000001234, NULL);
INSERT INTO users VALUES (2, 'bbbbbbbbbbbbbbbbbbbbbb', 'Ben', 'ben', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$Ben', 0, 1764000002468, NULL);
INSERT INTO users VALUES (3, 'cccccccccccccccccccccc', '林小明', '林小明', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$林小明', 0, 1764000003702, NULL);
INSERT INTO users VALUES (4, 'dddddddddddddddddddddd', 'Dora', 'dora', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$Dora', 0, 1764000004936, 1764000100000);
INSERT INTO rooms VALUES (1, 'S6U4454LKQUMJ2MERX3QBQNAMW', 'public', 'Everyone', 'what there is to say', 1, NULL);
INSERT INTO rooms VALUES (2, 'HINTVABAZUQL6SHRSEHM7RP43O', 'self', '', '', 1, X'1EB4E0F5F4F6D1276401A24FA97C6B30');
INSERT INTO rooms VALUES (3, '7O3CPDLHXW5P4D43CE6TWCDKIR', 'self', '', '', 2, X'A9CED5EE44AE2E5AE8DEFF4C33B1BFDA');
INSERT INTO rooms VALUES (4, '2NBV4QZEXO42WHJA42MEIQ3DV4', 'direct', '', '', 1, X'D85AB86903205D1F342BFAD9246B7D32');
INSERT INTO rooms VALUES (5, 'CI72FJYQENVLYKX5KBODK2NI77', 'private', '计划', '', 2, NULL);
INSERT INTO events VALUES (1, 1, 1, 1, 1764000006170, 'change', NULL, 'nonce-ab', X'31CA121CF085B5264DE4ED8D0F4BC44F', '{"change":{"kind":"public","name":"General"}}');
INSERT INTO events VALUES (2, 1, 2, 1, 1764000006170, 'member', NULL, NULL, NULL, '{"member":{"user":"aaaaaaaaaaaaaaaaaaaaaa","name":"Ana","state":"joined"}}');
INSERT INTO events VALUES (3, 2, 1, 1, 1764000007404, 'change', NULL, 'nonce-ac', X'79FC4E710BC81B78BE64BCEA63BF4D05', '{"change":{"kind":"self"}}');
INSERT INTO events VALUES (4, 2, 2, 1, 1764000007404, 'member', NULL, NULL, NULL, '{"member":{"user":"aaaaaaaaaaaaaaaaaaaaaa","name":"Ana","state":"joined"}}');
INSERT INTO events VALUES (5, 3, 1, 2, 1764000008638, 'change', NULL, 'nonce-ad', X'79FC4E710BC81B78BE64BCEA63BF4D05', '{"change":{"kind":"self"}}');
INSERT INTO events VALUES (6, 3, 2, 2, 1764000008638, 'member', NULL, NULL, NULL, '{"member":{"user":"bbbbbbbbbbbbbbbbbbbbbb","name":"Ben","state":"joined"}}');
INSERT INTO events VALUES (7, 4, 1, 1, 1764000009872, 'change', NULL, 'nonce-ae', X'F39AA7F37A231974A85A970C66280347', '{"change":{"kind":"direct"}}');
INSERT INTO events VALUES (8, 4, 2, 1, 1764000009872, 'member', NULL, NULL, NULL, '{"member":{"user":"aaaaaaaaaaaaaaaaaaaaaa","name":"Ana","state":"joined"}}');
INSERT INTO events VALUES (9, 4, 3, 1, 1764000009872, 'member', NULL, NULL, NULL, '{"member":{"user":"bbbbbbbbbbbbbbbbbbbbbb","name":"Ben","state":"joined"}}');
INSERT INTO events VALUES (10, 5, 1, 2, 1764000011106, 'change', NULL, 'nonce-af', X'994D2584FA72A783778F0E0E0C0FCE13', '{"change":{"kind":"private","name":"计划"}}');
INSERT INTO events VALUES (11, 5, 2, 2, 1764000011106, 'member', NULL, NULL, NULL, '{"member":{"user":"bbbbbbbbbbbbbbbbbbbbbb","name":"Ben","state":"joined"}}');
INSERT INTO events VALUES (12, 5, 3, 2, 1764000011106, 'member', NULL, NULL, NULL, '{"member":{"user":"aaaaaaaaaaaaaaaaaaaaaa","name":"Ana","state":"joined"}}');
INSERT INTO events VALUES (13, 5, 4, 2, 1764000011106, 'member', NULL, NULL, NULL, '{"member":{"user":"cccccccccccccccccccccc","name":"林小明","state":"joined"}}');
INSERT INTO events VALUES (14, 1, 3, 2, 1764000012340, 'member', NULL, 'nonce-ag', X'F3FD424F323592995FBE369AD073A5F9', '{"member":{"user":"bbbbbbbbbbbbbbbbbbbbbb","name":"Ben","state":"joined"}}');
INSERT INTO events VALUES (15, 1, 4, 3, 1764000013574, 'member', NULL, 'nonce-ah', X'584509D598543220A8753F9FC6DEF967', '{"member":{"user":"cccccccccccccccccccccc","name":"林小明","state":"joined"}}');
INSERT INTO events VALUES (16, 1, 5, 4, 1764000014808, 'member', NULL, 'nonce-ai', X'17915CEA472F0F485BD553FB61B5348A', '{"member":{"user":"dddddddddddddddddddddd","name":"Dora","state":"joined"}}');
INSERT INTO events VALUES (17, 1, 6, 1, 1764000016042, 'message', NULL, 'nonce-aj', X'934280B06615B9F8807E9FE79CFB285C', '{"message":{"text":"Hello, it''s \"us\": **bold** 👋🏽 ''quoted''\nsecond line; -- not a comment"}}');
INSERT INTO events VALUES (18, 1, 7, 2, 1764000017276, 'deleted', NULL, 'nonce-ak', NULL, NULL);
INSERT INTO events VALUES (19, 1, 8, 2, 1764000018510, 'deleted', 7, 'nonce-al', NULL, NULL);
INSERT INTO events VALUES (20, 1, 9, 1, 1764000019744, 'edit', 6, 'nonce-am', X'05D0B86548E28B7A31CAA1202F668ADE', '{"edit":{"seq":6,"text":"Hello, all of us"}}');
INSERT INTO events VALUES (21, 1, 10, 2, 1764000020978, 'delete', NULL, 'nonce-an', X'B0F4A2F84D5E3D3821DF58CE24024803', '{"delete":{"seq":7}}');
INSERT INTO events VALUES (22, 1, 11, 3, 1764000022212, 'message', NULL, 'nonce-ao', X'480BFB4691A161790BFBBCA40D25F645', '{"message":{"text":"你好，世界"}}');
INSERT INTO events VALUES (23, 1, 12, 4, 1764000023446, 'member', NULL, 'nonce-ap', X'410E7422BA5D873A982DF771FA172CD9', '{"member":{"user":"dddddddddddddddddddddd","name":"Dora","state":"left"}}');
INSERT INTO events VALUES (24, 1, 13, 1, 1764000024680, 'message', NULL, 'nonce-aq', X'775EA8C929BFA2362CF062BE00AC7C65', '{"message":{"text":"after Dora left"}}');
INSERT INTO events VALUES (25, 1, 14, 1, 1764000025914, 'change', NULL, 'nonce-ar', X'9F0E6349521501D92605AB34C2289D70', '{"change":{"kind":"public","name":"Everyone","topic":"what there is to say"}}');
INSERT INTO events VALUES (26, 4, 4, 1, 1764000027148, 'message', NULL, 'nonce-as', X'E830F97005DB7C2A6C047C379CB3294C', '{"message":{"text":"between us"}}');
INSERT INTO events VALUES (27, 4, 5, 2, 1764000028382, 'message', NULL, 'nonce-at', X'0C53887E6F303C8D331257581B510250', '{"message":{"text":"yes"}}');
INSERT INTO events VALUES (28, 5, 5, 2, 1764000029616, 'message', NULL, 'nonce-au', X'DA71CDBAC2196A5ADE37AEA6B655ACF4', '{"message":{"text":"for three"}}');
INSERT INTO events VALUES (29, 5, 6, 2, 1764000030850, 'member', NULL, 'nonce-av', X'DF467F067BDCF5A72EBD376FBD7A4C70', '{"member":{"user":"cccccccccccccccccccccc","name":"林小明","state":"left"}}');
INSERT INTO events VALUES (30, 5, 7, 2, 1764000032084, 'message', NULL, 'nonce-aw', X'2361C0984589C04E14F1DC692F9C36D0', '{"message":{"text":"for two"}}');
INSERT INTO events VALUES (31, 5, 8, 2, 1764000033318, 'member', NULL, 'nonce-ax', X'85247D8D98639904D8A9BE5FA424B78E', '{"member":{"user":"cccccccccccccccccccccc","name":"林小明","state":"joined"}}');
INSERT INTO events VALUES (32, 5, 9, 3, 1764000034552, 'message', NULL, 'nonce-ay', X'A0BFC6063453701D20780FB8109E5F3C', '{"message":{"text":"back again"}}');
INSERT INTO events VALUES (33, 2, 3, 1, 1764000035786, 'read', NULL, 'nonce-az', X'3565F75D79B7AFFB3566939319C996C6', '{"read":{"room":"S6U4454LKQUMJ2MERX3QBQNAMW","seq":6}}');
INSERT INTO events VALUES (34, 3, 3, 2, 1764000037020, 'read', NULL, 'nonce-ba', X'E71AEED81E02F8334E3A84F819B7C50C', '{"read":{"room":"2NBV4QZEXO42WHJA42MEIQ3DV4","seq":4}}');
INSERT INTO events VALUES (35, 2, 4, 1, 1764000038254, 'read', NULL, 'nonce-bb', X'930B090D3BE8209A55D668E128630D4B', '{"read":{"room":"S6U4454LKQUMJ2MERX3QBQNAMW","seq":9}}');
INSERT INTO spans VALUES (1, 1, 1, 0, 1, 0);
INSERT INTO spans VALUES (1, 2, 3, 0, 1, 0);
INSERT INTO spans VALUES (1, 4, 7, 0, 1, 0);
INSERT INTO spans VALUES (1, 5, 10, 0, 1, 0);
INSERT INTO spans VALUES (2, 1, 14, 0, 3, 0);
INSERT INTO spans VALUES (2, 3, 5, 0, 1, 0);
INSERT INTO spans VALUES (2, 4, 7, 0, 1, 0);
INSERT INTO spans VALUES (2, 5, 10, 0, 1, 0);
INSERT INTO spans VALUES (3, 1, 15, 0, 4, 0);
INSERT INTO spans VALUES (3, 5, 10, 30, 1, 7);
INSERT INTO spans VALUES (3, 5, 31, 0, 8, 0);
INSERT INTO spans VALUES (4, 1, 16, 24, 5, 13);
INSERT INTO marks VALUES (1, 1, 9);
INSERT INTO marks VALUES (2, 4, 4);
