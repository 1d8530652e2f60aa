// Package auth says who is asking: accounts, passwords, sessions, tokens,
// invites, the set-up of a new server, and how much each may ask.
//
// A User has a name and a password. A Grant lets its bearer act as a user: a
// session is the grant of a browser; a token is the grant of a program, which may
// only chat. Neither is accepted in the place of the other. An Identity is a user by a grant. An
// Invite lets new people in. A server without an owner is claimed once, by
// set-up.
//
// Secrets are told once and kept as digests; passwords are kept as argon2id
// hashes. How a secret travels in a request is not known here.
package auth
