package chat

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/bits"
)

// MaxDigest is how many events of a room one Digest may be asked for.
const MaxDigest = 10_000

// A Digest says, in a few bytes, what a user may read of a room from From up to To: two that
// hold the same events, as they are now, have the same Count and Hash; two that do not
// have, but by chance of one in 2^128, another Hash. Both ends of the protocol make it
// with [Digest.Add], in any order.
type Digest struct {
	From  Seq  `json:"from"`
	To    Seq  `json:"to"`
	Head  Seq  `json:"head"` // of the room when this was said: what came later may have blanked some of it
	Count int  `json:"count"`
	Hash  Hash `json:"hash"`
}

// A Hash is a sum, modulo 2^128, of the hashes of events. On the wire it is 32
// hexadecimal digits.
type Hash [16]byte

// Add takes an event in: the first 16 bytes of the SHA-256 of its JSON, as a number, are
// added to the hash. The Seq is part of the JSON, so that a place matters. An event
// that was blanked counts as it is now.
func (d *Digest) Add(e Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return Errorf(CodeInternal, "event %d can not be written as JSON", e.Seq)
	}
	sum := sha256.Sum256(text)
	get, put := binary.BigEndian.Uint64, binary.BigEndian.PutUint64
	low, carry := bits.Add64(get(d.Hash[8:]), get(sum[8:16]), 0)
	high, _ := bits.Add64(get(d.Hash[:8]), get(sum[:8]), carry)
	put(d.Hash[:8], high)
	put(d.Hash[8:], low)
	d.Count++
	return nil
}

// Same reports whether d and o speak of the same events.
func (d Digest) Same(o Digest) bool {
	return d.From == o.From && d.To == o.To && d.Count == o.Count && d.Hash == o.Hash
}

// MarshalText is for JSON.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText takes nothing but 32 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return Errorf(CodeInvalid, "a hash has %d hexadecimal digits", 2*len(h))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return Errorf(CodeInvalid, "a hash has %d hexadecimal digits", 2*len(h))
	}
	return nil
}
